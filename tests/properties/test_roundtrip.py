"""What is imported and exported is the same zone, of whatever types: byte for byte when that export is imported."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import dns.rdatatype
import pytest
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st

from pipebackend.admin import zoneimport
from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata import rdtext, typetable, zonelines
from pipebackend.dnsdata.records import Record
from tests.live.odd_kinds import CORPORA, KINDS, type_of
from tests.live.odd_rdata import NUMBERS, odd_records

APEX = "example.org"
HEAD = f"{APEX}. 60 IN SOA ns.example.net. host.example.net. 1 2 3 4 5\n{APEX}. 60 IN NS ns.example.net.\n"
MAKERS = KINDS | CORPORA
LONGEST = 5000  # octets; longer content takes most of the time


def number_of(type_: str) -> int:
    return NUMBERS.get(type_) or int(dns.rdatatype.from_text(type_))


MADE = st.tuples(st.sampled_from(sorted(MAKERS)), st.integers(0, 10**6)).map(
    lambda drawn: (number_of(type_of(drawn[0])), MAKERS[drawn[0]](random.Random(drawn[1])))
)
SENT = st.sampled_from([(number, octets) for _, number, octets in odd_records()])
RDATA = st.one_of(MADE, SENT).filter(lambda drawn: len(drawn[1]) < LONGEST)
OWNERS = st.sampled_from(["a", "b.a", "c.B", "*", "_443._tcp", "\\000\\.\\;x", "z" * 63])
RECORDS = st.lists(st.tuples(OWNERS, st.sampled_from([0, 60, 2**31 - 1]), RDATA, st.booleans()), max_size=12)


def line(place: int, owner: str, ttl: int, rdata: tuple[int, bytes], is_generic: bool) -> str:
    """As another server writes it: with the type's own text, or in hexadecimal digits (RFC 3597)."""
    number, octets = rdata
    generic = f"\\# {len(octets)} {octets.hex()}"
    record = Record(f"{owner}.n{place}.{APEX}", f"TYPE{number}", ttl, generic)
    return f"{record.owner}. {ttl} IN TYPE{number} {generic}" if is_generic else zonelines.zone_line(record)


def good_lines(backend: Backend, file: Path, lines: list[str]) -> list[str]:
    """Those that an import takes, in any number."""
    file.write_text(HEAD + "".join(f"{one}\n" for one in lines), encoding="utf-8")
    try:
        imported(backend, file)
    except ZoneFault as exc:
        wrong = {int(fault.split(":")[1]) - 3 for fault in exc.faults if fault.startswith(f"{file}:")}
        assert len(wrong) == len(exc.faults), exc.faults
        return good_lines(backend, file, [one for place, one in enumerate(lines) if place not in wrong])
    return lines


def imported(backend: Backend, file: Path) -> str:
    """The export of what was imported."""
    zoneimport.import_file(backend, APEX, str(file), lambda what, count: None)
    dialect = backend.registry.powerdns.dialect
    records = list(Operator(backend).examined(APEX))
    assert not [fault for fault in records if not isinstance(fault, Record)]
    return "".join(f"{zonelines.zone_line(record, dialect)}\n" for record in records)


def meant(text: str) -> list[tuple[str, str, int, bytes | str]]:
    """The records of a file by owner, TTL, number of the type and octets, in order."""
    return sorted(one_meant(*one.split(None, 4)) for one in text.splitlines())


def one_meant(owner: str, ttl: str, _class: str, type_: str, content: str = "") -> tuple[str, str, int, bytes | str]:
    number = typetable.number_of(type_)
    assert number is not None
    if type_ == "LUA":
        return owner.lower(), ttl, number, content
    octets = rdtext.octets_of(type_, content)
    if number == typetable.NUMBERS["APL"]:  # zeros at the end are not sent (RFC 3123 section 4)
        octets = rdtext.octets_of("APL", rdtext.text_of(number, octets))
    return owner.lower(), ttl, number, octets


@pytest.fixture(scope="module", params=["", "4.9", "5.1"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """For each example the zone is imported again."""
    config = tmp_path_factory.mktemp("store") / "p.toml"
    config.write_text(f'powerdns = "{request.param}"\n[store]\nurl = "sqlite:zones.db"\n')
    opened = open_backend(str(config))
    opened.store.init()
    opened.store._db.connection().execute("PRAGMA synchronous = OFF")
    yield opened
    opened.close()


@given(drawn=RECORDS)
@settings(max_examples=60, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_an_export_that_is_imported_is_exported_as_it_was(backend: Backend, drawn) -> None:
    lines = [line(place, *fields) for place, fields in enumerate(drawn)]
    file = Path(backend.store.path).with_name("zone")
    lines = good_lines(backend, file, lines)
    event(f"{len(lines)} of {len(drawn)} records are taken")
    once = imported(backend, file)
    assert meant(once) == meant(HEAD + "".join(f"{one}\n" for one in lines))
    file.write_text(once, encoding="utf-8")
    assert imported(backend, file) == once
