"""docs/powerdns-behaviour.md, REMOTE and the life of the processes."""

from __future__ import annotations

import json
import re
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.live.behaviour.scripted import ANSWERED, KEY, VERSION, Scripted, rcode
from tests.live.servers import free_port

if TYPE_CHECKING:
    pass

pytestmark = pytest.mark.live

WWW = {"qname": "www.e.test", "qtype": "A", "content": "192.0.2.80", "ttl": 60, "domain_id": 7}
LOOKUP = r"^lookup www\.e\.test\. ANY"
SHORT = 4000  # milliseconds, where a timeout is waited for
PAGE = Path(__file__).parents[3] / "docs" / "protocols.md"


def result(value: object, **more: object) -> str:
    return json.dumps({"result": value, **more}) + "\n"


def with_record(folder: Path, **changes: object) -> Scripted:
    """A server whose www.e.test has one record, with these keys instead of the usual ones."""
    record = {key: value for key, value in {**WWW, **changes}.items() if value != "left out"}
    return Scripted("remote", folder, [(LOOKUP, result([record]))])


def test_requests_are_lines_of_json(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        lines = (server.place / "raw").read_text().splitlines()
        assert lines == [json.dumps(json.loads(line), sort_keys=True) for line in lines]
        assert set(json.loads(lines[0])) == {"method", "parameters"}


def test_an_answer_of_several_lines(tmp_path: Path) -> None:
    told = [(LOOKUP, json.dumps({"result": [WWW]}, indent=1) + "\n")]
    with Scripted("remote", tmp_path, told) as server:
        assert rcode(server, "www.e.test") == ANSWERED


@pytest.mark.parametrize("timeout", [20_000, 0])
def test_how_much_is_read_at_a_time(tmp_path: Path, timeout: int) -> None:
    text = {**WWW, "qtype": "TXT", "content": '"' + "x" * 200 + '"'}
    with Scripted("remote", tmp_path, [(LOOKUP, result([text] * 20))], timeout=timeout) as server:
        before = reads(server)
        assert rcode(server, "www.e.test", "TXT", "+tcp") == ANSWERED
        assert (reads(server) - before > 20 * 200) == (timeout != 0)


def reads(server: Scripted) -> int:
    """The calls of read(2) that PowerDNS has made."""
    found = re.search(r"syscr: (\d+)", Path(f"/proc/{server.pid}/io").read_text())
    assert found is not None
    return int(found[1])


def test_initialize_has_all_options(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, options=",flag,own=1=2") as server:
        assert rcode(server, "www.e.test") == ANSWERED
        options = {"command": server.command, "timeout": "20000", "flag": "yes", "own": "1=2"}
        assert server.parameters("initialize") == [options]


def test_methods(tmp_path: Path) -> None:
    """Of the HTTP API and of pdnsutil; APILookup is one since 5.0."""
    port = free_port()
    web = {"api": "yes", "api-key": "k", "webserver-address": "127.0.0.1", "webserver-port": str(port)}
    with Scripted("remote", tmp_path, settings={"webserver": "yes", **web}) as server:
        url = f"http://127.0.0.1:{port}/api/v1/servers/localhost/zones/e.test?rrset_name=www.e.test."
        request = urllib.request.Request(url, headers={"X-API-Key": "k"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert "192.0.2.80" in answer.read().decode()
        assert rcode(server, "nope.e.test", "A", "+dnssec") == "NXDOMAIN"
        server.said("list-all-zones")
        server.pdnsutil("show-zone", "e.test")
        methods = {request.split()[0] for request in server.asked}
        assert ("APILookup" in methods) == (VERSION >= (5, 0))
        assert methods <= set(re.findall(r"`(\w+)`", PAGE.read_text()))


@pytest.mark.parametrize("answer", ['{"result": null}\n', "{}\n"])
def test_no_result(tmp_path: Path, answer: str) -> None:
    with Scripted("remote", tmp_path, [(LOOKUP, f"once:{answer}")]) as server:
        assert [rcode(server, "www.e.test") for _ in range(2)] == ["SERVFAIL", ANSWERED]
        assert len(server.askers(LOOKUP)) == 2


def test_false_is_nothing(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, [(LOOKUP, result(False)), ("^lookup other", result(False))]) as server:
        assert rcode(server, "www.e.test") == "NXDOMAIN"
        assert rcode(server, "other.test") == "REFUSED"
        assert len(server.askers("")) == 1


@pytest.mark.parametrize("level", [5, 6])
def test_the_level_of_log(tmp_path: Path, level: int) -> None:
    told = [(LOOKUP, result([WWW], log=["what we say"]))]
    with Scripted("remote", tmp_path, told, settings={"loglevel": str(level)}) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        if level == 6:
            server.wait_for_log("what we say")
        else:
            assert "what we say" not in server.log


@pytest.mark.parametrize(("auth", "is_signed"), [(0, False), (False, True), (1, True)], ids=["0", "false", "1"])
def test_auth_is_a_number(tmp_path: Path, auth: object, is_signed: bool) -> None:
    delegation = {**WWW, "qname": "sub.e.test", "qtype": "NS", "content": "ns.sub.e.test", "auth": auth}
    with Scripted("remote", tmp_path, [(r"^lookup sub\.e\.test\. ANY", result([delegation]))], keys=[KEY]) as server:
        covered = {
            rr.type_covered
            for rrset in server.dig("x.sub.e.test", "A", "+dnssec").authority
            for rr in rrset
            if rrset.rdtype.name == "RRSIG"
        }
        assert ("NS" in {type_.name for type_ in covered}) == is_signed


@pytest.mark.parametrize(("ttl", "read"), [(77, 77), ("77", 0)], ids=["number", "text"])
def test_ttl_is_a_number(tmp_path: Path, ttl: object, read: int) -> None:
    with with_record(tmp_path, ttl=ttl) as server:
        assert server.dig("www.e.test").answer[0].ttl == read


def test_content_that_cannot_be_parsed(tmp_path: Path) -> None:
    with with_record(tmp_path, content="no address") as server:
        assert [rcode(server, name) for name in ("www.e.test", "ns1.e.test")] == ["SERVFAIL", ANSWERED]
        assert len(server.askers("")) == 1


def test_no_content(tmp_path: Path) -> None:
    with with_record(tmp_path, content="left out") as server:
        assert rcode(server, "www.e.test") == "SERVFAIL"
        assert [rcode(server, "ns1.e.test") for _ in range(2)][1] == ANSWERED
        assert len(server.askers("")) == 2


def test_a_soa_question_answered_with_another_type(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, [(r"^lookup www\.e\.test\. SOA", result([WWW]))]) as server:
        assert rcode(server, "www.e.test") == "SERVFAIL"
        assert len(server.askers("^lookup www")) == 2


@pytest.mark.parametrize("type_", ["", "ENT"])
def test_empty_nonterminals(tmp_path: Path, type_: str) -> None:
    with with_record(tmp_path, qtype=type_, content="") as server:
        answer = server.dig("www.e.test")
        assert (answer.rcode(), answer.answer) == (0, [])


@pytest.mark.parametrize(("id_", "is_read"), [(2**31 - 1, True), (2**32 + 5, False)], ids=["largest", "more"])
def test_ids(tmp_path: Path, id_: int, is_read: bool) -> None:
    soa = {**WWW, "qname": "e.test", "qtype": "SOA", "content": "ns1.e.test h.e.test 1 2 3 4 5", "domain_id": id_}
    with Scripted("remote", tmp_path, [("^lookup e.test. SOA", result([soa]))], keys=[KEY]) as server:
        rcode(server, "nope.e.test", "A", "+dnssec")
        assert (id_ in [asked["id"] for asked in server.parameters("getBeforeAndAfterNamesAbsolute")]) == is_read


@pytest.mark.parametrize(("answer", "has_worked"), [(True, True), (False, False), (1, False)], ids=str)
def test_the_result_of_set_metadata(tmp_path: Path, answer: object, has_worked: bool) -> None:
    server = Scripted("remote", tmp_path, [("^setDomainMetadata", result(answer))])
    assert (server.pdnsutil("set-meta", "e.test", "X-OWN", "a", "b").returncode == 0) == has_worked
    assert server.parameters("setDomainMetadata")[0] == {"kind": "X-OWN", "name": "e.test.", "value": ["a", "b"]}


def test_no_values_delete_metadata(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    server.said("set-meta", "e.test", "X-OWN")
    assert [asked["value"] for asked in server.parameters("setDomainMetadata")] == [[]]


def test_names_of_tsig_keys(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    server.said("import-tsig-key", "k1", "hmac-sha256", "c2VjcmV0")
    found = server.parameters("setTSIGKey")[0]
    assert (found["name"], found["algorithm"]) == ("k1.", "hmac-sha256.")


def test_names_come_as_they_were_asked(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, keys=[KEY]) as server:
        assert rcode(server, "WwW.E.TesT", "A", "+dnssec") == ANSWERED
        assert "lookup WwW.E.TesT. SOA" in server.asked
        zone = "e.test." if VERSION >= (5, 1) else "E.TesT."  # the name of the SOA that was found
        keys = [request for request in server.asked if request.startswith("getDomainKeys")]
        assert keys == [f"getDomainKeys {zone}", "getDomainKeys e.test."]


def test_zone_ids_of_lookups(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        asked = {(each["qtype"], each["zone-id"]) for each in server.parameters("lookup")}
        assert asked == {("SOA", -1), ("ANY", 7)}


def test_without_dnssec(tmp_path: Path) -> None:
    """Neither keys nor neighbours nor TSIG keys are asked for."""
    with Scripted("remote", tmp_path, keys=[KEY], settings={"remote-dnssec": "no"}) as server:
        assert rcode(server, "nope.e.test", "A", "+dnssec") == "NXDOMAIN"
        server.pdnsutil("list-tsig-keys")
        assert {request.split()[0] for request in server.asked} <= {"initialize", "lookup", "getAllDomainMetadata"}
