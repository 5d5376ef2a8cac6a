"""Zone files give the same answers from us as from PowerDNS's own bind backend, in every mode of signing.

Signatures are compared, too: Ed25519 gives the same ones for the same data (RFC 8032 section 5.1). What cannot be asked
of PowerDNS 4.7's bind backend, and why:

* Its reader of zone files takes the targets of KX, NAPTR, SVCB and HTTPS for absolute, and any owner that ends in
  ``\\.``, too. So the files write these in full.
* ``NESTED`` below. And what PIPE cannot say: ``ENT_OF_PIPE``.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pipebackend.admin import zoneimport
from pipebackend.backend.opening import open_backend
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.store.database.postgresql import address
from tests.live.differential import FOLDER, ROOT, ZONES, answer_lines, questions, transferred, without_occluded
from tests.live.overhttp import HttpService
from tests.live.pairs import QUIET, RANDOM_NAMES, Pair, bind_database, found_in, named_conf, shown
from tests.live.release import VERSION, powerdns_line
from tests.live.servers import PdnsServer, pipe_config, remote_config
from tests.live.signed import MODES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tests.live.differential import Difference

pytestmark = pytest.mark.live

# The bind backend refers to a cut below another cut, and has both in its NSEC ring, which RFC 4035 section 2.3 forbids:
# what is below a cut is occluded (RFC 9499 section 7), as what is below a DNAME (RFC 6672 section 2.4).
NESTED = "nested.example"
COMPARED = {apex: file for apex, file in ZONES.items() if apex != NESTED}
# It has names of more than 255 characters, which PowerDNS's tables in PostgreSQL do not take.
LONG = "letters.example"
# Their owners have capitals, which PowerDNS's schema does not keep: what PowerDNS signs has lower case in next names of
# NSEC, and so other signatures of these.
SPELLED = ("letters.example.", "tree.example.")
# PIPE cannot tell PowerDNS before 5.1 of an empty non-terminal; this record makes it exist, and is seen by those who
# ask ANY (rule P-18).
ENT_OF_PIPE = r"TYPE65280 \# 0"

KEY = """\
Private-key-format: v1.2
Algorithm: 15 (ED25519)
PrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=
"""  # of RFC 8080 section 6
DEFAULT_CACHES = {
    "cache-ttl": "20",
    "query-cache-ttl": "20",
    "negquery-cache-ttl": "60",
    "zone-cache-refresh-interval": "300",
    "dnssec-key-cache-ttl": "30",
    "zone-metadata-cache-ttl": "60",
}
ALL_MODES = [None, *MODES]
SALT, ITERATIONS = b"\xab", 5  # of MODES["nsec3"]


def write_zones(folder: Path, zones: Mapping[str, str]) -> Path:
    """Both servers' configuration of the same files; returns ours."""
    for file in set(zones.values()):
        shutil.copy(FOLDER / file, folder)
    named_conf(folder, {apex: folder / file for apex, file in zones.items()})
    config = folder / "pipebackend.toml"
    config.write_text(
        powerdns_line() + "".join(f"[[zone]]\nname = '{a}'\nkind = 'file'\nfile = '{f}'\n" for a, f in zones.items())
    )
    return config


def store_zones(folder: Path, zones: Mapping[str, str], url: str) -> Path:
    """The same zones in our store at an address instead; returns our configuration."""
    config = write_zones(folder, zones)
    config.write_text(f'{powerdns_line()}[store]\nurl = "{url}"\n')
    backend = open_backend(str(config))
    for apex, file in zones.items():
        zoneimport.import_file(backend, apex, str(folder / file), lambda what, count: None)
    backend.close()
    return config


def bind(folder: Path, zones: Mapping[str, str], mode: str | None) -> PdnsServer:
    """PowerDNS with its bind backend."""
    settings = {**QUIET, "launch": "bind", "bind-config": str(folder / "named.conf")}
    if mode is None:
        return PdnsServer(settings, folder)
    return PdnsServer({**settings, "bind-dnssec-db": bind_database(folder, zones, mode, KEY)}, folder)


def sign(config: Path, zones: Mapping[str, str], mode: str) -> None:
    """Put the same key and the same settings into our store."""
    backend = open_backend(str(config))
    for apex in zones:
        backend.add_key(apex, 257, True, True, KEY)
        if MODES[mode] is not None:
            backend.set_metadata(apex, "NSEC3PARAM", [MODES[mode]])
        if mode == "narrow":
            backend.set_metadata(apex, "NSEC3NARROW", ["1"])


@contextmanager
def running(
    folder: Path,
    mode: str | None,
    zones: Mapping[str, str] = ZONES,
    settings: Mapping[str, str] = QUIET,
    pipe: bool = False,
    stored: str = "",
    form: str = "",
) -> Iterator[Pair]:
    """``mode`` None is unsigned; ``settings`` are for our side; ``stored`` is the address of a store.

    With ``form`` it is asked over HTTP, in that form.
    """
    config = store_zones(folder, zones, stored) if stored else write_zones(folder, zones)
    if mode is not None:
        sign(config, zones, mode)
    launch = pipe_config(config) if pipe else remote_config(config, dnssec=True)
    with ExitStack() as stack:
        if form:
            launch = stack.enter_context(HttpService(folder, config)).settings(form)
        theirs = stack.enter_context(bind(folder, zones, mode))
        yield Pair(theirs, stack.enter_context(PdnsServer({**launch, **settings}, folder)))


