"""zoneutil autoprimary: rows of ``supermasters`` that PowerDNS's own question finds."""

from __future__ import annotations

import pytest

from pipebackend.store import open_store


def test_an_autoprimary_is_added_found_listed_and_removed(zoneutil):
    zoneutil.good("autoprimary", "add", "192.0.2.1", "NS1.Example.", "--account", "customers")
    zoneutil.good("autoprimary", "add", "2001:DB8:0::1", "ns2.example")
    assert zoneutil.good("autoprimary", "list", "--json").json == [
        {"address": "192.0.2.1", "nameserver": "ns1.example", "account": "customers"},
        {"address": "2001:db8::1", "nameserver": "ns2.example", "account": ""},
    ]
    store = open_store("sqlite:zones.db", zoneutil.folder)
    assert store.autoprimary("192.0.2.1", ["other.example", "ns1.example"]) == ("ns1.example", "customers")
    assert store.autoprimary("192.0.2.1", ["ns2.example"]) is None
    store.close()
    assert zoneutil.good("autoprimary", "list").out.splitlines()[1].split() == ["192.0.2.1", "ns1.example", "customers"]
    zoneutil.good("autoprimary", "remove", "192.0.2.1")
    zoneutil.good("autoprimary", "remove", "2001:db8::1", "NS2.example.")
    assert zoneutil.good("autoprimary", "list", "--json").json == []


def test_one_name_server_of_an_address_is_removed(zoneutil):
    for server in ("a.example", "b.example", "c.example"):
        zoneutil.good("autoprimary", "add", "192.0.2.1", server)
    zoneutil.good("autoprimary", "remove", "192.0.2.1", "b.example")
    assert [row["nameserver"] for row in zoneutil.good("autoprimary", "list", "--json").json] == [
        "a.example",
        "c.example",
    ]
    zoneutil.good("autoprimary", "remove", "192.0.2.1")
    assert zoneutil.good("autoprimary", "list").out == ""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("add", "192.0.2.256", "ns1.example"), "ADDRESS '192.0.2.256' is not an IP address; write one as 192.0.2.1"),
        (("add", "192.0.2.1", "ns1..example"), "empty label"),
        (("add", "192.0.2.1", "ns1.example", "--account", "x" * 41), "at most 40 printable characters"),
        (("add", "192.0.2.9", "NS9.example."), "there is an autoprimary 192.0.2.9 ns9.example already"),
        (("remove", "192.0.2.1"), "there is no autoprimary 192.0.2.1; zoneutil autoprimary list shows them"),
        (("remove", "192.0.2.9", "ns1.example"), "there is no autoprimary 192.0.2.9 ns1.example"),
    ],
)
def test_slips_are_refused_with_what_to_write(zoneutil, words, why):
    zoneutil.good("autoprimary", "add", "192.0.2.9", "ns9.example")
    assert why in zoneutil.refused("autoprimary", *words)
