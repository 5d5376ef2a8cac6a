"""Whatever comes in over REMOTE, PowerDNS gets exactly one line of JSON with a result for each line."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipebackend.backend.backend import Backend
from pipebackend.backend.watch import Watcher
from pipebackend.config import configuration
from pipebackend.dnsdata import records
from pipebackend.server import streams
from pipebackend.zones import registry
from remoteshim import jsonline, plainlookup
from remoteshim.main import RemoteSession
from remoteshim.params import Params
from tests.fuzz.mutations import mutated
from tests.making import read_config

LISTS = frozenset(("lookup", "APILookup", "list", "searchRecords"))


@pytest.fixture(scope="module")
def backend() -> Iterator[Backend]:
    """A small zone without a store: what is written must not outlive an example."""
    with tempfile.TemporaryDirectory() as folder:
        zones = read_config(Path(folder))
        yield Backend(Watcher(registry.load(configuration.Config("", folder, zones.table))))


def check_answer(answer: bytes, method: str) -> None:
    """Rules R-1, R-7, R-9, R-10: one line, a result, and records as PowerDNS can read them."""
    assert answer.endswith(b"\n")
    line = answer[:-1].decode("ascii")
    assert line.isprintable()
    value = json.loads(line)
    assert isinstance(value, dict)
    assert "result" in value
    assert set(value) <= {"result", "log"}
    assert all(isinstance(said, str) for said in value.get("log", []))
    assert value["result"] is not None or value["log"], "without a result there is a reason"
    assert line == json.dumps(value, separators=(",", ":")), "each octet is a system call of PowerDNS"
    if method in LISTS and value["result"] is not False:
        assert isinstance(value["result"], list)
        for record in value["result"]:
            check_record(record)


def check_record(record: dict[str, Any]) -> None:
    for key in ("qname", "qtype", "content"):
        assert isinstance(record[key], str)
        assert record[key].isascii()
        assert record[key].isprintable() or not record[key]
    for key in ("ttl", "domain_id", "auth", "scopeMask"):
        value = record.get(key, 0)
        assert isinstance(value, int)
        assert not isinstance(value, bool)
        assert -1 <= value < 2**31
    assert record["ttl"] >= 0


def session(backend: Backend) -> RemoteSession:
    return RemoteSession(lambda given: backend, backend)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
METHODS = st.sampled_from(
    [
        *(
            "initialize",
            "lookup",
            "list",
            "getDomainInfo",
            "getAllDomains",
            "getAllDomainMetadata",
            "getDomainMetadata",
        ),
        *("searchRecords", "directBackendCmd", "APILookup", "getDomainKeys", "getBeforeAndAfterNamesAbsolute"),
        *("feedEnts3", "setDomainMetadata", "addDomainKey", "startTransaction", "commitTransaction"),
        *("abortTransaction", "nonsense", ""),
    ]
)
NAMES = st.sampled_from(
    ["lax.cities.example.", "CITIES.example", ".", "", "a..b", "\\", "\\000.cities.example.", "ü", "\ud800", "x" * 300]
)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        "qname": NAMES | JSON,
        "qtype": st.sampled_from(["ANY", "SOA", "TXT", "", "ENT"]) | JSON,
        "zone-id": st.integers() | JSON,
        "id": st.integers() | JSON,
        "domain_id": st.integers() | JSON,
        "zonename": NAMES | JSON,
        "name": NAMES | JSON,
        "kind": st.sampled_from(["PRESIGNED", "NSEC3PARAM", "ALLOW-AXFR-FROM"]) | JSON,
        "value": st.lists(st.text(max_size=9), max_size=2) | JSON,
        "pattern": st.sampled_from(["*", "lax*", "?", "[", "[!", "\\", ""]) | JSON,
        "maxResults": st.integers() | JSON,
        "query": st.sampled_from(["help", "zones", "no"]) | JSON,
    },
)


@given(METHODS, PARAMETERS | JSON)
def test_every_request_has_one_well_formed_answer(backend: Backend, method: str, parameters: Any) -> None:
    request = json.dumps({"method": method, "parameters": parameters}).encode()
    check_answer(session(backend).answer(request), method)


@given(METHODS, PARAMETERS)
def test_octets_that_are_no_utf8_make_no_difference(backend: Backend, method: str, parameters: Any) -> None:
    text = json.dumps({"method": method, "parameters": parameters}, ensure_ascii=False)
    request = text.encode("utf-8", "surrogatepass").replace(b"e", b"\xff", 1)
    check_answer(session(backend).answer(request), "")
    check_answer(session(backend).answer(text.encode("latin-1", "replace")), method)


@given(JSON)
def test_any_json_has_one_well_formed_answer(backend: Backend, value: Any) -> None:
    check_answer(session(backend).answer(json.dumps(value).encode()), "")


@given(st.binary(max_size=300))
@example(b'{"method":"searchRecords","parameters":{"pattern":"*","maxResults":-1}}')
@example(b'{"method":"lookup","parameters":{"qname":"\xff","qtype":"ANY"}}')
@example(b"1" * 5000)
@example(b"[" * 5000)
@example(b"")
def test_any_octets_in_give_as_many_answers_as_lines(backend: Backend, octets: bytes) -> None:
    source, feeding = os.pipe()
    written = os.memfd_create("answers")
    os.write(feeding, octets)
    os.close(feeding)
    served = session(backend)
    served.settle = lambda: None  # type: ignore[method-assign]  # the files stay as they are
    streams.serve(served, source, written)
    os.close(source)
    answers = os.pread(written, 1 << 24, 0).splitlines(keepends=True)
    os.close(written)
    assert len(answers) == octets.count(b"\n") + (octets != b"" and not octets.endswith(b"\n"))
    for answer in answers:
        check_answer(answer, "")


@given(JSON)
def test_json_is_read_as_the_json_module_reads_it(value: Any) -> None:
    assert jsonline.loads(json.dumps(value)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=8,
    )
)
def test_json_is_written_as_the_json_module_writes_it(value: Any) -> None:
    assert jsonline.dumps(value) == json.dumps(value, separators=(",", ":"))


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=12)
NUMBERS = st.integers(-(2**31), 2**32)


@given(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, NUMBERS)
def test_a_lookup_of_powerdns_is_read_without_a_parser(
    local: str, qname: str, qtype: str, subnet: str, remote: str, zone_id: int
) -> None:
    parameters = {"local": local, "qname": qname, "qtype": qtype, "real-remote": subnet, "remote": remote}
    request = json.dumps({"method": "lookup", "parameters": parameters | {"zone-id": zone_id}}).encode()
    expected = plainlookup.Asked(qname, qtype, records.Client(remote, local, subnet), zone_id)
    assert plainlookup.read(request) == expected
    assert plainlookup.of_params(Params("lookup", json.loads(request)["parameters"])) == expected


@given(NUMBERS, PLAIN)
def test_a_question_for_neighbours_is_read_without_a_parser(ident: int, qname: str) -> None:
    parameters = {"id": ident, "qname": qname}
    request = json.dumps({"method": "getBeforeAndAfterNamesAbsolute", "parameters": parameters}).encode()
    assert plainlookup.read_denial(request) == (ident, qname)


PLAIN_REQUESTS = (
    b'{"method": "lookup", "parameters": {"local": "192.0.2.2", "qname": "a.example.", "qtype": "ANY", '
    b'"real-remote": "192.0.2.0/24", "remote": "192.0.2.1", "zone-id": -1}}',
    b'{"method": "getBeforeAndAfterNamesAbsolute", "parameters": {"id": 17, "qname": "a."}}',
)
CHANGES = (
    b'"',
    b'", "',
    b"\\",
    b'\\"',
    b"007",
    b"-0",
    b"1.5",
    b"null",
    b"\t",
    b"\xc3\xbc",
    b"}",
    b" ",
    b'", "qname": "',
)


@given(mutated(PLAIN_REQUESTS, CHANGES))
def test_what_is_read_without_a_parser_is_what_the_parser_reads(request_: bytes) -> None:
    read, denied = plainlookup.read(request_), plainlookup.read_denial(request_)
    if read is None and denied is None:
        return
    value = json.loads(request_, strict=False)
    params = Params("", value["parameters"])
    if read is not None:
        assert (value["method"], plainlookup.of_params(params)) == ("lookup", read)
    else:
        assert (value["method"], params.number("id"), params.text("qname")) == (
            "getBeforeAndAfterNamesAbsolute",
            *(denied or ()),
        )
