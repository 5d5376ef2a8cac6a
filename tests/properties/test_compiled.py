"""A compiled zone answers as the zone in memory that it was made from: records, both rings, transfer, faults."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.backend.watch import Watcher
from pipebackend.config import configuration
from pipebackend.config.configuration import Section
from pipebackend.dnsdata import datalines, names
from pipebackend.dnsdata.nsec3 import hash_label
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Client, Record
from pipebackend.pipe import PipeSession
from pipebackend.server.answercache import Kept
from pipebackend.zones import registry
from pipebackend.zones.compiled import choice, compiler
from pipebackend.zones.compiled.layout import chain_name, chain_of, name_of, names_key
from pipebackend.zones.compiled.mapped import CompiledZone
from pipebackend.zones.compiled.target import Target
from pipebackend.zones.kinds import file, table
from remoteshim.main import RemoteSession
from tests.making import age

if TYPE_CHECKING:
    from pipebackend.backend.sessions import KeepingSession
    from pipebackend.zones.base import Zone

MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # each file is synced, which a disk takes its time for
IDENT = 12_345
PARAMS = st.builds(Nsec3Param, flags=st.integers(0, 1), iterations=st.integers(0, 3), salt=st.binary(max_size=255))
LONG = ".".join([r"\200" * 50] * 4)  # more octets of text than a key of LMDB may have
LABELS = st.sampled_from(["a", "b", "C", "c", "*", "sub", r"\000", r"\001", r"x\.y", r"\255", "0", "aa"])
BELOW = st.one_of(st.lists(LABELS, min_size=1, max_size=4).map(".".join), st.just(LONG))
CONTENTS = {
    "A": "192.0.2.1",
    "TXT": '"a;b" "c"',
    "NS": "ns.elsewhere.test.",
    "DS": "1 13 2 " + "00" * 32,
    "MX": "10 mail",
    "SRV": "0 5 443 www",
}
APEXES = st.sampled_from(["", "aa", "Example.org", r"x\.y"])
ROWS = st.lists(st.tuples(BELOW, st.sampled_from(sorted(CONTENTS))), max_size=15)
KEYS = st.sampled_from(["lax", "LAX", "VIE", "a", "b", "c", "", "x.y", r"x\.y", "*", r"\001", "no row", LONG])
TEMPLATES = [("TXT", "{one}"), ("A", "{two}"), ("NS", "{three}")]
CELLS = st.tuples(
    st.sampled_from(["", "Ä", 'quo"te']), st.sampled_from(["", "192.0.2.1", "wrong"]), st.sampled_from(["", "ns.x"])
)
FIXED = st.lists(
    st.sampled_from(["ns1 A 192.0.2.1", "deep.below.lax TXT x", "c NS n.c", "a.c A 192.0.2.2"]), max_size=4
)


def compiled_of(section: Section, apex: str, param: Nsec3Param) -> CompiledZone:
    target = Target.of(section, apex, IDENT)
    assert compiler.build(section, apex, IDENT, chain_text(param))
    found = choice.current(target)
    assert found is not None
    return found


def chain_text(param: Nsec3Param) -> str:
    return f"1 {param.flags} {param.iterations} {param.salt.hex() or '-'}"


def held_equal(plain: Zone, made: CompiledZone, asked: Sequence[str], param: Nsec3Param) -> None:
    client = Client()
    listed = [record.owner.lower() for record in plain.listing()]
    for name in {*listed, *asked, *(above for owner in listed for above in names.ancestors(owner))}:
        if not names.is_below(name, plain.apex):
            continue
        theirs, ours = plain.find(name, client), made.find(name, client)
        assert (ours is None) == (theirs is None), name
        assert list(ours or ()) == list(theirs or ())
        assert made.neighbours(name) == plain.ring().neighbours(name)  # type: ignore[union-attr]
        label = hash_label(name, param.salt, param.iterations)
        assert made.hashed_neighbours(label, param) == plain.ring().hashed_neighbours(label, param)  # type: ignore[union-attr]
    held_equal_on_the_wire(made, [*listed, *asked])
    assert made.soa() == plain.soa() == next(made.listing())
    assert Counter(made.listing()) == Counter(plain.listing())
    assert list(made.faults) == list(plain.faults)
    assert (made.apex, made.ident, made.kind, made.sources) == (plain.apex, plain.ident, plain.kind, plain.sources)


def held_equal_on_the_wire(made: CompiledZone, asked: Sequence[str]) -> None:
    """What is read from the file as it is, is the answer that is made with every step."""
    texts = {form for name in asked for form in (name, name.upper(), f"{name}.", f"x.{name}", f"\0{name}", f"..{name}")}
    questions = [
        (text, type_, ident)
        for text in sorted(texts | {".", ""})
        for type_, ident in (("ANY", IDENT), ("ANY", -1), ("ANY", f"0{IDENT}"), ("A", IDENT), ("SOA", IDENT))
    ]
    pipe = [f"Q\t{name}\tIN\t{type_}\t{ident}\t192.0.2.1\t0.0.0.0\t192.0.2.1/32" for name, type_, ident in questions]
    who = '"local": "127.0.0.1", "qname": {}, "qtype": "{}", "real-remote": "192.0.2.1/32", "remote": "192.0.2.1"'
    remote = [
        f'{{"method": "lookup", "parameters": {{{who.format(json.dumps(name), type_)}, "zone-id": {ident}}}}}'
        for name, type_, ident in questions
    ]
    for new_session, lines in ((pipe_session, pipe), (remote_session, remote)):
        quick, whole = Kept(new_session(made)), new_session(made)
        for line in (*lines, *lines):
            assert quick.answer(line.encode()) == whole.answer(line.encode()), line


def backend_of(zone: CompiledZone) -> Backend:
    entry = registry.Entry(zone.apex, zone, {}, (), True)
    return Backend(Watcher(registry.Registry(configuration.Config("", "", {}), [entry], (), "")))


def pipe_session(zone: CompiledZone) -> KeepingSession:
    session = PipeSession(backend_of(zone))
    session.answer(b"HELO\t4")
    return session


def remote_session(zone: CompiledZone) -> KeepingSession:
    return RemoteSession(open_backend, backend_of(zone))


@given(APEXES, ROWS, st.lists(BELOW, max_size=5), PARAMS)
def test_a_zone_file(apex: str, rows: list[tuple[str, str]], asked: list[str], param: Nsec3Param) -> None:
    text = "@ 60 SOA ns1 hostmaster 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 192.0.2.1\nouter.test. 60 A 192.0.2.2\n"
    text += "".join(f"{owner} 60 {type_} {CONTENTS[type_]}\n" for owner, type_ in rows)
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        (Path(folder) / "zone").write_text(text)
        age(Path(folder) / "zone")
        section = in_folder(folder, {"name": apex or ".", "kind": "file", "file": "zone"})
        plain = file.load(section, apex.lower(), IDENT)
        assert plain is not None
        made = compiled_of(section, apex.lower(), param)
        held_equal(plain, made, [names.join(name.lower(), apex.lower()) for name in asked], param)


@given(st.lists(st.tuples(KEYS, CELLS), max_size=12), FIXED, st.lists(BELOW, max_size=5), PARAMS)
def test_a_table(
    rows: list[tuple[str, tuple[str, ...]]], fixed: list[str], asked: list[str], param: Nsec3Param
) -> None:
    text = "key\tone\ttwo\tthree\n" + "".join("\t".join([key, *cells]) + "\n" for key, cells in rows) + "short\trow\n"
    zone = {
        "name": "Aa.test",
        "kind": "table",
        "file": "table.tsv",
        "key": "key",
        "soa": {"mname": "ns1.aa.test", "rname": "x.aa.test"},
        "ns": ["ns1.aa.test"],
        "records": fixed,
        "record": [{"type": type_, "content": content} for type_, content in TEMPLATES],
    }
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        (Path(folder) / "table.tsv").write_text(text, encoding="utf-8")
        age(Path(folder) / "table.tsv")
        section = in_folder(folder, zone)
        plain = table.load(section, "aa.test", IDENT)
        assert plain is not None, section.faults
        made = compiled_of(section, "aa.test", param)
        held_equal(plain, made, [f"{name.lower()}.aa.test" for name in asked], param)


def in_folder(folder: str, zone: dict[str, object]) -> Section:
    path = Path(folder) / "pipebackend.toml"
    path.touch()
    age(path)
    section = Section(configuration.Config(str(path), folder, {"zone": [zone]}), zone, "zone[0]", [])
    section.text("kind")
    return section


@given(BELOW)
def test_a_key_is_that_of_one_name(name: str) -> None:
    assert name_of(names_key(name.lower())) == name.lower()


@given(PARAMS)
def test_a_ring_is_found_by_its_parameters(param: Nsec3Param) -> None:
    name = chain_name(param)
    assert b"\0" not in name and len(name) <= 511
    assert chain_of(name) == param._replace(algorithm=1)


RECORDS = st.builds(
    Record,
    owner=st.sampled_from(["", "a.b", "LAX.aa"]),
    type=st.sampled_from(["A", "TXT", "MX", "SRV"]),
    ttl=st.integers(0, 2**31 - 1),
    content=st.text("abc 123", min_size=3).filter(lambda text: " " in text),
    auth=st.booleans(),
    scope=st.integers(0, 128),
)


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_lines_are_read_back(found: list[Record]) -> None:
    lines = "".join(datalines.line(record, IDENT) for record in found).encode()
    assert list(datalines.Prepared(lines)) == found
