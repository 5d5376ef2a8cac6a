"""What is installed is asked; what is not a PowerDNS has no version. A real one answers in tests/live."""

from __future__ import annotations

import pytest

from pipebackend.config import installed


@pytest.mark.parametrize("program", ["", "/nowhere/pdns_server", "/bin/true"])
def test_what_is_not_a_powerdns_has_no_version(program: str) -> None:
    assert installed.release(program) == ()


def test_the_first_on_the_path_is_taken(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = installed.path()
    (tmp_path / "pdns_server").write_text("")
    (tmp_path / "pdns_server").chmod(0o755)
    assert before != installed.path() == str(tmp_path / "pdns_server")
