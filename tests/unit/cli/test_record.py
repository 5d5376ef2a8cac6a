"""zoneutil record: what PowerDNS is told."""

from __future__ import annotations

import pytest

LOC = "33 56 33.000 N 118 24 28.836 W 38.40m 1.00m 10000.00m 10.00m"


def test_lookup_shows_zone_file_lines_with_auth(zoneutil):
    lines = zoneutil.good("record", "lookup", "lax.cities.example").out.splitlines()
    assert [line.split()[:4] for line in lines] == [
        ["LAX.Cities.Example.", "60", "IN", "TXT"],
        ["LAX.Cities.Example.", "60", "IN", "LOC"],
    ]
    assert '"Los Angeles"' in lines[0]
    assert all(line.endswith("; auth=1") for line in lines)


def test_lookup_of_one_type_in_any_case(zoneutil):
    (line,) = zoneutil.good("record", "lookup", "LAX.CITIES.example.", "loc").out.splitlines()
    assert LOC.removesuffix(" 1.00m 10000.00m 10.00m") in line, "the sizes of RFC 1876 need not be written"


def test_lookup_in_json(zoneutil):
    (record,) = zoneutil.good("record", "lookup", "lax.cities.example", "LOC", "--json").json
    assert record == {
        "owner": "LAX.Cities.Example",
        "type": "LOC",
        "ttl": 60,
        "content": LOC,
        "auth": True,
        "scope": 0,
        "zone_id": record["zone_id"],
    }


@pytest.mark.parametrize("words", [("xxx.cities.example",), ("lax.cities.example", "AAAA"), ("other",)])
def test_nothing_is_status_1(zoneutil, words):
    done = zoneutil("record", "lookup", *words)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"nothing at {words[0]} ")


def test_what_is_no_name_is_an_error(zoneutil):
    done = zoneutil("record", "lookup", "a..b")
    assert (done.status, done.out) == (1, "")
    assert "name 'a..b' has an empty label" in done.err


def test_an_empty_nonterminal_is_shown_as_one(zoneutil):
    config = zoneutil.folder / "pipebackend.toml"
    config.write_text(config.read_text().replace('"ns1 A 192.0.2.1"', '"a.b A 192.0.2.1"'))
    assert zoneutil.good("record", "lookup", "b.cities.example").out == "b.cities.example.\t; empty non-terminal\n"


WHO = """
class Who:
    def lookup(self, name, client):
        if name == "boom":
            raise ValueError("out of order")
        return [("TXT", f"{client.address} {client.subnet}", 60, 24)]
"""
WHO_ZONE = """
[[zone]]
name = "who.example"
kind = "custom"
object = "who:Who"
soa = { mname = "ns1.who.example", rname = "hostmaster.who.example" }
ns = ["ns1.who.example"]
"""


@pytest.fixture
def who(zoneutil):
    (zoneutil.folder / "who.py").write_text(WHO)
    zoneutil.extend(WHO_ZONE)
    return zoneutil


@pytest.mark.parametrize(
    ("options", "seen"),
    [
        ((), "None None"),
        (("--client", "192.0.2.7"), "192.0.2.7 192.0.2.7/32"),
        (("--client", "2001:DB8::7"), "2001:db8::7 2001:db8::7/128"),
        (("--subnet", "198.51.100.0/24"), "None 198.51.100.0/24"),
        (("--client", "192.0.2.7", "--subnet", "198.51.100.9/24"), "192.0.2.7 198.51.100.0/24"),
        (("--client", "192.0.2.7", "--subnet", "0.0.0.0/0"), "192.0.2.7 192.0.2.7/32"),
    ],
)
def test_lookup_and_explain_ask_for_a_client(who, options, seen):
    out = who.good("record", "lookup", "a.who.example", *options).out
    assert f'"{seen}"' in out and out.endswith("; auth=1 scope=24\n")
    calls = who.good("record", "explain", "a.who.example", "TXT", *options, "--json").json
    assert f'"{seen}"' in calls[-1]["answer"][0]


@pytest.mark.parametrize("options", [("--client", "192.0.2"), ("--subnet", "192.0.2.0/33")])
def test_a_client_that_is_no_address_is_a_wrong_option(who, options):
    for command in ("lookup", "explain"):
        done = who("record", command, "a.who.example", "TXT", *options)
        assert (done.status, done.out) == (2, "")
        assert f"Invalid value for '{options[0]}'" in done.err


def test_explain_says_why_a_call_fails(who):
    done = who("record", "explain", "boom.who.example", "A", "--json")
    assert done.status == 1
    assert done.json[-1]["text"].startswith("lookup boom.who.example. ANY")
    assert done.json[-1]["answer"] == [
        "failed: zone who.example: who:Who.lookup('boom') failed: ValueError: out of order; the log has the traceback"
    ]
    assert "      failed: zone who.example" in who("record", "explain", "boom.who.example", "A").out


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("example.org www A 192.0.2.1", "add www.example.org A 192.0.2.1"),
        ("example.org www 300 IN A 192.0.2.1", "add www.example.org A 192.0.2.1 --ttl 300"),
        ("example.org @ mx 10 mail.example.org", "add example.org MX 10 mail.example.org"),
        ("example.org www.example.org. TXT x", "add www.example.org. TXT x"),
        ("A www.example.org 192.0.2.1", "add www.example.org A 192.0.2.1"),
        ("www.example.org IN 60 A 192.0.2.1", "add www.example.org A 192.0.2.1 --ttl 60"),
    ],
)
def test_words_in_the_order_of_pdnsutil_or_a_zone_file_are_told_in_ours(zoneutil, words, right):
    done = zoneutil("record", "add", *words.split())
    assert done.status == 1
    assert f"zoneutil record {right}\n" in done.err
