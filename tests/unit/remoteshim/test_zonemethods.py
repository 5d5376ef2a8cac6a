"""The methods that write stored zones, asked as PowerDNS asks them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.backend import Backend
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import StoreFault
from remoteshim.main import RemoteSession

APEX = "stored.example."
SOA = "ns1.stored.example hostmaster.stored.example 7 10800 3600 604800 3600"


class Zone:
    """One PowerDNS that writes the zone stored.example, whose row is in the store."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.path = str(folder / "pipebackend.toml")
        Path(self.path).write_text("")
        self.backend: Backend = open_backend(self.path)
        self.id = self.backend.keyring.store.create_domain("stored.example", 5, kind)
        self.session = RemoteSession(open_backend, self.backend)

    def reopen(self) -> None:
        """Go on in a new process."""
        self.backend.close()
        self.backend = open_backend(self.path)
        self.session = RemoteSession(open_backend, self.backend)

    def ask(self, method: str, **parameters: Any) -> Any:
        return self.answer(json.dumps({"method": method, "parameters": parameters}).encode())["result"]

    def answer(self, request: bytes) -> dict[str, Any]:
        return dict(json.loads(self.session.answer(request)))

    def feed(self, owner: str, type_: str, content: str, auth: bool = True) -> Any:
        rr = {"qname": owner, "qtype": type_, "qclass": 1, "content": content, "ttl": 60, "auth": auth}
        return self.ask("feedRecord", rr={**rr, "ordername": None}, trxid=1)

    def replace(self) -> None:
        """What a transfer of three records does."""
        assert self.ask("startTransaction", domain=APEX, domain_id=self.id, trxid=1) is True
        assert self.feed(APEX, "SOA", SOA) is True
        assert self.feed(APEX, "NS", "ns1.stored.example") is True
        assert self.feed("a.b." + APEX, "A", "192.0.2.1") is True
        assert (
            self.ask("feedEnts", domain_id=self.id, trxid=1, nonterm=[{"nonterm": "b." + APEX, "auth": True}]) is True
        )
        assert self.ask("commitTransaction", trxid=1) is True

    def types(self, owner: str) -> list[str]:
        return sorted(record["qtype"] for record in self.ask("lookup", qname=owner, qtype="ANY"))


@pytest.fixture
def zone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Zone]:
    zone = Zone(tmp_path, getattr(request, "param", "NATIVE"))
    yield zone
    zone.backend.close()


def test_a_transfer_makes_the_zone(zone: Zone) -> None:
    assert zone.ask("getDomainInfo", name=APEX)["serial"] == 0
    zone.replace()
    assert zone.types(APEX) == ["NS", "SOA"]
    assert zone.types("b." + APEX) == [""]
    assert zone.ask("getDomainInfo", name=APEX) == {
        "zone": "stored.example",
        "id": zone.id,
        "kind": "native",
        "serial": 7,
    }
    assert len(zone.ask("list", zonename=APEX, domain_id=zone.id)) == 4


def test_an_aborted_transfer_changes_nothing(zone: Zone) -> None:
    zone.replace()
    zone.ask("startTransaction", domain=APEX, domain_id=zone.id, trxid=1)
    zone.feed(APEX, "SOA", SOA.replace(" 7 ", " 8 "))
    zone.ask("setDomainMetadata", name=APEX, kind="PRESIGNED", value=["1"])
    assert zone.ask("abortTransaction", trxid=1) is True
    assert zone.ask("getDomainInfo", name=APEX)["serial"] == 7
    assert zone.ask("getAllDomainMetadata", name=APEX) == {}
    assert zone.types("a.b." + APEX) == ["A"]


def test_an_edit_in_place_is_seen_in_its_own_process_before_the_commit(zone: Zone, tmp_path: Path) -> None:
    """pdnsutil add-record looks at what it wrote (rule T-5)."""
    zone.replace()
    other_backend = open_backend(zone.path)
    other = RemoteSession(open_backend, other_backend)
    zone.ask("startTransaction", domain=APEX, domain_id=-1, trxid=1)
    rr = {"qname": "new." + APEX, "qtype": "A", "qclass": 1, "content": "192.0.2.9", "ttl": 60, "auth": True}
    assert zone.ask("replaceRRSet", domain_id=zone.id, qname="new." + APEX, qtype="A", trxid=1, rrset=[rr]) is True
    assert zone.types("new." + APEX) == ["A"]
    question = json.dumps({"method": "lookup", "parameters": {"qname": "new." + APEX, "qtype": "ANY"}}).encode()
    assert json.loads(other.answer(question))["result"] == []
    assert zone.ask("commitTransaction", trxid=1) is True
    assert len(json.loads(other.answer(question))["result"]) == 1
    other_backend.close()
    zone.ask("startTransaction", domain=APEX, domain_id=-1, trxid=1)
    assert zone.ask("replaceRRSet", domain_id=zone.id, qname="new." + APEX, qtype="A", trxid=1, rrset=[]) is True
    assert zone.ask("commitTransaction", trxid=1) is True
    assert zone.types("new." + APEX) == []


