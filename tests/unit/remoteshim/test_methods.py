"""The REMOTE methods on a small zone: what PowerDNS gets for each, and what for a bad request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipebackend.backend.backend import Backend
from pipebackend.base.errors import ConfigFault
from pipebackend.base.version import VERSION
from pipebackend.dnsdata.records import Record
from remoteshim import methods
from remoteshim.main import RemoteSession
from tests.making import TABLE_ZONE, make_watcher

LAX_LOC = "33 56 33.000 N 118 24 28.836 W 38.40m 1.00m 10000.00m 10.00m"

# The methods of PowerDNS 4.7 (rule R-6) and the one that came later
ALL_METHODS = [
    "initialize",
    "lookup",
    "list",
    "getDomainInfo",
    "getAllDomains",
    "getUpdatedMasters",
    "getUnfreshSlaveInfos",
    "setNotified",
    "setFresh",
    "setStale",
    "getAllDomainMetadata",
    "getDomainMetadata",
    "setDomainMetadata",
    "getDomainKeys",
    "addDomainKey",
    "activateDomainKey",
    "deactivateDomainKey",
    "publishDomainKey",
    "unpublishDomainKey",
    "removeDomainKey",
    "getBeforeAndAfterNamesAbsolute",
    "getTSIGKey",
    "getTSIGKeys",
    "setTSIGKey",
    "deleteTSIGKey",
    "startTransaction",
    "commitTransaction",
    "abortTransaction",
    "feedRecord",
    "feedEnts",
    "feedEnts3",
    "replaceRRSet",
    "superMasterBackend",
    "createSlaveDomain",
    "searchRecords",
    "directBackendCmd",
    "APILookup",
]


class Asker:
    """Asks a session and reads its answer, which must be one line of JSON with a result."""

    def __init__(self, session: RemoteSession) -> None:
        self.session = session

    def line(self, request: bytes) -> dict[str, Any]:
        answer = self.session.answer(request)
        assert answer.endswith(b"\n")
        assert answer.count(b"\n") == 1
        value = json.loads(answer)
        assert "result" in value
        assert set(value) <= {"result", "log"}
        return dict(value)

    def ask(self, method: str, **parameters: Any) -> Any:
        request = {"method": method, "parameters": {key.replace("_", "-"): value for key, value in parameters.items()}}
        return self.line(json.dumps(request).encode())["result"]


def unopened(given: str | None) -> Backend:
    raise AssertionError("the backend is there already")


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    return Backend(make_watcher(tmp_path, TABLE_ZONE.replace('192.0.2.1"', '192.0.2.1", "a.b MX 10 m.example"')))


@pytest.fixture
def asker(backend: Backend) -> Asker:
    return Asker(RemoteSession(unopened, backend))


def test_lookup_leaves_out_what_powerdns_takes_for_granted(asker: Asker) -> None:
    assert asker.ask("lookup", qname="lax.cities.example.", qtype="ANY", zone_id=-1) == [
        {"qname": "LAX.Cities.Example", "qtype": "TXT", "content": '"Los Angeles"', "ttl": 60},
        {"qname": "LAX.Cities.Example", "qtype": "LOC", "content": LAX_LOC, "ttl": 60},
    ]


def test_the_soa_says_the_id_of_the_zone_and_so_does_what_is_searched_for(asker: Asker, backend: Backend) -> None:
    """PowerDNS asks for neighbours with the id of the SOA; its API tells by that of a found record the zone."""
    ident = backend.domains()[0].ident
    assert asker.ask("lookup", qname="cities.example.", qtype="SOA", zone_id=-1)[0]["domain_id"] == ident
    with_id = [record["qtype"] for record in asker.ask("list", zonename="cities.example.") if "domain_id" in record]
    assert with_id == ["SOA"]
    assert asker.ask("searchRecords", pattern="lax*", maxResults=1)[0]["domain_id"] == ident


@pytest.mark.parametrize(("types", "has_id"), [("NS A", False), ("NS DS", True), ("NS RRSIG", True), ("TXT", False)])
def test_signatures_of_a_cut_are_asked_for_with_the_id_of_its_records(types: str, has_id: bool) -> None:
    """Else PowerDNS would be given those of the child zone that is here, too."""
    records = [Record("sub.aa", type_, 60, "x") for type_ in types.split()]
    assert {"domain_id" in each for each in json.loads(methods.records_json(records, 7))} == {has_id}


def test_auth_and_scope_are_numbers_and_said_when_they_differ() -> None:
    """Rule R-9: PowerDNS takes JSON's false for authoritative."""
    record = Record("sub.aa", "NS", 60, "ns", auth=False, scope=24)
    text = methods.record_json(record, 7)
    assert text == '{"qname":"sub.aa","qtype":"NS","content":"ns","ttl":60,"domain_id":7,"auth":0,"scopeMask":24}'
    assert methods.record_json(Record("", "NS", 1, "a"), 7).startswith('{"qname":".",')


