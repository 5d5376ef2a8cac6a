"""Paths, headers and forms as PowerDNS and people write them; those of PowerDNS were seen on the wire."""

from __future__ import annotations

from typing import Any

import pytest

from pipebackend.server.httpwire import Refusal
from remoteshim import methods, rest

ADD_KEY = "active=1&content=Private%2dkey%2dformat%3a%20v1%2e2%0aPrivateKey%3a%20%2fT%3d%0a&flags=257&published=0"
RECORD = "1&rr[content]=ns1%2ee%2eorg&rr[ordername]=&rr[qclass]=1&rr[qname]=e%2eorg%2e&rr[qtype]=NS&rr[ttl]=60"
PARTS = (
    "{0}rrset[{1}][content]=192%2e0%2e2%2e{1}&rrset[{1}][qclass]=1&rrset[{1}][qname]=m%2e&"
    "rrset[{1}][qtype]=A&rrset[{1}][ttl]=61"
)
OLD_RRSET = "".join(PARTS.format("1&", number) for number in range(3))
NEW_RRSET = "&".join(PARTS.format(f"rrset[{number}][auth]=1&", number) for number in range(3))
BARE_RRSET = "&".join(PARTS.format("1&", number) for number in range(3))


def asked(path: str, body: str = "", **headers: str) -> tuple[str, dict[str, Any]]:
    """The method and parameters of a path below that of the service."""
    path, _, query = path.partition("?")
    method = rest.method_of(path)
    given = {b"x-remotebackend-" + name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    return method, rest.parameters(method, path[len(method) :], query, given, body)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("getAllDomains?includeDisabled=true", "", {"include_disabled": True}),
        ("getDomainInfo/e%2eorg%2e", "", {"name": "e.org."}),
        ("getDomainInfo/%2e", "", {"name": "."}),
        ("getDomainMetadata/e%2eorg%2e/ALSO%2dNOTIFY", "", {"name": "e.org.", "kind": "ALSO-NOTIFY"}),
        ("setDomainMetadata/e%2e/X%2dMY", "value[]=a%20b&value[]=c%26d", {"value": ["a b", "c&d"], "kind": "X-MY"}),
        ("setDomainMetadata/e%2eorg%2e/NSEC3NARROW", "", {"value": []}),
        ("list/17/e%2eorg%2e", "", {"domain_id": 17, "zonename": "e.org."}),
        ("list/%2d1/e%2eorg%2e", "", {"domain_id": -1}),
        ("getBeforeAndAfterNamesAbsolute/5/a%2eb%2e", "", {"id": 5, "qname": "a.b."}),
        ("addDomainKey/e%2eorg%2e", ADD_KEY, {"name": "e.org."}),
        ("removeDomainKey/3/e%2eorg%2e", "", {"id": 3, "name": "e.org."}),
        ("setNotified/4", "serial=2026112801%2e000000", {"id": 4, "serial": 2026112801}),
        ("setNotified/4", "serial=7", {"id": 4, "serial": 7}),
        ("setFresh/%2d1", "", {"id": -1}),
        ("setTSIGKey/k%2e", "algorithm=hmac%2dmd5&content=a%2b%3d", {"algorithm": "hmac-md5", "content": "a+="}),
        ("startTransaction/%2d1/e%2eorg%2e/17", "", {"domain_id": -1, "domain": "e.org.", "trxid": 17}),
        ("commitTransaction/17", "", {"trxid": 17}),
        ("feedEnts3/5/e%2eorg%2e/17", "times=1&salt=%ab%cd&narrow=0&nonterm[]=", {"domain": "e.org."}),
        ("superMasterBackend/192%2e0%2e2%2e1/e%2eorg%2e", "nsset[0][content]=ns%2e&nsset[0][ttl]=1",
         {"ip": "192.0.2.1", "nsset": [{"content": "ns.", "ttl": "1"}]}),
        ("createSlaveDomain/192%2e0%2e2%2e1/e%2eorg%2e", "account=me", {"ip": "192.0.2.1", "account": "me"}),
        ("searchRecords?maxResults=10&pattern=ns%2a", "", {"pattern": "ns*", "maxResults": 10}),
        ("searchRecords?q=a", "", {"pattern": "a", "maxResults": 100}),
        ("directBackendCmd", "query=zone%20list", {"query": "zone list"}),
    ],
)  # fmt: skip
def test_what_powerdns_sends(path: str, body: str, expected: dict[str, Any]) -> None:
    _, found = asked(path, body)
    assert {name: found[name] for name in expected} == expected


def test_a_lookup() -> None:
    method, found = asked("lookup/a%2ee%2eorg%2e/ANY", remote="192.0.2.1", local="192.0.2.2", zone_id="-1")
    assert method == "lookup"
    client = {"remote": "192.0.2.1", "local": "192.0.2.2", "real-remote": ""}
    assert found == {"qname": "a.e.org.", "qtype": "ANY", "zone-id": -1, **client}


