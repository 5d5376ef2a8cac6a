"""Keeps the calls that a real PowerDNS makes in each situation, from the trace of its coprocesses, and tells changes.

docs/calls.json has the calls by release, docs/calls.md is made from it (``scripts/callspage.py``).
"""

from __future__ import annotations

import argparse
import difflib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from scripts import callspage
from scripts.callspage import Release, release_of
from tests.live.modes.example import ZONE, until
from tests.live.servers import HOST, PATIENCE, PdnsServer, free_port, installed_command, program, remote_config

__all__ = ["QUESTIONS", "SITUATIONS", "Situation", "Stage", "calls_of", "main", "stage", "version"]

DENIALS = {"plain": None, "nsec": [], "nsec3": ["1 0 0 -"], "narrow": ["1 0 0 -", "narrow"]}
SECRET = "b25seSBhbiBleGFtcGxlLCBtYWtlIHlvdXIgb3du"
QUIET = 0.7  # seconds without a call, then a situation is over
_LINE = re.compile(r"\S+ (\d+)\.\d+ +[\d.]+ ms (.*)")
_CHANGING = ((re.compile(r"\b20\d{8}\b"), "SERIAL"), (re.compile(r"(\(?(?:trx|transaction) ?)\d+"), r"\1N"))


class Stage(NamedTuple):
    """A running server, and a second one that fetches a zone from it."""

    server: PdnsServer
    secondary: PdnsServer
    folder: Path

    def dig(self, name: str, type_: str, *flags: str) -> None:
        self.server.dig(name, type_, *flags)

    def nsupdate(self) -> None:
        """Adds a record with TSIG."""
        record = f"by.update.plain.example 60 A {HOST}"
        lines = f"server {HOST} {self.server.port}\nzone plain.example\nupdate add {record}\nsend\n"
        words = [program("nsupdate"), "-y", f"hmac-sha256:transfer:{SECRET}"]
        subprocess.run(words, input=lines, text=True, check=True, timeout=PATIENCE)

    def fetch(self) -> None:
        """Starts the second server, which fetches a signed zone at once."""
        with self.secondary:
            until(lambda: "zone committed" in self.secondary.log, "the zone was fetched")
            time.sleep(QUIET)


class Situation(NamedTuple):
    """A heading of the page, and what makes PowerDNS ask."""

    title: str
    happens: Callable[[Stage], object]
    is_of_secondary: bool = False


QUESTIONS = (
    Situation("A record, unsigned", lambda s: s.dig("www.plain.example", "A")),
    Situation("A record, signed", lambda s: s.dig("www.nsec.example", "A", "+dnssec")),
    Situation("DNSKEY", lambda s: s.dig("nsec.example", "DNSKEY", "+dnssec")),
    Situation("A wildcard, NSEC", lambda s: s.dig("x.wild.nsec.example", "TXT", "+dnssec")),
    Situation("A delegation, unsigned", lambda s: s.dig("www.insecure.plain.example", "A")),
    Situation("A delegation without DS, NSEC", lambda s: s.dig("www.insecure.nsec.example", "A", "+dnssec")),
    Situation("NODATA, NSEC", lambda s: s.dig("www.nsec.example", "MX", "+dnssec")),
    Situation("NODATA, NSEC3", lambda s: s.dig("www.nsec3.example", "MX", "+dnssec")),
    Situation("NXDOMAIN, unsigned", lambda s: s.dig("nope.plain.example", "A")),
    Situation("NXDOMAIN, NSEC", lambda s: s.dig("nope.nsec.example", "A", "+dnssec")),
    Situation("NXDOMAIN, NSEC3", lambda s: s.dig("nope.nsec3.example", "A", "+dnssec")),
    Situation("NXDOMAIN, NSEC3 narrow", lambda s: s.dig("nope.narrow.example", "A", "+dnssec")),
    Situation("A zone that is not ours", lambda s: s.dig("www.elsewhere.test", "A")),
)
SITUATIONS = (
    *QUESTIONS,
    Situation("AXFR, unsigned", lambda s: s.server.axfr("plain.example")),
    Situation("AXFR, NSEC3", lambda s: s.server.axfr("nsec3.example")),
    Situation("A signed zone is fetched from a primary", lambda s: s.fetch(), is_of_secondary=True),
    Situation("pdnsutil secure-zone", lambda s: s.server.said("secure-zone", "plain.example")),
    Situation("pdnsutil set-nsec3", lambda s: s.server.said("set-nsec3", "plain.example", "1 0 0 -")),
    Situation("pdnsutil add-record", lambda s: s.server.said("add-record", "plain.example", _new(), "A", HOST)),
    Situation("DNS UPDATE with TSIG", lambda s: s.nsupdate()),
)


def main() -> None:
    """Runs all situations with the PowerDNS in PATH."""
    parser = argparse.ArgumentParser(prog="scripts/make-calls", description=__doc__)
    parser.add_argument("--diff", action="store_true", help="write nothing: tell what is not as it is kept, and exit 1")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, stage(Path(scratch)) as made:
        calls = {situation.title: calls_of(situation, made).splitlines() for situation in SITUATIONS}
    kept = callspage.read()
    if wanted.diff:
        sys.exit(_tell_differences(kept, Release(version(), calls)))
    callspage.write([each for each in kept if each.name != release_of(version())] + [Release(version(), calls)])