def test_apilookup_is_lookup(asker: Asker) -> None:
    question = {"qname": "lax.cities.example.", "qtype": "TXT"}
    assert asker.ask("APILookup", **question, include_disabled=True) == asker.ask("lookup", **question)


def test_soa_is_alone_and_elsewhere_nothing(asker: Asker) -> None:
    assert [record["qtype"] for record in asker.ask("lookup", qname="CITIES.example.", qtype="SOA")] == ["SOA"]
    assert asker.ask("lookup", qname="b.cities.example.", qtype="SOA") == []
    assert asker.ask("lookup", qname=".", qtype="SOA") == []


def test_an_empty_nonterminal_has_no_type_and_no_content(asker: Asker) -> None:
    (record,) = asker.ask("lookup", qname="b.cities.example.", qtype="ANY")
    assert (record["qname"], record["qtype"], record["content"]) == ("b.cities.example", "", "")


@pytest.mark.parametrize("name", ["xxx.cities.example.", "other.", "*.cities.example.", "a\\000.cities.example."])
def test_what_is_not_there_is_an_empty_list(asker: Asker, name: str) -> None:
    assert asker.ask("lookup", qname=name, qtype="ANY") == []


def test_the_priority_stays_in_the_content(asker: Asker) -> None:
    assert asker.ask("lookup", qname="a.b.cities.example.", qtype="MX")[0]["content"] == "10 m.example"


def test_list_has_everything_and_the_soa_first(asker: Asker) -> None:
    records = asker.ask("list", zonename="CITIES.example.", domain_id=-1, include_disabled=False)
    assert records[0]["qtype"] == "SOA"
    assert len(records) == 2 + 2 + 1 + 3 * 2
    assert sum(record["qtype"] == "" for record in records) == 1


def test_list_of_no_zone_of_ours_is_false(asker: Asker) -> None:
    assert asker.ask("list", zonename="other.", domain_id=-1) is False


def test_domains(asker: Asker, backend: Backend) -> None:
    info = {"zone": "cities.example", "id": backend.domains()[0].ident, "kind": "native", "serial": 7}
    assert asker.ask("getAllDomains", include_disabled=True) == [info]
    assert asker.ask("getDomainInfo", name="CITIES.example.") == info
    assert asker.ask("getDomainInfo", name="other.") is False


def test_metadata_of_an_unsigned_zone_is_empty(asker: Asker) -> None:
    assert asker.ask("getAllDomainMetadata", name="cities.example.") == {}
    assert asker.ask("getDomainMetadata", name="cities.example.", kind="PRESIGNED") is False


def test_search_matches_names_and_contents(asker: Asker) -> None:
    assert {record["qname"] for record in asker.ask("searchRecords", pattern="lax*", maxResults=9)} == {
        "LAX.Cities.Example"
    }
    assert [record["qtype"] for record in asker.ask("searchRecords", pattern='"Los*', maxResults=9)] == ["TXT"]
    assert len(asker.ask("searchRecords", pattern="*", maxResults=3)) == 3
    assert asker.ask("searchRecords", pattern="nothing", maxResults=9) == []


def test_commands_are_one_text(asker: Asker) -> None:
    assert asker.ask("directBackendCmd", query="version") == f"pipebackend {VERSION}\n"


@pytest.mark.parametrize("method", ALL_METHODS)
def test_every_method_of_the_protocol_is_known(asker: Asker, method: str) -> None:
    answer = asker.line(json.dumps({"method": method, "parameters": {}}).encode())
    assert not any("unknown method" in line for line in answer.get("log", ()))


@pytest.mark.parametrize(
    "parameters",
    [
        {"qtype": "ANY"},
        {"qname": "aa."},
        {"qname": 5, "qtype": "ANY"},
        {"qname": "aa.", "qtype": None},
        {"qname": "a..b", "qtype": "ANY"},
        {"qname": "aa.", "qtype": "ANY", "zone-id": "1"},
        {"qname": "münchen.", "qtype": "ANY"},
    ],
)
def test_a_wrong_parameter_is_false_with_the_reason(asker: Asker, parameters: dict[str, Any]) -> None:
    answer = asker.line(json.dumps({"method": "lookup", "parameters": parameters}).encode())
    assert answer["result"] is False
    assert len(answer["log"]) == 1