def test_a_zone_of_two_faults_is_refused_and_the_old_one_stays(zone: Zone) -> None:
    zone.replace()
    zone.ask("startTransaction", domain=APEX, domain_id=zone.id, trxid=1)
    zone.feed("elsewhere.example.", "A", "192.0.2.1")
    answer = zone.answer(b'{"method": "commitTransaction", "parameters": {"trxid": 1}}')
    assert answer["result"] is None, "PowerDNS takes no for success"
    assert "elsewhere.example" in answer["log"][0]
    assert "SOA" in answer["log"][0]
    assert zone.types(APEX) == ["NS", "SOA"]
    refusal = zone.backend.store.refusal(zone.id)
    assert refusal is not None
    assert abs(refusal.moment - time.time()) < 60
    assert len(refusal.reasons) == 2
    faults = Operator(zone.backend).zone_faults(APEX)[:2]
    assert all("was refused, the zone is the one before: " in fault for fault in faults)
    zone.replace()
    assert zone.backend.store.refusal(zone.id) is None


def test_the_end_of_a_transaction_that_nobody_started_is_answered(zone: Zone) -> None:
    assert zone.ask("abortTransaction", trxid=1) is False
    assert zone.ask("commitTransaction", trxid=1) is None, "what was written before it is lost"


def test_a_salt_of_octets_that_are_no_text_is_read(zone: Zone) -> None:
    """feedEnts3 holds the salt as it is (rule R-16)."""
    zone.ask("startTransaction", domain=APEX, domain_id=zone.id, trxid=1)
    head = b'{"method": "feedEnts3", "parameters": {"domain_id": 5, "domain": "stored.example.", "narrow": false, '
    assert zone.answer(head + b'"nonterm": [], "salt": "\xde\xad\xff", "times": 1, "trxid": 1}}') == {"result": True}


def test_records_of_a_configured_zone_are_not_written(tmp_path: Path) -> None:
    session = RemoteSession(open_backend, open_backend(None, {}))
    request = {"method": "startTransaction", "parameters": {"domain": "airports.aa.", "domain_id": 1, "trxid": 1}}
    answer = json.loads(session.answer(json.dumps(request).encode()))
    assert answer["result"] is None, "after no PowerDNS goes on, and asks for no commit"


@pytest.fixture
def beside_configured(zone: Zone, tmp_path: Path) -> Zone:
    """A session with a store and the zone example.net of the configuration."""
    (tmp_path / "net.zone").write_text("@ 60 SOA a b 1 2 3 4 5\n@ 60 NS ns1\n")
    with open(tmp_path / "pipebackend.toml", "a") as config:
        config.write('[[zone]]\nname = "example.net"\nkind = "file"\nfile = "net.zone"\n')
    zone.reopen()
    return zone


def test_a_configured_zone_is_not_replaced_and_the_commit_says_so(beside_configured: Zone) -> None:
    """PowerDNS's API goes on after a start that is refused and says 204; it looks for the SOA before the commit."""
    zone = beside_configured
    ident = zone.ask("getDomainInfo", name="example.net.")["id"]
    assert zone.types("example.net") == ["NS", "SOA"]
    assert zone.ask("startTransaction", domain="example.net.", domain_id=ident, trxid=1) is True
    assert zone.feed("example.net.", "SOA", "a b 9 2 3 4 5") is False
    assert zone.ask("lookup", qname="example.net.", qtype="SOA") == [], "PowerDNS says 422 then"
    assert zone.ask("commitTransaction", trxid=1) is None
    assert zone.types("example.net") == ["NS", "SOA"]
    assert [each["qtype"] for each in zone.ask("lookup", qname="example.net.", qtype="SOA")] == ["SOA"]


