"""docs/powerdns-behaviour.md, writes and transfers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.live.behaviour.scripted import KEY, VERSION, Scripted
from tests.live.primaries import Primary, rr
from tests.process.coprocess import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = pytest.mark.live

ZONE = "$ORIGIN e.test.\n@ 60 SOA ns1 h 1 2 3 4 5\n@ 60 NS ns1\nns1 60 A 127.0.0.1\nx.ent 60 CNAME www\n"
WRITING = ("startTransaction", "commitTransaction", "abortTransaction", "feedRecord", "feedEnts", "replaceRRSet")


def writes(server: Scripted) -> list[str]:
    """The methods that write, in the order of their calls."""
    return [method for method in (request.split()[0] for request in server.asked) if method in WRITING]


def test_load_zone_replaces_the_zone(tmp_path: Path) -> None:
    """Content has no dots at the end, owner names have them; empty non-terminals are not fed."""
    (tmp_path / "zone").write_text(ZONE)
    server = Scripted("remote", tmp_path)
    server.said("load-zone", "e.test", str(tmp_path / "zone"))
    assert [asked["domain_id"] for asked in server.parameters("startTransaction")] == [7]
    assert writes(server) == ["startTransaction", *["feedRecord"] * 4, "commitTransaction"]
    alias = next(asked["rr"] for asked in server.parameters("feedRecord") if "x.ent" in str(asked["rr"]))
    assert isinstance(alias, dict)
    assert (alias["qname"], alias["content"], alias["ordername"]) == ("x.ent.e.test.", "www.e.test", None)


def test_increase_serial_edits_in_place(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    server.said("increase-serial", "e.test")
    assert [asked["domain_id"] for asked in server.parameters("startTransaction")] == [-1]
    assert writes(server) == ["startTransaction", "replaceRRSet", "commitTransaction"]


def test_clear_zone(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    server.said("clear-zone", "e.test")
    assert [asked["domain_id"] for asked in server.parameters("startTransaction")] == [7]
    assert writes(server) == ["startTransaction", "commitTransaction"]


def test_add_record_looks_at_what_it_wrote(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    name = "www" if VERSION < (5, 0) else "www.e.test"
    server.pdnsutil("add-record", "e.test", name, "A", "60", "192.0.2.81")
    done = [request.split()[0] for request in server.asked]
    assert "lookup" in done[done.index("replaceRRSet") : done.index("commitTransaction")]
    start = done.index("startTransaction")
    assert len({pid for pid, _ in server.requests[start:]}) == 1


def test_secure_zone_has_a_transaction_open_while_others_read(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    server.pdnsutil("secure-zone", "e.test")
    methods = [request.split()[0] for _, request in server.requests]
    start, end = methods.index("startTransaction"), methods.index("commitTransaction")
    writer = server.requests[start][0]
    assert server.requests[end][0] == writer
    assert {pid for pid, _ in server.requests[start:end]} > {writer}


def test_rectify_zone_writes_nothing(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path, keys=[KEY])
    server.pdnsutil("rectify-zone", "e.test")
    assert set(writes(server)) <= {"startTransaction", "commitTransaction"}


def test_no_call_makes_a_zone(tmp_path: Path) -> None:
    server = Scripted("remote", tmp_path)
    assert server.pdnsutil("create-zone", "new.test").returncode != 0
    assert not [request for request in server.asked if "create" in request.lower()]


def test_names_in_content_with_dots(tmp_path: Path) -> None:
    """pdnsutil check-zone complains, and the answer is the same."""
    mail = {"qname": "mail.e.test", "qtype": "MX", "content": "10 mx.other.test.", "ttl": 60}
    told = [("^lookup mail.* ANY", json.dumps({"result": [mail]}) + "\n")]
    with Scripted("remote", tmp_path, told) as server:
        assert [rr.exchange.to_text() for rr in server.dig("mail.e.test", "MX").answer[0]] == ["mx.other.test."]


def test_notified_is_told_before_anybody_answered(tmp_path: Path) -> None:
    info = {"zone": "e.test", "id": 7, "kind": "master", "serial": 2, "notified_serial": 1}
    told = [("^getUpdatedMasters", json.dumps({"result": [info]}) + "\n")]
    settings = {"primary": "yes", "xfr-cycle-interval": "1", "only-notify": "127.0.0.0/8"}
    with Scripted("remote", tmp_path, told, settings=settings) as server:
        wait_for(lambda: bool(server.askers("^setNotified")), "the zone being notified")
        assert server.parameters("setNotified")[0] == {"id": 7, "serial": 2}


SALT = b"\xff\xab"
APEX_HASH = "0d3g1u1u7f4pg5g3ihn28a67a0q9p5lq"  # not that of e.test: PowerDNS computes it itself
SIGNATURE = "13 2 60 20380101000000 20200101000000 1 e.test. c2lnbmF0dXJl"
SIGNED = (
    "e.test. 60 SOA ns1.e.test. h.e.test. 2 3600 600 86400 60",
    f"e.test. 60 RRSIG SOA {SIGNATURE}",
    "e.test. 60 NS ns1.other.test.",
    "e.test. 60 NSEC3PARAM 1 0 0 FFAB",
    f"e.test. 60 RRSIG NSEC3PARAM {SIGNATURE}",
    f"{APEX_HASH}.e.test. 60 NSEC3 1 0 0 FFAB {APEX_HASH} NS SOA RRSIG NSEC3PARAM",
    f"{APEX_HASH}.e.test. 60 RRSIG NSEC3 {SIGNATURE.replace('13 2', '13 3')}",
    "X.Ent.e.test. 60 A 192.0.2.1",
)


@pytest.fixture
def primary() -> Iterator[Primary]:
    """Its zone has NSEC3 with a salt that is not UTF-8, an empty non-terminal and a name with capitals."""
    with Primary() as running:
        soa = rr(SIGNED[0])
        running.zones["e.test."] = [soa, *map(rr, SIGNED[1:]), soa]
        yield running


def secondary_of(primary: Primary, folder: Path, told: Sequence[tuple[str, str]] = ()) -> Scripted:
    info = {"kind": "slave", "masters": [f"127.0.0.1:{primary.port}"], "serial": 0, "last_check": 0}
    stale = {"zone": "e.test", "id": 7, **info}
    told = [*told, ("^getUnfreshSlaveInfos", "once:" + json.dumps({"result": [stale]}) + "\n")]
    return Scripted("remote", folder, told, info=info, settings={"secondary": "yes", "xfr-cycle-interval": "3600"})


def test_what_of_a_signed_zone_is_fed(tmp_path: Path, primary: Primary) -> None:
    """Names in lower case, no NSEC3 and no NSEC3PARAM but their signatures, the salt as it is."""
    with secondary_of(primary, tmp_path) as server:
        wait_for(lambda: bool(server.askers("^setFresh")), "the transfer")
        fed = [asked["rr"] for asked in server.parameters("feedRecord")]
        assert all(isinstance(record, dict) for record in fed)
        records = {(record["qname"], record["qtype"], record["content"].split()[0]) for record in fed}
        assert {("x.ent.e.test.", "A", "192.0.2.1"), (f"{APEX_HASH}.e.test.", "RRSIG", "NSEC3")} <= records
        assert ("e.test.", "RRSIG", "NSEC3PARAM") in records
        assert not {"NSEC3", "NSEC3PARAM"} & {record["qtype"] for record in fed}
        [ents] = server.parameters("feedEnts3")
        assert str(ents["salt"]).encode("utf-8", "surrogateescape") == SALT
        [start] = server.parameters("startTransaction")
        assert start["domain_id"] == 7


def test_settings_within_the_transaction_of_a_transfer(tmp_path: Path, primary: Primary) -> None:
    with secondary_of(primary, tmp_path) as server:
        wait_for(lambda: bool(server.askers("^setFresh")), "the transfer")
        methods = [request.split()[0] for request in server.asked]
        start, end = methods.index("startTransaction"), methods.index("commitTransaction")
        kinds = [request.split()[-1] for request in server.asked[start:end] if request.startswith("setDomainMetadata")]
        assert kinds == ["PRESIGNED", "NSEC3PARAM", "NSEC3NARROW"]
        assert len({pid for pid, _ in server.requests[start:end]}) == 1


def test_a_transaction_may_end_in_another_process(tmp_path: Path, primary: Primary) -> None:
    """That of a transfer which fails: the process that saw its start has ended."""
    with secondary_of(primary, tmp_path, [("^feedRecord x.ent", "exit")]) as server:
        wait_for(lambda: bool(server.askers("^abortTransaction")), "the end of the transaction")
        assert not server.askers("^abortTransaction") & server.askers("^startTransaction")
