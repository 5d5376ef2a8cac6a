"""zoneutil record add, replace, delete and search."""

from __future__ import annotations

import shlex

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.admin.serials import is_newer, with_serial
from pipebackend.base.errors import BackendError
from tests.unit.cli.test_zone_edit import lines, serial

ZONE = "example.org"


@pytest.fixture
def zone(zoneutil):
    zoneutil.good("zone", "create", ZONE, "--ns", "ns.example.net")
    return zoneutil


def records(zone, name, type_="ANY"):
    found = zone("record", "lookup", name, type_, "--json").json
    return [(record["type"], record["ttl"], record["content"]) for record in found]


def test_a_record_is_added_and_the_serial_goes_up_by_one(zone):
    before = serial(zone)
    zone.good("record", "add", "WWW.Example.org.", "a", "192.0.2.1")
    assert records(zone, "www.example.org") == [("A", 3600, "192.0.2.1")]
    assert serial(zone) == before + 1


def test_a_record_that_is_there_changes_nothing(zone):
    zone.good("record", "add", f"www.{ZONE}", "AAAA", "2001:db8::1")
    before = lines(zone)
    done = zone.good("record", "add", f"www.{ZONE}", "AAAA", "2001:DB8:0::1")
    assert "no change" in done.err
    assert lines(zone) == before


def test_an_rrset_has_one_ttl(zone):
    zone.good("record", "add", f"www.{ZONE}", "A", "192.0.2.1", "--ttl", "60")
    zone.good("record", "add", f"www.{ZONE}", "A", "192.0.2.2")
    assert {ttl for _, ttl, _ in records(zone, f"www.{ZONE}")} == {60}
    zone.good("record", "add", f"www.{ZONE}", "A", "192.0.2.3", "--ttl", "90")
    assert sorted(records(zone, f"www.{ZONE}")) == [("A", 90, f"192.0.2.{i}") for i in (1, 2, 3)]
    zone.good("record", "replace", f"www.{ZONE}", "A", "192.0.2.4")
    assert records(zone, f"www.{ZONE}") == [("A", 90, "192.0.2.4")]


def test_the_words_of_a_content_need_no_quotes(zone):
    zone.good("record", "add", ZONE, "MX", "10", "mail.example.org.")
    zone.good("record", "add", ZONE, "TXT", '"a b"', "c")
    assert records(zone, ZONE, "MX") == [("MX", 3600, "10 mail.example.org")]
    assert records(zone, ZONE, "TXT") == [("TXT", 3600, '"a b" "c"')]


def test_replace_takes_several_contents(zone):
    zone.good("record", "replace", ZONE, "MX", "10 a.example.org", "20 b.example.org", "--ttl", "60")
    assert sorted(records(zone, ZONE, "MX")) == [("MX", 60, "10 a.example.org"), ("MX", 60, "20 b.example.org")]
    assert "no change" in zone.good("record", "replace", ZONE, "MX", "20 b.example.org", "10 a.example.org").err


def test_delete_takes_one_or_all(zone):
    for last in (1, 2, 3):
        zone.good("record", "add", f"www.{ZONE}", "A", f"192.0.2.{last}")
    zone.good("record", "delete", f"www.{ZONE}", "A", "192.0.2.2")
    assert sorted(content for _, _, content in records(zone, f"www.{ZONE}")) == ["192.0.2.1", "192.0.2.3"]
    before = serial(zone)
    zone.good("record", "delete", f"WWW.{ZONE}", "a")
    assert len(lines(zone)) == 2
    assert serial(zone) == before + 1


def test_the_zone_of_the_longest_name_has_the_record(zone):
    zone.good("zone", "create", f"sub.{ZONE}")
    before = serial(zone)
    zone.good("record", "add", f"a.sub.{ZONE}", "A", "192.0.2.1")
    assert f"a.sub.{ZONE}. 3600 IN A 192.0.2.1" in lines(zone, f"sub.{ZONE}")
    assert serial(zone) == before


def test_a_serial_that_is_written_is_kept_if_it_is_higher(zone):
    soa = "ns.example.net hostmaster.example.org {} 1 2 3 4"
    zone.good("record", "replace", ZONE, "SOA", soa.format(2100000000))
    assert serial(zone) == 2100000000
    zone.good("record", "replace", ZONE, "SOA", soa.format(7))
    assert serial(zone) == 2100000001


