"""The table of PowerDNS's versions: each release has a row, and what was never tried is assumed of none."""

from __future__ import annotations

import pytest

from pipebackend.dnsdata import versions
from pipebackend.dnsdata.versions import NEW, OLD, UNKNOWN


@pytest.mark.parametrize(
    ("text", "dialect", "has_ents"),
    [
        ("", OLD, False),
        ("4.7", OLD, False),
        ("4.7.3", OLD, False),
        ("4.9.18", OLD, False),
        ("5.0", OLD, False),
        ("5.1.5", NEW, True),
        ("5.2", NEW, True),
        ("10.0", NEW, True),
    ],
)
def test_a_release_has_the_row_of_the_last_one_that_changed(text: str, dialect: object, has_ents: bool) -> None:
    found = versions.of(text)
    assert found is not None
    assert (found.dialect, found.has_ents) == (dialect, has_ents)


@pytest.mark.parametrize("text", ["5", "4.6", "3.4.11", "v5.1", "5.1-rc1", "5.x", "5.1.5.1", "\u0665.1", "4.", " 4.9"])
def test_what_is_not_a_version_from_4_7_on_is_none(text: str) -> None:
    assert versions.of(text) is None


def test_nothing_is_assumed_of_the_unknown_version() -> None:
    assert UNKNOWN.dialect.types == ()
    assert not UNKNOWN.has_ents
