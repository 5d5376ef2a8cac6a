"""Our roll-overs beside those that Knot does by itself: the same order of changes, and no wait longer than it must be.

scripts/make-rollovers draws what is seen here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipebackend.rollover.delays import ROUNDING
from tests.live import beside_knot
from tests.live.beside_knot import KNOT, OURS, PROPAGATION, TTL, Seen
from tests.live.knot import is_installed

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.skipif(not is_installed(), reason="not installed: knot; as root scripts/test installs it"),
]

LOOK = 0.5  # seconds between the asking of two questions of one look, at most


def ends(seen: Seen, record: str) -> tuple[float, float]:
    """When the new key's record was first there, and the old one's for the last time."""
    tags = [tag for kind, tag in seen.first if kind == record]
    return max(seen.first[record, tag] for tag in tags), min(seen.last[record, tag] for tag in tags)


def test_the_order_is_that_of_knot_and_the_waits_are_those_of_the_policy(tmp_path: Path) -> None:
    found, waits = beside_knot.rolled(tmp_path)
    must = PROPAGATION + TTL
    for apex in (OURS, KNOT):
        zsk = found["zsk"][apex]
        published, unpublished = ends(zsk, "DNSKEY")
        signs, signed = ends(zsk, "signs zone")
        assert published < signs < unpublished, apex
        assert signs - published > must - LOOK, apex
        assert unpublished - signed > must - LOOK, apex
        ksk = found["ksk"][apex]
        published, unpublished = ends(ksk, "DNSKEY")
        delegated, _ = ends(ksk, "DS")
        assert published < delegated < unpublished, apex
        assert delegated - published > must - LOOK, apex
        assert unpublished - delegated > TTL - LOOK, apex
        assert ends(ksk, "CDS")[0] <= delegated + LOOK, apex
    assert {name for _, name, _ in waits} == {"dnskey", "key_rrsig", "zone_rrsig", "ds"}
    for (_, name, _), wait in waits.items():  # of a DS: since it was asked for, which the parent takes a while to do
        assert wait >= (TTL if name == "ds" else must)
        assert name == "ds" or wait == must + ROUNDING