def test_an_rrset_of_a_configured_zone_is_refused_by_the_commit_too(beside_configured: Zone) -> None:
    """pdnsutil delete-rrset looks at the commit alone."""
    zone = beside_configured
    zone.ask("startTransaction", domain="example.net.", domain_id=-1, trxid=1)
    assert zone.ask("replaceRRSet", domain_id=-1, qname="example.net.", qtype="NS", rrset=[], trxid=1) is False
    assert zone.ask("commitTransaction", trxid=1) is None


def test_keys_of_a_configured_zone_are_written_in_a_transaction(beside_configured: Zone) -> None:
    zone = beside_configured
    zone.ask("startTransaction", domain="example.net.", domain_id=-1, trxid=1)
    assert zone.ask("setDomainMetadata", name="example.net.", kind="NSEC3PARAM", value=["1 0 0 -"]) is True
    assert zone.ask("commitTransaction", trxid=1) is True
    assert zone.ask("getDomainMetadata", name="example.net.", kind="NSEC3PARAM") == ["1 0 0 -"]


def test_an_rrset_is_refused_at_once_and_by_the_commit(zone: Zone) -> None:
    zone.replace()
    zone.ask("startTransaction", domain=APEX, domain_id=-1, trxid=1)
    bad = {"qname": APEX, "qtype": "A", "ttl": 60, "content": "192.0.2.256"}
    assert zone.ask("replaceRRSet", domain_id=zone.id, qname=APEX, qtype="A", rrset=[bad], trxid=1) is False
    assert zone.ask("commitTransaction", trxid=1) is None
    assert zone.types(APEX) == ["NS", "SOA"]


def test_a_zone_that_will_be_refused_has_no_soa_until_then(zone: Zone) -> None:
    """PowerDNS's API looks for it before the commit, whose refusal it would not pass on as 422."""
    zone.replace()
    zone.ask("startTransaction", domain=APEX, domain_id=zone.id, trxid=1)
    zone.feed(APEX, "A", "192.0.2.256")
    assert zone.ask("lookup", qname=APEX, qtype="SOA") == []
    assert zone.ask("abortTransaction", trxid=1) is True
    assert zone.ask("lookup", qname=APEX, qtype="SOA") != []


def test_a_setting_that_is_refused_lets_the_commit_be_refused(zone: Zone) -> None:
    """A PUT of PowerDNS's API says 204 whatever it is told of a setting."""
    zone.replace()
    zone.ask("startTransaction", domain=APEX, domain_id=-1, trxid=1)
    assert zone.ask("setDomainMetadata", name=APEX, kind="SOA-EDIT", value=["INCEPTION"]) is False
    assert zone.ask("commitTransaction", trxid=1) is None
    assert zone.ask("setDomainMetadata", name=APEX, kind="SOA-EDIT", value=["INCEPTION"]) is False, "none is open"
    assert zone.ask("startTransaction", domain=APEX, domain_id=-1, trxid=1) is True


def test_a_zone_with_keys_alone_is_not_ours(zone: Zone) -> None:
    """Another of PowerDNS's backends may have its records; PowerDNS would write them to us."""
    assert zone.ask("setDomainMetadata", name="theirs.test.", kind="ALLOW-AXFR-FROM", value=["127.0.0.0/8"]) is True
    assert zone.ask("getDomainInfo", name="theirs.test.") is False
    assert zone.ask("getDomainMetadata", name="theirs.test.", kind="ALLOW-AXFR-FROM") == ["127.0.0.0/8"]
    listed = zone.ask("getAllDomains", include_disabled=True)
    assert "theirs.test" not in [info["zone"] for info in listed]
    zone.ask("startTransaction", domain="theirs.test.", domain_id=-1, trxid=1)
    new = {"qname": "www.theirs.test.", "qtype": "A", "ttl": 60, "content": "192.0.2.2"}
    assert zone.ask("replaceRRSet", domain_id=-1, qname="www.theirs.test.", qtype="A", rrset=[new], trxid=1) is False
    assert zone.ask("commitTransaction", trxid=1) is None