def _tell_differences(kept: list[Release], now: Release) -> bool:
    """Against the same release, or the newest that is kept if this one is not."""
    before = next((each for each in kept if each.name == now.name), kept[-1])
    differs = False
    for title, calls in now.calls.items():
        old = before.calls.get(title, [])
        lines = list(difflib.unified_diff(old, calls, before.version, now.version, lineterm="", n=1))
        if lines:
            differs = True
            print(f"## {title}", *lines, "", sep="\n")
    print(f"{now.version} {'differs from' if differs else 'asks the same as'} {before.version}")
    return differs


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Both servers, with their zones."""
    server, secondary = _server(folder, "first", {}), _server(folder, "second", {"secondary": "yes"})
    for name, denial in DENIALS.items():
        _add_zone(server, f"{name}.example", denial)
    _zoneutil(server, "tsig", "import", "transfer", "hmac-sha256", SECRET)
    server.said("set-meta", "plain.example", "TSIG-ALLOW-DNSUPDATE", "transfer")
    primary = f"{HOST}:{server.port}"
    _zoneutil(secondary, "zone", "create", "nsec3.example", "--kind", "secondary", "--primary", primary)
    with server:
        yield Stage(server, secondary, folder)


def calls_of(situation: Situation, made: Stage) -> str:
    """The lines of the page for one situation."""
    trace = made.folder / ("second" if situation.is_of_secondary else "first") / "trace"
    before = trace.stat().st_size if trace.exists() else 0
    situation.happens(made)
    _wait_for_quiet(trace)
    return _as_page(trace.read_text()[before:])


def _as_page(trace: str) -> str:
    """Each process by itself, in the order of their first calls: what happens at the same time has no order."""
    by_process: dict[str, list[str]] = {}
    for line in trace.splitlines():
        found = _LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"the trace has a line of another kind: {line}")
        call = found[2]
        for changing, word in _CHANGING:
            call = changing.sub(word, call)
        by_process.setdefault(found[1], []).append(call)
    lines = [
        f"{number}  {call}\n" for number, calls in enumerate(by_process.values(), 1) for call in _without_repeats(calls)
    ]
    return "".join(lines) or "nothing is asked\n"


def _without_repeats(calls: list[str]) -> list[str]:
    """One or two calls that are made again and again stand there once, and records that are fed as their number."""
    shown: list[str] = []
    for name, run in groupby(calls, lambda call: call.split(" ", 1)[0]):
        same = list(run)
        if name == "feedRecord" and len(same) > 1:
            same = [same[0], f"feedRecord, {len(same) - 1} more"]
        for call in same:
            if call not in shown[-2:]:
                shown.append(call)
    return shown


def _server(folder: Path, name: str, more: dict[str, str]) -> PdnsServer:
    place = folder / name
    place.mkdir()
    (place / "pipebackend.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    settings = remote_config(place / "pipebackend.toml", timeout=20_000, dnssec=True)
    command = installed_command("remoteshim")
    traced = f"{command} --trace {place / 'trace'}"
    settings["remote-connection-string"] = settings["remote-connection-string"].replace(command, traced, 1)
    own = {"distributor-threads": "1", "dnsupdate": "yes", "xfr-cycle-interval": "3600", "only-notify": "127.0.0.0/8"}
    return PdnsServer({**settings, **own, **more}, place, free_port())


def _add_zone(server: PdnsServer, apex: str, denial: list[str] | None) -> None:
    path = server.folder / f"{apex}.zone"
    path.write_text(ZONE.replace("$ORIGIN example.org.", f"$ORIGIN {apex}."))
    _zoneutil(server, "zone", "import", apex, str(path))
    if denial is not None:
        server.said("secure-zone", apex)
    if denial:
        server.said("set-nsec3", apex, *denial)


def _zoneutil(server: PdnsServer, *words: str) -> None:
    config = server.folder.parent / "pipebackend.toml"
    command = [installed_command("zoneutil"), "--config", str(config), *words]
    subprocess.run(command, check=True, timeout=PATIENCE, capture_output=True)


def _wait_for_quiet(trace: Path) -> None:
    size, since = -1, time.monotonic()
    while time.monotonic() < since + QUIET:
        now = trace.stat().st_size if trace.exists() else 0
        if now != size:
            size, since = now, time.monotonic()
        time.sleep(0.02)


def version() -> str:
    """That of the PowerDNS in PATH."""
    done = subprocess.run([program("pdns_server"), "--version"], capture_output=True, text=True)
    found = re.search(r"Server (\d+\.\d+\.\d+)", done.stdout + done.stderr)
    assert found is not None, "pdns_server has a version"
    return found[1]


def _new() -> str:
    """A name for pdnsutil, to which names are absolute since 5.0."""
    return "new" if version().startswith("4.") else "new.plain.example"


if __name__ == "__main__":
    main()
