"""docs/powerdns-behaviour.md: what is asked, denial, zones that were signed elsewhere, several backends, caches."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from typing import TYPE_CHECKING

import dns.message
import pytest

from tests.live.behaviour.scripted import ANSWERED, KEY, VERSION, Scripted, rcode
from tests.live.servers import HOST, PATIENCE, program, running_processes
from tests.process.coprocess import wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.live

NEIGHBOURS = "getBeforeAndAfterNamesAbsolute"
NSEC3 = {"NSEC3PARAM": ["1 0 0 -"]}
NARROW = {**NSEC3, "NSEC3NARROW": ["1"]}
APEX_HASH = "44j0q8d81imvmjij3qten0cqub6kuduv"  # of e.test, without salt and further iterations
UNKNOWN = -1 if VERSION >= (5, 0) else 2**32 - 1
USUAL_CACHES = {"query-cache-ttl": "20", "negquery-cache-ttl": "60", "cache-ttl": "20"}
KEPT_SETTINGS = {"dnssec-key-cache-ttl": "30", "zone-metadata-cache-ttl": "60"}


def result(value: object) -> str:
    return json.dumps({"result": value}) + "\n"


def neighbours(server: Scripted) -> list[object]:
    """The names whose neighbours were asked for."""
    return [asked["qname"] for asked in server.parameters(NEIGHBOURS)]


def test_the_search_for_the_zone(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "x.www.other.test") == "REFUSED"
        names = ("x.www.other.test.", "www.other.test.", "other.test.", "test.", ".")
        assert server.asked == ["initialize", *(f"lookup {name} SOA" for name in names)]


def test_what_is_asked_in_the_zone(tmp_path: Path) -> None:
    """Type ANY, whatever the question was; for what is not there also the wildcards above it."""
    with Scripted("remote", tmp_path) as server:
        assert rcode(server, "a.nope.e.test") == "NXDOMAIN"
        lookups = {request for request in server.asked if request.startswith("lookup") and "SOA" not in request}
        names = ("a.nope.e.test.", "nope.e.test.", "*.nope.e.test.", "*.e.test.")
        assert lookups == {f"lookup {name} ANY" for name in names}


def test_what_is_asked_below_a_delegation(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path) as server:
        assert server.dig("x.sub.e.test").authority
        lookups = [request for request in server.asked if request.startswith("lookup") and "SOA" not in request]
        assert lookups == [f"lookup {name}.e.test. ANY" for name in ("x.sub", "sub", "ns.sub")]


@pytest.mark.parametrize("has_id", [True, False])
def test_the_id_of_neighbours(tmp_path: Path, has_id: bool) -> None:
    """That of the SOA; without one 4294967295 before 5.0, and -1 since."""
    soa = {"qname": "e.test", "qtype": "SOA", "content": "ns1.e.test h.e.test 1 2 3 4 5", "ttl": 60}
    told = [("^lookup e.test. SOA", result([{**soa, **({"domain_id": 7} if has_id else {})}]))]
    with Scripted("remote", tmp_path, told, keys=[KEY]) as server:
        rcode(server, "nope.e.test", "A", "+dnssec")
        assert {asked["id"] for asked in server.parameters(NEIGHBOURS)} == {7 if has_id else UNKNOWN}


def test_nsec_has_names_in_the_zone(tmp_path: Path) -> None:
    told = [(f"^{NEIGHBOURS}", result({"unhashed": "", "before": "", "after": "www"}))]
    with Scripted("remote", tmp_path, told, keys=[KEY]) as server:
        assert rcode(server, "e.test", "MX", "+dnssec") == ANSWERED
        assert neighbours(server) == ["."]
        nsecs = denials(server, "nope.e.test", "NSEC")
        assert neighbours(server)[1:] == ["nope.", "*."]
        assert {line.split()[0] for line in nsecs} == {"e.test."}
        assert {line.split()[4] for line in nsecs} == {"www.e.test."}


def denials(server: Scripted, name: str, type_: str) -> list[str]:
    answer = server.dig(name, "A", "+dnssec")
    return [line for rrset in answer.authority if rrset.rdtype.name == type_ for line in rrset.to_text().splitlines()]


@pytest.mark.parametrize("unhashed", ["e.test.", ""], ids=["absolute", "relative"])
def test_nsec3_has_hashes(tmp_path: Path, unhashed: str) -> None:
    told = [(f"^{NEIGHBOURS}", result({"unhashed": unhashed, "before": APEX_HASH, "after": "v" * 32}))]
    with Scripted("remote", tmp_path, told, keys=[KEY], metadata=NSEC3) as server:
        found = denials(server, "nope.e.test", "NSEC3")
        assert f"{APEX_HASH}." in neighbours(server)
        assert all(re.fullmatch("[0-9a-v]{32}[.]", str(name)) for name in neighbours(server))
        assert any("SOA" in line.split()[8:] for line in found) == bool(unhashed)


def test_narrow(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, keys=[KEY], metadata=NARROW) as server:
        assert rcode(server, "nope.e.test", "A", "+dnssec") == "NXDOMAIN"
        assert neighbours(server) == []


def test_no_neighbours(tmp_path: Path) -> None:
    """PowerDNS signs a record that denies most names of the zone."""
    with Scripted("remote", tmp_path, [(f"^{NEIGHBOURS}", result(False))], keys=[KEY]) as server:
        assert [line.split()[4] for line in denials(server, "nope.e.test", "NSEC")] == ["e.test.e.test."]
        assert {line.split()[4] for line in denials(server, "nope.e.test", "RRSIG")} == {"SOA", "NSEC"}


NO_RECORDS = [("^lookup", result([]))]  # of who has the keys only


def test_keys_elsewhere_and_no_neighbours(tmp_path: Path) -> None:
    """Since 5.0 there is no denial then, which no validator accepts; before, one of most names."""
    server, second = behind(tmp_path, NO_RECORDS, dnssec="no")
    with server:
        found = [line.split()[4] for line in denials(server, "nope.e.test", "NSEC")]
        assert found == ([] if VERSION >= (5, 0) else ["e.test.e.test."])
        assert neighbours(server) == neighbours(second) == []


def test_pipe_with_keys_elsewhere(tmp_path: Path) -> None:
    """Since 5.0 there is no denial; before, PowerDNS ends."""
    (tmp_path / "keys").mkdir()
    keys = Scripted("remote", tmp_path / "keys", NO_RECORDS, keys=[KEY])
    connection = {"remote-connection-string": f"pipe:command={keys.command},timeout=20000", "remote-dnssec": "yes"}
    with Scripted("pipe", tmp_path, settings={"launch": "remote,pipe", **connection}) as server:
        if VERSION >= (5, 0):
            assert denials(server, "nope.e.test", "NSEC") == []
            return
        query = dns.message.make_query("nope.e.test", "A", want_dnssec=True)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(query.to_wire(), (HOST, server.port))
        wait_for(lambda: server.pid not in running_processes(), "the end of PowerDNS")
        assert "Default beforeAndAfterAbsolute called!" in server.log


def test_a_presigned_zone(tmp_path: Path) -> None:
    """Neighbours are asked for, and the signatures at the names of what denies: with NSEC3 at the hash."""
    told = [(f"^{NEIGHBOURS}", result({"unhashed": "e.test.", "before": APEX_HASH, "after": "v" * 32}))]
    metadata = {"PRESIGNED": ["1"], **NSEC3}
    with Scripted("remote", tmp_path, told, metadata=metadata) as server:
        rcode(server, "nope.e.test", "A", "+dnssec")
        assert neighbours(server)
        assert f"lookup {APEX_HASH}.e.test. ANY" in server.asked
        assert "getDomainKeys e.test." not in server.asked


@pytest.mark.parametrize("is_given", [False, True])
def test_nsec3param_of_a_presigned_zone(tmp_path: Path, is_given: bool) -> None:
    records = [("SOA", "ns1.e.test h.e.test 1 2 3 4 5"), ("NS", "ns1.other.test")]
    records += [("NSEC3PARAM", "1 0 0 -")] if is_given else []
    told = [("^list", result([{"qname": "e.test", "qtype": t, "content": c, "ttl": 60} for t, c in records]))]
    with Scripted("remote", tmp_path, told, metadata={"PRESIGNED": ["1"], **NSEC3}) as server:
        assert len(re.findall(r"IN\s+NSEC3PARAM\s", server.axfr("e.test"))) == 1 + is_given


def test_a_transfer_asks_for_no_neighbours(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, keys=[KEY]) as server:
        assert "NSEC" in server.axfr("e.test")
        assert [request for request in server.asked if request.startswith("list")] == ["list e.test."]
        assert neighbours(server) == []


def behind(folder: Path, first: Sequence[tuple[str, str]], dnssec: str = "yes") -> tuple[Scripted, Scripted]:
    """One server with two backends, both with keys; ``first`` is told to the first, the second can be read."""
    (folder / "second").mkdir()
    second = Scripted("remote", folder / "second", keys=[KEY])
    connection = f"pipe:command={second.command},timeout=20000"
    more = {"remote-second-connection-string": connection, "remote-second-dnssec": dnssec}
    return Scripted("remote", folder, first, keys=[KEY], settings={"launch": "remote,remote:second", **more}), second


def test_false_for_keys_asks_the_next_backend(tmp_path: Path) -> None:
    server, second = behind(tmp_path, [("^getDomainKeys", result(False))])
    with server:
        types = {rrset.rdtype.name for rrset in server.dig("www.e.test", "A", "+dnssec").answer}
        assert types == {"A", "RRSIG"}
        assert "getDomainKeys e.test." in second.asked


def test_false_for_settings_is_an_answer(tmp_path: Path) -> None:
    server, second = behind(tmp_path, [("^getAllDomainMetadata", result(False))])
    with server:
        assert rcode(server, "nope.e.test") == "NXDOMAIN"
        assert not [request for request in second.asked if "etadata" in request]


def test_the_first_backend_that_answers_wins(tmp_path: Path) -> None:
    server, second = behind(tmp_path, [])
    with server:
        assert rcode(server, "www.e.test") == ANSWERED
        assert set(second.asked) <= {"initialize", "lookup www.e.test. SOA"}


@pytest.mark.parametrize("kept", [False, True])
def test_caches(tmp_path: Path, kept: bool) -> None:
    with Scripted("remote", tmp_path, settings={**USUAL_CACHES, **KEPT_SETTINGS} if kept else {}) as server:
        assert [rcode(server, "www.e.test", kind) for kind in ("A", "A", "AAAA")] == [ANSWERED] * 3
        assert (len([request for request in server.asked if request == "lookup www.e.test. ANY"]) > 1) != kept


def test_neighbours_are_never_kept(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, keys=[KEY], settings={**USUAL_CACHES, **KEPT_SETTINGS}) as server:
        for name in ("a", "b", "c"):
            assert rcode(server, f"{name}.e.test", "A", "+dnssec") == "NXDOMAIN"
        assert neighbours(server) == ["a.", "*.", "b.", "*.", "c.", "*."]


def test_purge(tmp_path: Path) -> None:
    with Scripted("remote", tmp_path, settings={**USUAL_CACHES, **KEPT_SETTINGS}) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        control = [program("pdns_control"), f"--config-dir={server.folder}", "purge", "e.test$"]
        subprocess.run(control, check=True, timeout=PATIENCE, capture_output=True)
        server.forget()
        assert rcode(server, "www.e.test") == ANSWERED
        assert "lookup www.e.test. ANY" in server.asked
