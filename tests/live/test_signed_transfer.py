"""A signed transfer of every kind of zone that can be listed is a whole zone to ldns-verify-zone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.live.servers import PdnsServer, remote_config
from tests.live.signed import MODES, SignedZone, sign_all, verdict_of_ldns, write_zones

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

LISTED_MODES = [mode for mode in MODES if mode != "narrow"]  # PowerDNS does not transfer a zone with NSEC3 narrow
# With PowerDNS's own backends these are in the chain, which ldns finds wrong; we leave them out of the list
OCCLUDED = "deeper.insecure NS    ns.deeper.insecure\n"
BELOW_DNAME = """
gone            DNAME elsewhere.example.
a.b.gone        TXT   "occluded"
cut.gone        NS    ns.cut.gone
ns.cut.gone     A     192.0.2.9
sign.insecure   DS    1 13 2 49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE8F1E0AD4F1DBD2E6D5B8A6F1
"""
ZONES = {
    zone.name: zone
    for zone in (
        SignedZone("airports.aa", "airports", "nsec"),
        *(
            SignedZone(f"{kind}-{mode}.aa", kind, mode)
            for kind in ("airports", "file", "listed")
            for mode in LISTED_MODES
        ),
        SignedZone("ranges-nsec.aa", "ranges", "nsec"),  # its NSEC3 is always narrow
        SignedZone("100.51.198.in-addr.arpa", "reverse", "nsec"),
        SignedZone("ranges-narrow.aa", "ranges", "nsec3"),
    )
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PdnsServer]:
    folder = tmp_path_factory.mktemp("transfers")
    config = write_zones(folder, ZONES.values(), whole_table="airports.aa")
    nasty = (folder / "nasty.zone").read_text()
    assert OCCLUDED in nasty
    (folder / "nasty.zone").write_text(nasty + BELOW_DNAME)
    sign_all(folder, ZONES.values())
    with PdnsServer(remote_config(config, dnssec=True), folder) as running:
        yield running


@pytest.mark.parametrize("name", [name for name, zone in ZONES.items() if not zone.is_narrow])
def test_ldns_accepts_the_transfer(server: PdnsServer, tmp_path: Path, name: str) -> None:
    transferred = server.axfr(name)
    assert verdict_of_ldns(transferred, tmp_path) == "Zone is verified and complete\n"
    assert ("NSEC3PARAM" in transferred) == ZONES[name].is_nsec3


@pytest.mark.parametrize("mode", LISTED_MODES)
def test_occluded_names_are_not_transferred(server: PdnsServer, mode: str) -> None:
    apex = f"file-{mode}.aa."
    owners = {line.split()[0].lower() for line in server.axfr(apex).splitlines() if line.strip() and line[0] != ";"}
    assert f"ns.insecure.{apex}" in owners  # glue
    hidden = ("deeper.insecure", "sign.insecure", "a.b.gone", "cut.gone", "ns.cut.gone")
    assert owners.isdisjoint(f"{name}.{apex}" for name in hidden)


def test_a_record_changed_on_the_way_is_noticed(server: PdnsServer, tmp_path: Path) -> None:
    """ldns would say so if something were wrong."""
    transferred = server.axfr("listed-nsec.aa")
    assert "2001:db8::1" in transferred
    assert "Zone is verified" not in verdict_of_ldns(transferred.replace("2001:db8::1", "2001:db8::2"), tmp_path)


def test_narrow_zones_are_refused(server: PdnsServer) -> None:
    assert server.axfr("ranges-narrow.aa") == ""
    server.wait_for_log("failed: not doing AXFR of an NSEC3 narrow zone")
