"""Zones to sign: one configuration for a server, and ways to give each zone keys and a kind of denial.

Each zone has a configuration of its own beside the server's, with the same store: tools start faster on one zone.
"""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, NamedTuple

from click.testing import CliRunner

from pipebackend.cli.main import cli
from tests.live.servers import PdnsServer, first_airports, program, remote_config

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MODES", "SignedZone", "sign_all", "verdict_of_ldns", "write_zones", "zoneutil"]

TEMPLATES = Path(__file__).parent / "zones"
ALL_AIRPORTS = TEMPLATES.parents[2] / "airports.tsv"
MODES = {"nsec": None, "nsec3": "1 0 5 ab", "opt-out": "1 1 0 -", "narrow": "1 0 0 -"}
PDNSUTIL_NAMES = {8: "rsasha256", 10: "rsasha512", 13: "ecdsa256", 14: "ecdsa384", 15: "ed25519", 16: "ed448"}
RSA_BITS = "1024"  # finding larger primes would take half of the time; zoneutil makes its usual 2048


class SignedZone(NamedTuple):
    """``kind`` is the name of a template in zones/; ``maker`` is the tool that makes the keys."""

    name: str
    kind: str
    mode: str
    algorithm: int = 13
    maker: str = "zoneutil"

    @property
    def is_narrow(self) -> bool:
        """Computed names have no other NSEC3, and names that cannot be listed no other denial at all."""
        return (
            self.mode == "narrow" or self.kind == "unlisted" or (self.kind in ("ranges", "reverse") and self.is_nsec3)
        )

    @property
    def is_nsec3(self) -> bool:
        return self.mode != "nsec"


def write_zones(folder: Path, zones: Iterable[SignedZone], whole_table: str = "") -> Path:
    """The configuration of all zones, in ``folder``; only ``whole_table`` has all airports."""
    for name in ("nasty.zone", "user_zones.py"):
        shutil.copy(TEMPLATES / name, folder)
    (folder / "airports.tsv").write_text(first_airports(50), "utf-8")
    everything = []
    for zone in zones:
        table = ALL_AIRPORTS if zone.name == whole_table else "airports.tsv"
        template = Template((TEMPLATES / f"{zone.kind}.toml").read_text())
        text = template.substitute(ZONE=zone.name, TABLE=table, LABEL=zone.name.split(".")[0])
        (folder / f"{zone.name}.toml").write_text(text)
        everything.append(text)
    path = folder / "zones.toml"
    path.write_text("\n".join(everything))
    return path


def zoneutil(folder: Path, zone: str, *words: str) -> str:
    """What ``zoneutil`` prints about one zone when all goes well."""
    done = CliRunner().invoke(cli, ["--config", str(folder / f"{zone}.toml"), *words])
    assert done.exit_code == 0, f"zoneutil {' '.join(words)}: {done.output}{done.exception!r}"
    return done.stdout


def sign_all(folder: Path, zones: Iterable[SignedZone]) -> dict[str, list[str]]:
    """Give zones of ``write_zones`` keys and denial; for each the DS records that the maker of its keys tells."""
    with ThreadPoolExecutor(2) as pool:  # pdnsutil is a process that waits for its coprocesses
        zones = list(zones)
        waiting = {zone.name: pool.submit(_with_pdnsutil, folder, zone) for zone in zones if zone.maker == "pdnsutil"}
        found = {zone.name: MAKERS[zone.maker](folder, zone) for zone in zones if zone.maker != "pdnsutil"}
        return {**found, **{name: future.result() for name, future in waiting.items()}}


def _with_zoneutil(folder: Path, zone: SignedZone) -> list[str]:
    """One key that signs everything."""
    zoneutil(folder, zone.name, "key", "generate", zone.name, "--algorithm", str(zone.algorithm))
    _deny_with_zoneutil(folder, zone)
    return zoneutil(folder, zone.name, "key", "ds", zone.name).splitlines()


def _with_pdnsutil(folder: Path, zone: SignedZone) -> list[str]:
    """One key that signs everything."""
    tool = PdnsServer(remote_config(folder / f"{zone.name}.toml", dnssec=True), folder)
    bits = [RSA_BITS] if zone.algorithm in (8, 10) else []
    tool.said("add-zone-key", zone.name, "ksk", *bits, "active", "published", PDNSUTIL_NAMES[zone.algorithm])
    param = MODES[zone.mode]
    if param is not None:
        tool.said("set-nsec3", zone.name, param, *(["narrow"] if zone.mode == "narrow" else []))
    return tool.ds_of(zone.name)


def _with_dnssec_keygen(folder: Path, zone: SignedZone) -> list[str]:
    """A key for keys and one for the rest."""
    words = [program("dnssec-keygen"), "-q", "-K", str(folder), "-a", str(zone.algorithm)]
    words += ["-b", RSA_BITS] if zone.algorithm in (8, 10) else []
    made = [_printed(*words, *flags, zone.name).strip() for flags in (["-f", "KSK"], [])]
    for name in made:
        zoneutil(folder, zone.name, "key", "import", zone.name, str(folder / f"{name}.private"))
    _deny_with_zoneutil(folder, zone)
    return _printed(program("dnssec-dsfromkey"), "-a", "SHA-256", str(folder / made[0])).splitlines()


def _deny_with_zoneutil(folder: Path, zone: SignedZone) -> None:
    if zone.is_nsec3:
        _, flags, iterations, salt = (MODES[zone.mode] or "").split()
        options = ["--iterations", iterations, "--salt", salt]
        options += ["--opt-out"] if flags == "1" else []
        options += ["--narrow"] if zone.mode == "narrow" else []
        zoneutil(folder, zone.name, "zone", "nsec3", zone.name, *options)


def verdict_of_ldns(zone_text: str, folder: Path) -> str:
    """What ``ldns-verify-zone`` says of a transferred zone."""
    path = folder / "transferred"
    path.write_text(zone_text)
    done = subprocess.run([program("ldns-verify-zone"), str(path)], capture_output=True, text=True)
    return done.stdout + done.stderr


def _printed(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


MAKERS = {"zoneutil": _with_zoneutil, "dnssec-keygen": _with_dnssec_keygen}
