"""zoneutil key timeline: half a year of a zone's keys, read off what is drawn."""

from __future__ import annotations

import dataclasses
import re
import xml.dom.minidom
from itertools import pairwise

import pytest

from pipebackend.cli import timeline
from pipebackend.rollover import forecast as forecasts
from pipebackend.rollover.maintainer import Maintainer
from pipebackend.rollover.states import OMNIPRESENT
from tests.unit.rollover.test_maintainer import ZONE, signed

DAY = 86_400


@pytest.fixture
def foreseen(zoneutil, passing):
    from pipebackend.backend.opening import open_backend

    signed(zoneutil, passing)
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    yield Maintainer(backend).foreseen(ZONE, 365 * DAY)
    backend.close()


def test_a_year_has_four_zsks_and_one_ksk_that_overlap(foreseen) -> None:
    report, found = foreseen
    names = sorted(found.names.values())
    assert sum(name.startswith("ZSK") for name in names) == 5
    assert sum(name.startswith("KSK") for name in names) == 2
    signing = sorted(
        (bar.start, bar.end) for bar in found.bars if (bar.record, bar.state) == ("zone_rrsig", OMNIPRESENT)
    )
    for (_, end), (start, _) in pairwise(signing):
        assert 0 <= start - end < DAY, "one follows the other as soon as caches have it"
    assert all(bar.end > bar.start for bar in found.bars)
    assert found.steps[0][0] >= report.now


def test_a_dollar_sign_in_a_name_begins_no_formula(foreseen) -> None:
    r"""matplotlib read $\frac{$ as one, and raised."""
    report, found = foreseen
    report = dataclasses.replace(report, apex=r"$\frac{$.example")
    assert r"$\frac{$.example, policy usual" in timeline.svg(timeline.drawn(report, found, 365 * DAY))


def test_nothing_is_foreseen_where_all_is_by_hand(zoneutil, passing) -> None:
    from pipebackend.backend.opening import open_backend

    zoneutil.good("zone", "set-policy", ZONE, "one key")
    signed(zoneutil, passing)
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    _, found = Maintainer(backend).foreseen(ZONE, 365 * DAY)
    backend.close()
    assert found.steps == []
    assert {bar.state for bar in found.bars} == {OMNIPRESENT}


def test_an_end_is_found_where_lifetimes_are_short(zoneutil, passing, monkeypatch) -> None:
    monkeypatch.setattr(forecasts, "MAX_TURNS", 3)
    signed(zoneutil, passing)
    zoneutil.good("key", "timeline", ZONE, "-o", zoneutil.folder / "keys.svg", "--days", "10y")


@pytest.mark.parametrize("suffix", ["svg", "png", "html"])
def test_files(zoneutil, passing, suffix) -> None:
    before = zoneutil.contents()
    path = zoneutil.folder / f"keys.{suffix}"
    done = zoneutil.good("key", "timeline", ZONE, "-o", path)
    assert re.fullmatch(rf"{re.escape(str(path))}: \d+ keys, \d+ steps\n", done.err)
    assert zoneutil.contents() == before
    if suffix == "png":
        assert path.read_bytes().startswith(b"\x89PNG")
        return
    text = path.read_text()
    if suffix == "svg":
        xml.dom.minidom.parseString(text)
    assert f"{ZONE}, policy usual" in text
    assert "rumoured" in text
    if suffix == "html":
        assert "<td>sign with KSK new 1 and ZSK new 2</td>" in text


def test_refusals(zoneutil) -> None:
    for words in (("-o", "keys.gif"), ("-o", "keys.svg", "--days", "soon")):
        done = zoneutil("key", "timeline", ZONE, *words)
        assert done.status == 2, done.err
    assert "No such file" in zoneutil.refused("key", "timeline", ZONE, "-o", zoneutil.folder / "no" / "keys.svg")