BAD_REQUESTS = [
    (b"", "not JSON"),
    (b"{", "not JSON"),
    (b"\xff", "not JSON"),
    (b"[1,2]", 'a request is an object with "method" and "parameters"'),
    (b"5", 'a request is an object with "method" and "parameters"'),
    (b'"lookup"', 'a request is an object with "method" and "parameters"'),
    (b"{}", 'a request is an object with "method" and "parameters"'),
    (b'{"method":5}', 'a request is an object with "method" and "parameters"'),
    (b'{"method":"lookup","parameters":[]}', "lookup: parameters must be an object"),
    (b'{"method":"lookup","parameters":null}', "lookup: parameters must be an object"),
    (b'{"method":"lookup"}', "lookup: parameter qname is missing"),
    (b'{"method":"LOOKUP","parameters":{}}', "unknown method 'LOOKUP'"),
    (b'{"method":"' + b"x" * 1_000_000 + b'"}', "unknown method 'xxxx"),
    (b'{"method":"lookup","parameters":{"qname":"\xff.aa.","qtype":"ANY"}}', "has letters outside ASCII"),
    (b'{"method":"lookup","parameters":{"qname":"a\\u0000\\ud800","qtype":"ANY"}}', "has letters outside ASCII"),
    (b"[" * 500_000, "not JSON"),
    (b'{"method":"lookup"} {"method":"lookup"}', "something follows the value"),
]


@pytest.mark.parametrize(("request_", "reason"), BAD_REQUESTS)
def test_a_bad_request_is_false_with_the_reason_and_the_next_is_answered(
    asker: Asker, capfd: pytest.CaptureFixture[str], request_: bytes, reason: str
) -> None:
    answer = asker.line(request_)
    assert answer["result"] is False
    assert len(answer["log"]) == 1
    assert reason in answer["log"][0]
    assert len(answer["log"][0]) < 500
    assert answer["log"][0].isprintable()
    assert "Traceback" not in capfd.readouterr().err
    assert len(asker.ask("lookup", qname="lax.cities.example.", qtype="ANY")) == 2


def test_octets_that_are_no_utf8_do_no_harm_where_nobody_reads_them(asker: Asker) -> None:
    """Rule R-16: feedEnts3 carries a raw salt."""
    assert asker.line(b'{"method":"feedEnts3","parameters":{"salt":"\xab\xff"}}')["result"] is False
    known = b'{"method":"lookup","parameters":{"qname":"lax.cities.example.","qtype":"TXT","real-remote":"\xff"}}'
    assert len(asker.line(known)["result"]) == 1


def test_an_overlong_request_is_false_with_the_reason(asker: Asker) -> None:
    assert json.loads(asker.session.overlong()) == {"result": False, "log": ["a line of more than 1048576 octets"]}


def test_initialize_opens_the_configuration_that_it_names(backend: Backend) -> None:
    opened: list[str | None] = []

    def open_with(given: str | None) -> Backend:
        opened.append(given)
        return backend

    asker = Asker(RemoteSession(open_with))
    assert asker.ask("initialize", command="/x", config="/etc/c.toml", timeout="2000", flag="yes") is True
    asker.ask("getAllDomains")
    assert opened == ["/etc/c.toml"]


def test_without_initialize_the_usual_configuration_is_opened_once(backend: Backend) -> None:
    opened: list[str | None] = []

    def open_with(given: str | None) -> Backend:
        opened.append(given)
        return backend

    asker = Asker(RemoteSession(open_with))
    asker.line(b"nonsense")
    assert opened == []
    asker.ask("getAllDomains")
    asker.ask("getAllDomains")
    assert opened == [None]


def test_a_faulty_configuration_ends_the_session_unanswered() -> None:
    def open_with(given: str | None) -> Backend:
        raise ConfigFault(["c.toml: zone: is odd"])

    with pytest.raises(ConfigFault):
        RemoteSession(open_with).answer(b'{"method":"initialize","parameters":{}}')


def test_an_error_inside_is_one_answer_and_its_traceback_is_logged(
    asker: Asker, backend: Backend, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(backend, "domains", broken)
    monkeypatch.setattr(backend, "lookup", broken)
    assert asker.ask("getAllDomains") is None, "no would empty PowerDNS's zone cache"
    (record,) = asker.ask("lookup", qname="lax.cities.example.", qtype="ANY")
    assert record["qtype"] == "A", "an address that is none makes PowerDNS answer SERVFAIL"
    assert "internal error" in record["content"]
    assert "ZeroDivisionError: of the test" in capfd.readouterr().err


def test_settle_starts_the_watcher(asker: Asker, backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[bool] = []
    monkeypatch.setattr(backend, "start_watching", lambda: started.append(True))
    RemoteSession(unopened).settle()
    asker.session.settle()
    assert started == [True]
