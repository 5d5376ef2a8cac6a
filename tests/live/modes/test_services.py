"""One service, asked over HTTP by all servers."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.live.modes.example import APEX, ZONE, check_answers, ds_of, is_secure, until, validating
from tests.live.modes.page import Section

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

FIRST, SECOND = "192.0.2.53", "198.51.100.1"


@pytest.mark.skipif(shutil.which("curl") is None, reason="not installed: curl, with which the page uses the API")
def test_one_service_for_many_servers(tmp_path: Path) -> None:
    section = Section("One service for many servers", tmp_path)
    (section.folder / "example.org.zone").write_text(ZONE)
    first, second = section.pdns(FIRST), section.pdns(SECOND, "second.conf")
    service = section.start(1)
    section.run(2, first)
    keys = ds_of(first)
    assert ds_of(second) == keys
    new = f"new.{APEX}"
    with first, second:
        for server in (first, second):
            with validating(server, tmp_path, keys) as resolver:
                check_answers(resolver)
        assert not second.dig(new, "A").answer
        section.run(3)
        until(lambda: bool(first.dig(new, "A").answer), "the first server has what it wrote")
        until(lambda: bool(second.dig(new, "A").answer), "the second server has what the first one wrote")
        with validating(second, tmp_path, keys) as resolver:
            assert is_secure(resolver.query(new, "A"))
        service.terminate()
        service.wait()
        section.start(1)
        for server in (first, second):
            until(lambda server=server: bool(server.dig(f"www.{APEX}", "A").answer), "it goes on by itself")