REFUSED = {
    "no zone": (["add", "www.example.com", "A", "192.0.2.1"], "is in no zone that is served here"),
    "of the configuration": (["add", "lax.cities.example", "A", "192.0.2.1"], "change it in "),
    "its delete": (["delete", "lax.cities.example", "TXT"], "change it in "),
    "content": (["add", f"www.{ZONE}", "A", "192.0.2.256"], "'192.0.2.256' is not an IPv4 address"),
    "name": (["add", f"a..{ZONE}", "A", "192.0.2.1"], "empty label"),
    "type": (["add", f"www.{ZONE}", "ANY", "1"], "for questions"),
    "second SOA": (["add", ZONE, "SOA", "a b 1 2 3 4 5"], "a zone has one"),
    "two SOAs": (["replace", ZONE, "SOA", "a b 1 2 3 4 5", "a b 2 2 3 4 5"], "2 SOA records"),
    "no SOA": (["delete", ZONE, "SOA"], "0 SOA records"),
    "SOA below": (["replace", f"a.{ZONE}", "SOA", "a b 1 2 3 4 5"], "the SOA belongs to"),
    "CNAME beside": (["add", ZONE, "CNAME", "a"], "there cannot be NS"),
    "not there": (["delete", f"www.{ZONE}", "A"], "there is no www.example.org A"),
    "not this": (["delete", ZONE, "NS", "other.example.net"], "there is no example.org NS other.example.net"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_changes_nothing(zone, case):
    words, reason = REFUSED[case]
    before = lines(zone)
    assert reason in zone.refused("record", *words)
    assert lines(zone) == before


def test_a_secondary_zone_is_changed_at_its_primary(zone):
    zone.good("zone", "set-primaries", ZONE, "192.0.2.1")
    zone.good("zone", "set-kind", ZONE, "secondary")
    assert "change it at its primary 192.0.2.1" in zone.refused("record", "add", ZONE, "A", "192.0.2.1")


def test_search_looks_at_owners_and_contents_of_all_zones(zone):
    zone.good("record", "add", f"www.{ZONE}", "A", "192.0.2.1")
    assert zone.good("record", "search", "192.0.2.?").out.splitlines() == [
        "ns1.Cities.Example. 60 IN A 192.0.2.1",
        "www.example.org. 3600 IN A 192.0.2.1",
    ]
    assert zone.good("record", "search", "WWW*").out == "www.example.org. 3600 IN A 192.0.2.1\n"
    [found] = zone.good("record", "search", "www*", "--json").json
    assert (found["owner"], found["type"], found["content"]) == ("www.example.org", "A", "192.0.2.1")
    done = zone.good("record", "search", "*", "--most", "2")
    assert (len(done.out.splitlines()), "there are more" in done.err) == (2, True)
    done = zone("record", "search", "nothing")
    assert (done.status, done.out) == (1, "")


def test_a_change_that_cannot_be_written_says_so(zone):
    for path in zone.folder.glob("zones.db*"):
        path.unlink()
    zone.store.write_bytes(b"no database" * 100)
    said = zone("record", "add", f"www.{ZONE}", "A", "192.0.2.1")
    assert said.status == 1
    assert str(zone.store) in said.err


@pytest.mark.parametrize(
    ("serial_", "than", "newer"), [(1, 0, True), (0, 1, False), (1, 1, False), (0, 2**32 - 1, True)]
)
def test_serials_go_round(serial_, than, newer):
    assert is_newer(serial_, than) is newer


def test_the_serial_after_the_last_is_the_first():
    from pipebackend.dnsdata.records import Record

    soa = Record(ZONE, "SOA", 60, f"a b {2**32 - 1} 1 2 3 4")
    assert with_serial(soa, 2**32).content == "a b 0 1 2 3 4"


def test_a_failed_change_leaves_no_transaction(zone):
    from pipebackend.backend.opening import open_backend

    backend = open_backend(str(zone.folder / "pipebackend.toml"))
    with pytest.raises(BackendError):
        Operator(backend).editor.remove(f"www.{ZONE}", "A", None)
    assert Operator(backend).editor.add(f"www.{ZONE}", "A", "192.0.2.1", None)
    assert not backend.writer.is_open
    backend.close()


@pytest.mark.parametrize(
    ("words", "right"),
    [
        (["add", f"x.{ZONE}", "IN", "A", "192.0.2.1"], f"add x.{ZONE} A 192.0.2.1"),
        (["add", f"x.{ZONE}", "300", "in", "a", "192.0.2.1"], f"add x.{ZONE} A 192.0.2.1 --ttl 300"),
        (["add", f"x.{ZONE}", "IN", "60", "TXT", "a b"], f"add x.{ZONE} TXT 'a b' --ttl 60"),
        (["replace", f"x.{ZONE}", "IN", "MX", f"10 a.{ZONE}"], f"replace x.{ZONE} MX '10 a.{ZONE}'"),
        (["delete", f"x.{ZONE}", "IN", "A", "192.0.2.1"], f"delete x.{ZONE} A 192.0.2.1"),
        (["add", "A", f"x.{ZONE}", "192.0.2.1"], f"add x.{ZONE} A 192.0.2.1"),
    ],
    ids=" ".join,
)
def test_words_as_in_a_zone_file_get_the_command_that_was_meant(zone, words, right):
    assert f": zoneutil record {right}\n" in zone.refused("record", *words)
    if words[0] != "delete":
        zone.good("record", *shlex.split(right))


def test_letters_outside_ascii_get_the_a_labels(zone):
    assert f"write xn--bcher-kva.{ZONE}" in zone.refused("record", "add", f"bücher.{ZONE}", "A", "192.0.2.1")
    assert "write xn--bcher-kva.example" in zone.refused("record", "add", f"x.{ZONE}", "CNAME", "bücher.example")