@pytest.mark.parametrize("zones", [COMPARED, ROOT], ids=["zones", "root"])
@pytest.mark.parametrize("mode", ALL_MODES, ids=lambda mode: mode or "unsigned")
def test_answers_are_those_of_the_bind_backend(tmp_path, mode, zones, is_long):
    with running(tmp_path, mode, zones) as pair:
        found = list(found_in(pair, zones, mode is not None, is_long, every=5))
    assert not found, shown(found)


@pytest.mark.parametrize("form", ["rest with suffix", "post_json"])
@pytest.mark.parametrize("mode", [None, "nsec", "nsec3"], ids=lambda mode: mode or "unsigned")
def test_answers_over_http_are_those_of_the_bind_backend(tmp_path, mode, form, is_long):
    with running(tmp_path, mode, COMPARED, form=form) as pair:
        found = list(found_in(pair, COMPARED, mode is not None, is_long, every=20))
    assert not found, shown(found)


@pytest.mark.parametrize("mode", ALL_MODES, ids=lambda mode: mode or "unsigned")
def test_stored_zones_answer_alike(tmp_path, mode, is_long, store_url):
    is_postgresql = address.is_address(store_url)
    zones = {apex: file for apex, file in COMPARED.items() if apex != LONG or not is_postgresql}
    with running(tmp_path, mode, zones, stored=store_url) as pair:
        found = list(found_in(pair, zones, mode is not None, is_long, every=20 if is_postgresql else 10))
    rest = [each for each in found if not is_of_spelling(each)]
    assert not rest, shown(rest)
    # Of the few questions to PostgreSQL, without LONG, there may be none about a name that is spelled otherwise
    if is_long or not is_postgresql or mode != "nsec":
        assert bool(found) == (mode == "nsec")  # else SPELLED is needed no more


@pytest.mark.parametrize("mode", ["nsec", "nsec3"])
def test_nothing_below_a_cut_is_on_a_ring(tmp_path, mode):
    """Of ours alone: referrals are those of the upper cuts, all NSEC or NSEC3 are one cycle of what may be seen."""
    file = ZONES[NESTED]
    with running(tmp_path, mode, {NESTED: file}) as pair:
        told = answer_lines(pair.ours.port, questions(NESTED, FOLDER / file, 0, RANDOM_NAMES))
    assert {words[1] for words in map(str.split, told) if words[3:4] == ["NS"]} == {
        f"{label}{NESTED}." for label in ("", "insecure.", "secure.")
    }
    records = [words for words in map(str.split, told) if words[3:4] == [mode.upper()]]
    ring = [f"{label}{NESTED}" for label in ("", "insecure.", "ns1.", "secure.", "www.")]
    if mode == "nsec":
        pairs = {(words[1].rstrip("."), words[4].rstrip(".")) for words in records}
    else:
        pairs = {(words[1].partition(".")[0], words[8]) for words in records}
        ring = sorted(hash_label(name, SALT, ITERATIONS) for name in ring)
    assert pairs == set(pairwise([*ring, ring[0]]))


@pytest.mark.parametrize("mode", [None, "nsec", "nsec3", "opt-out"], ids=lambda mode: mode or "unsigned")
def test_transfers_are_those_of_the_bind_backend(tmp_path, mode):
    """PowerDNS refuses those of narrow zones itself."""
    with running(tmp_path, mode) as pair:
        for apex in COMPARED:
            assert transferred(pair.ours.port, apex) == without_occluded(transferred(pair.theirs.port, apex))


def test_caches_do_not_change_answers(tmp_path, is_long):
    """PowerDNS's own with its default settings; the second time most answers come from them."""
    settings = {**QUIET, **DEFAULT_CACHES}
    asked = {apex: ZONES[apex] for apex in ("cuts.example", "child.cuts.example", "types.example")}
    with running(tmp_path, "opt-out", settings=settings) as pair:
        for _ in range(2):
            found = list(found_in(pair, asked, True, is_long, every=2))
            assert not found, shown(found)


def test_pipe_answers_are_those_of_the_bind_backend(tmp_path, is_long):
    """With ABI 5, which has the most to say."""
    with running(tmp_path, None, pipe=True) as pair:
        found = list(found_in(pair, COMPARED, False, is_long, every=2))
    rest = [each for each in found if not (VERSION < (5, 1) and is_ent_of_pipe(each))]
    assert not rest, shown(rest)
    assert (len(rest) < len(found)) == (VERSION < (5, 1))  # else ENT_OF_PIPE is needed no more


def is_of_spelling(found: Difference) -> bool:
    """Only next names of a zone in SPELLED differ, in case alone, and the signatures of their NSEC."""
    return folded(found.expected) == folded(found.got)


def folded(lines: Sequence[str]) -> list[str]:
    """The NSEC of these zones in lower case, and their signatures without the octets of these; all else as it is."""
    found = []
    for line in lines:
        words = line.split()
        if words[1].endswith(SPELLED) and words[3] == "NSEC":
            line = line.lower()
        elif words[1].endswith(SPELLED) and words[3:5] == ["RRSIG", "NSEC"]:
            line = " ".join(words[:12])
        found.append(line)
    return sorted(found)


def is_ent_of_pipe(found: Difference) -> bool:
    """NODATA from bind, and from us the record that stands for an empty non-terminal."""
    return any(line.endswith(ENT_OF_PIPE) for line in found.got)