def test_a_secondary_zone_is_listed_before_its_first_transfer(zone: Zone) -> None:
    """Else it is REFUSED after it for as long as PowerDNS keeps the list."""
    zone.ask("createSlaveDomain", ip="192.0.2.53", domain="second.example.", nameserver="ns.example.", account="")
    [info] = [info for info in zone.ask("getAllDomains", include_disabled=True) if info["zone"] == "second.example"]
    assert (info["kind"], info["masters"]) == ("slave", ["192.0.2.53"])
    assert "second.example" not in [info["zone"] for info in zone.ask("getAllDomains")]


@pytest.mark.parametrize("zone", ["MASTER"], indirect=True)
def test_the_first_list_of_a_process_has_the_kinds(zone: Zone) -> None:
    """PowerDNS asks a new process for it each time."""
    zone.replace()
    zone.reopen()
    assert [info["kind"] for info in zone.ask("getAllDomains", include_disabled=True)] == ["master"]


@pytest.mark.parametrize("zone", ["MASTER"], indirect=True)
def test_the_book_of_a_primary(zone: Zone) -> None:
    zone.replace()
    (info,) = zone.ask("getUpdatedMasters")
    assert (info["zone"], info["kind"], info["serial"], info["notified_serial"]) == ("stored.example", "master", 7, 0)
    assert zone.ask("setNotified", id=zone.id, serial=7) is True
    assert zone.ask("getUpdatedMasters") == []
    assert zone.ask("setNotified", id=4294967295, serial=7) is False


def test_the_book_of_a_secondary(zone: Zone) -> None:
    made = {"ip": "192.0.2.53", "domain": "second.example.", "nameserver": "ns.example.", "account": ""}
    assert zone.ask("createSlaveDomain", **made) is True
    (info,) = zone.ask("getUnfreshSlaveInfos")
    assert (info["zone"], info["kind"], info["masters"], info["last_check"]) == (
        "second.example",
        "slave",
        ["192.0.2.53"],
        0,
    )
    assert zone.ask("setFresh", id=info["id"]) is True
    assert zone.ask("getDomainInfo", name="second.example.")["last_check"] > 0
    assert zone.ask("setStale", id=info["id"]) is True
    assert zone.ask("getDomainInfo", name="second.example.")["last_check"] == 0


def test_an_autoprimary_is_known_by_its_address_and_name(zone: Zone) -> None:
    asked = {"ip": "192.0.2.1", "domain": "new.example.", "nsset": [{"qtype": "NS", "content": "NS1.example."}]}
    assert zone.ask("superMasterBackend", **asked) is False
    store = zone.backend.keyring.store
    store._db.execute("INSERT INTO supermasters (ip, nameserver, account) VALUES ('192.0.2.1', 'ns1.example', 'us')")
    assert zone.ask("superMasterBackend", **asked) == {"nameserver": "ns1.example", "account": "us"}
    assert zone.ask("superMasterBackend", **(asked | {"ip": "192.0.2.2"})) is False


def test_without_a_store_there_is_no_book() -> None:
    backend = open_backend(None, {})
    session = RemoteSession(open_backend, backend)
    for method in ("getUpdatedMasters", "getUnfreshSlaveInfos"):
        assert session.answer(f'{{"method": "{method}"}}'.encode()) == b'{"result":[]}\n'
    with pytest.raises(StoreFault):
        backend.create_secondary("a.example", "192.0.2.1", "")


def test_a_write_imports_no_more_than_it_needs(zone: Zone) -> None:
    """PowerDNS starts a process for each call of its API; socket takes as long to import as an interpreter to start."""
    zone.replace()
    rr = {"qname": f"a.{APEX}", "qtype": "A", "qclass": 1, "content": "192.0.2.9", "ttl": 60, "auth": True}
    calls = (
        ("initialize", {"config": zone.path}),
        ("startTransaction", {"domain": APEX, "domain_id": -1, "trxid": 1}),
        ("replaceRRSet", {"domain_id": zone.id, "qname": f"a.{APEX}", "qtype": "A", "trxid": 1, "rrset": [rr]}),
        ("commitTransaction", {"trxid": 1}),
    )
    requests = "".join(json.dumps({"method": method, "parameters": values}) + "\n" for method, values in calls)
    command = [sys.executable, "-X", "importtime", "-c", "from remoteshim.main import main; main()"]
    done = subprocess.run(command, input=requests, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == ['{"result":true}'] * len(calls), done.stderr[-1000:]
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time")}
    assert "pipebackend.backend.transaction" in imported
    assert not imported & {"socket", "dns", "re", "json", "typing", "dataclasses", "cryptography"}