def test_a_key() -> None:
    key = {"flags": 257, "active": True, "published": False, "content": "Private-key-format: v1.2\nPrivateKey: /T=\n"}
    assert asked("addDomainKey/e%2eorg%2e", ADD_KEY)[1]["key"] == key


def test_a_record() -> None:
    record = {"qname": "e.org.", "qtype": "NS", "content": "ns1.e.org", "ttl": 60}
    assert asked("feedRecord/17", RECORD)[1] == {"trxid": 17, "rr": record}


@pytest.mark.parametrize("body", [OLD_RRSET, NEW_RRSET, BARE_RRSET], ids=["4.7 and 4.9", "5.1", "with ampersands"])
def test_an_rrset_of_several_records(body: str) -> None:
    """Before 5.0 they run into each other: ``ttl]=611&`` is a ttl of 61 and the next record's flag."""
    rrset = asked("replaceRRSet/17/m%2e/A", body)[1]["rrset"]
    assert [(each["content"], each["ttl"]) for each in rrset] == [(f"192.0.2.{number}", 61) for number in range(3)]


def test_an_rrset_of_none_and_of_one() -> None:
    assert asked("replaceRRSet/17/m%2e/A", "")[1]["rrset"] == []
    assert [each["ttl"] for each in asked("replaceRRSet/17/m%2e/A", PARTS.format("0&", 0))[1]["rrset"]] == [61]


def test_an_rrset_that_cannot_be_told_apart_is_refused() -> None:
    with pytest.raises(Refusal, match="post_json"):
        asked("replaceRRSet/17/m%2e/A", OLD_RRSET.replace("ttl]=61", "ttl]=62", 1))


@pytest.mark.parametrize("suffix", [".json", "/x/y", "?a=b", ";v=1", ":x", "!", ".php?x=1"])
@pytest.mark.parametrize(
    "path",
    [
        "lookup/a%2e/ANY",
        "getAllDomains",
        "getDomainInfo/e%2eorg%2e",
        "getDomainMetadata/e%2e/ALSO%2dNOTIFY",
        "setFresh/7",
    ],
)
def test_a_suffix_is_skipped(path: str, suffix: str) -> None:
    assert asked(path + suffix) == asked(path)


@pytest.mark.parametrize("suffix", ["json", "-x", "_", "~"])
@pytest.mark.parametrize("path", ["lookup/a%2e/ANY", "getDomainInfo/e%2eorg%2e", "commitTransaction/17"])
def test_a_suffix_of_small_letters_is_told_from_names_types_and_numbers(path: str, suffix: str) -> None:
    assert asked(path + suffix) == asked(path)


def test_a_person_leaves_dots_as_they_are() -> None:
    _, found = asked("lookup/ibz.airports.aa/ANY")
    assert (found["qname"], found["qtype"]) == ("ibz.airports.aa", "ANY")
    assert asked("getDomainInfo/airports.aa")[1] == {"name": "airports.aa"}


def test_odd_octets_are_those_of_a_line_of_json() -> None:
    assert asked("getDomainInfo/%ff%00%2e")[1] == {"name": "\udcff\0."}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("", ""),
        ("nothing", ""),
        ("initialize", ""),
        ("lookup", ""),
        ("lookup/a%2e", ""),
        ("lookup//ANY", ""),
        ("lookup/a/", ""),
        ("lookup/a/any", ""),
        ("lookup/%zz/ANY", ""),
        ("lookup/%2/ANY", ""),
        ("../lookup/a/ANY", ""),
        ("list/x/a%2e", ""),
        ("list/%d9%a3/a%2e", ""),
        ("setFresh/x", ""),
        ("addDomainKey/a%2e", ""),
        ("addDomainKey/a%2e", ADD_KEY.replace("active=1", "active=2")),
        ("feedRecord/1", "rr[qname]=a"),
        ("feedRecord/1", RECORD.replace("ttl]=60", "ttl]=x")),
        ("replaceRRSet/1/a%2e/A", "rrset[0]=x"),
        ("replaceRRSet/1/a%2e/A", "other[0][x]=x"),
        ("setNotified/1", ""),
        ("setNotified/1", "serial=1%2e5"),
        ("setTSIGKey/a%2e", "content=x"),
        ("getAllDomains?includeDisabled=perhaps", ""),
        ("searchRecords", ""),
        ("directBackendCmd", "query=%z"),
    ],
)
def test_what_is_not_of_the_form_is_refused(path: str, body: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(path, body)
    assert refused.value.status == 400


def test_all_methods_are_here_but_the_one_that_http_has_not() -> None:
    assert set(rest.METHODS) == methods.KNOWN - {"initialize"}
