"""zoneutil zone: what is served, where it comes from, and what is wrong with it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import dns.zone
import pytest

from pipebackend.store import open_store
from tests.making import CITIES, age

ZONE = "cities.example"


def rewrite(zoneutil, table):
    (zoneutil.folder / "cities.tsv").write_text(table, encoding="utf-8")
    age(zoneutil.folder / "cities.tsv")


def test_list_shows_every_zone(zoneutil):
    rows = zoneutil.good("zone", "list", "--json").json
    assert rows[0] == {"zone": ZONE, "kind": "table", "id": rows[0]["id"], "serial": 7}
    assert [row["zone"] for row in rows] == [ZONE, r"0/25\.x.example"]
    lines = zoneutil.good("zone", "list").out.splitlines()
    assert lines[0].split() == ["zone", "kind", "id", "serial"]
    assert lines[1].split() == [ZONE, "table", str(rows[0]["id"]), "7"]


def test_show_says_where_a_zone_comes_from_and_how_large_it_is(zoneutil):
    facts = zoneutil.good("zone", "show", "CITIES.Example.", "--json").json
    assert facts["zone"] == ZONE
    assert facts["files"] == [str(zoneutil.folder / "cities.tsv")]
    assert (facts["names"], facts["records"], facts["faults"]) == (5, 9, 0)
    out = zoneutil.good("zone", "show", ZONE).out
    assert any(line.split() == ["files", str(zoneutil.folder / "cities.tsv")] for line in out.splitlines())
    assert any(line.split() == ["names", "5"] for line in out.splitlines())


@pytest.mark.parametrize("words", [("show", "other"), ("check", "other"), ("export", "other"), ("show", "")])
def test_a_zone_that_is_not_ours_is_an_error(zoneutil, words):
    done = zoneutil("zone", *words)
    assert (done.status, done.out) == (1, "")
    assert "there is no zone" in done.err


def test_check_of_a_good_zone(zoneutil):
    done = zoneutil.good("zone", "check", ZONE)
    assert done.out == ""
    assert "cities.example: no faults" in done.err


def test_check_lists_every_fault_and_fails(zoneutil):
    rewrite(zoneutil, CITIES + "SFO\tSan Francisco\t91\t0\t0\nlax\tagain\t1\t1\t1\n" + "short\n" * 50)
    done = zoneutil("zone", "check", ZONE)
    assert done.status == 1
    lines = done.out.splitlines()
    path = zoneutil.folder / "cities.tsv"
    assert lines[0] == f"{path}:5: latitude 91 is out of range"
    assert lines[1] == f"{path}:6: key lax is already on line 2; this row is left out"
    assert lines[2:] == [f"{path}:{number}: 1 fields, where the header names 5" for number in range(7, 57)]
    assert "cities.example: 52 faults" in done.err


def test_check_in_json(zoneutil):
    rewrite(zoneutil, CITIES + "SFO\tSan Francisco\t91\t0\t0\n")
    done = zoneutil("zone", "check", "--json")
    assert done.status == 1
    assert done.json[ZONE] == [f"{zoneutil.folder}/cities.tsv:5: latitude 91 is out of range"]


def test_check_without_a_name_checks_all_zones(zoneutil):
    done = zoneutil.good("zone", "check")
    assert done.err.count("no faults") == 2


STORED = "stored.example"
REFUSED = f"{STORED}: the transfer of 2026-11-25 21:50:13 UTC was refused"


@pytest.fixture
def refuse(zoneutil):
    """A transfer of the zone is refused."""

    def run(*reasons):
        store = open_store("sqlite:zones.db", zoneutil.folder)
        store.note_refusal(store.domain_id(STORED), 1795643413, reasons)
        store.close()

    return run


def test_check_names_a_refused_transfer_until_the_zone_is_replaced(zoneutil, refuse):
    zoneutil.good("zone", "create", STORED, "--kind", "secondary", "--primary", "192.0.2.1")
    refuse("0 SOA records were sent; a zone has one")
    done = zoneutil("zone", "check", STORED)
    assert done.status == 1
    assert done.out.splitlines() == [
        f"{STORED}: the zone has no records yet; it is fetched from 192.0.2.1",
        f"{REFUSED}: 0 SOA records were sent; a zone has one",
    ]


def test_check_says_that_the_zone_is_the_one_before(zoneutil, refuse):
    zoneutil.good("zone", "create", STORED, "--ns", "ns1.example.net")
    zoneutil.good("zone", "set-primaries", STORED, "192.0.2.1")
    zoneutil.good("zone", "check", STORED)
    refuse("one reason", "another")
    old = f"{REFUSED}, the zone is the one before".replace("transfer", "replacement")
    assert zoneutil("zone", "check", STORED).out.splitlines() == [f"{old}: one reason", f"{old}: another"]
    zoneutil.good("zone", "set-kind", STORED, "secondary")
    old = old.replace("replacement", "transfer")
    done = zoneutil("zone", "check", "--json")
    assert done.status == 1
    assert done.json[STORED] == [f"{old}: one reason", f"{old}: another"]
    zoneutil.good("zone", "set-kind", STORED, "native")
    path = zoneutil.folder / "new.zone"
    path.write_text(f"{STORED}. 60 SOA a. b. 1 1 1 1 1\n{STORED}. 60 NS ns1.example.net.\n")
    zoneutil.good("zone", "import", STORED, path)
    zoneutil.good("zone", "check", STORED)


def test_check_of_a_zone_whose_file_is_no_table(zoneutil):
    rewrite(zoneutil, "nothing\n")
    done = zoneutil("zone", "check", ZONE)
    assert done.status == 1
    assert done.out == f"{zoneutil.folder}/cities.tsv:1: no column 'code'; the columns are nothing\n"


def test_a_faulty_configuration_is_an_error_with_every_fault(zoneutil):
    config = zoneutil.folder / "pipebackend.toml"
    config.write_text(config.read_text().replace("ttl = 60", 'ttl = "x"\ncolour = 1'))
    done = zoneutil("zone", "list")
    assert (done.status, done.out) == (1, "")
    assert f"{config}:6: zone Cities.Example: ttl: must be a whole number, not 'x'" in done.err
    assert f"{config}:7: zone Cities.Example: colour: unknown key" in done.err


def test_export_is_a_zone_file_that_dnspython_reads(zoneutil):
    text = zoneutil.good("zone", "export", ZONE).out
    zone = dns.zone.from_text(text, origin=f"{ZONE}.", relativize=False)
    assert zone.get_soa().serial == 7
    assert len(list(zone.iterate_rdatas())) == 9
    (txt,) = zone.find_rdataset(f"gru.{ZONE}.", "TXT")
    assert txt.strings == ("São Paulo".encode(),)


def test_check_has_a_note_for_each_dname(zoneutil):
    config = zoneutil.folder / "pipebackend.toml"
    config.write_text(config.read_text().replace('"ns1 A 192.0.2.1"', '"ns1 A 192.0.2.1", "old DNAME new.example"'))
    done = zoneutil.good("zone", "check", ZONE)
    (note,) = (line for line in done.err.splitlines() if line.startswith("note: "))
    assert "has a DNAME at old.Cities.Example: without dname-processing=yes in pdns.conf" in note
    assert note.endswith("PowerDNS answers NXDOMAIN below it"), "not signed, so not bogus"


def test_the_built_in_configuration_is_said(zoneutil, monkeypatch, tmp_path):
    monkeypatch.setattr("pipebackend.config.configuration.find", lambda given, environ: "")
    done = zoneutil.good("zone", "list")
    assert "airports.aa" in done.out
    assert done.err == "zoneutil: no configuration file; this is the built-in one\n"


@pytest.fixture
def odd_rows(zoneutil):
    """A stored zone whose rows are as other programs leave them, and one that nobody finds by its name."""
    zoneutil.good("zone", "create", "rows.example")
    zoneutil.good("zone", "create", "dot.example")
    connection = sqlite3.connect(zoneutil.store)
    connection.execute("UPDATE domains SET name = 'dot.example.' WHERE name = 'dot.example'")
    connection.execute("UPDATE records SET name = 'dot.example.' WHERE name = 'dot.example'")
    [ident] = connection.execute("SELECT id FROM domains WHERE name = 'rows.example'").fetchone()
    insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio) VALUES (?, ?, ?, ?, ?, 0)"
    rows = [
        ("null", "A", None, 60),
        ("blob", "TXT", b'"a\xffb"', 60),
        ("wrong", "A", "192.0.2.256", 60),
        ("quote", "TXT", '"never closed', 60),
        ("ttl", "A", "192.0.2.1", -1),
        ("url", "URL", "https://example.net/", 60),
        ("below", "SOA", "a b 1 2 3 4 5", 60),
        ("well", "A", "192.0.2.1", "1h"),
    ]
    soa = (ident, "rows.example", "SOA", "ns1.rows.example h.rows.example 1 2 3 4 5", 60)
    had_soa = connection.execute("SELECT 1 FROM records WHERE type = 'SOA' AND domain_id = ?", (ident,)).fetchone()
    connection.executemany(insert, [] if had_soa else [soa])
    connection.executemany(insert, [(ident, f"{owner}.rows.example", *rest) for owner, *rest in rows])
    connection.commit()
    connection.close()
    return {f"{owner}.rows.example {type_}" for owner, type_, *_ in rows if owner not in ("blob", "well")}


def test_check_names_each_faulty_row_and_goes_on(zoneutil, odd_rows):
    done = zoneutil("zone", "check", "rows.example")
    assert done.status == 1
    assert all(f"rows.example: {row}" in done.out for row in odd_rows), done.out
    assert not any(f"{owner}.rows.example" in done.out for owner in ("blob", "well"))


def test_one_faulty_zone_does_not_end_the_check_of_all(zoneutil, odd_rows):
    done = zoneutil("zone", "check")
    assert done.status == 1
    assert "PowerDNS does not find the zone dot.example.: its name is to be in lower case" in done.out
    assert f"{ZONE}: no faults" in done.err
    assert all(row in done.out for row in odd_rows)


def test_store_check_names_each_faulty_row(zoneutil, odd_rows):
    done = zoneutil("store", "check")
    assert done.status == 1
    assert all(f"records: zone rows.example: {row}" in done.out for row in odd_rows), done.out
    assert "domains: PowerDNS does not find the zone dot.example." in done.out


def test_export_names_faulty_rows_and_goes_on(zoneutil, odd_rows):
    done = zoneutil("zone", "export", "rows.example")
    assert done.status == 1
    assert all(f"left out: {row}" in done.err for row in odd_rows), done.err
    assert r'blob.rows.example. 60 IN TXT "a\255b"' in done.out
    assert "well.rows.example. 1 IN A 192.0.2.1" in done.out
    assert "url.rows.example" not in done.out


def test_a_zone_whose_soa_cannot_be_served_is_in_nobodys_way(zoneutil):
    for apex in ("bad.example", "good.example"):
        zoneutil.good("zone", "create", apex)
    connection = sqlite3.connect(zoneutil.store)
    insert = "INSERT INTO records (domain_id, name, type, content, ttl) SELECT id, name, 'SOA', ?, ? FROM domains"
    connection.execute("DELETE FROM records")
    for apex, ttl in (("bad.example", -1), ("good.example", 60)):
        connection.execute(f"{insert} WHERE name = ?", (f"ns1.{apex} h.{apex} 1 2 3 4 5", ttl, apex))
    connection.commit()
    connection.close()
    done = zoneutil("zone", "check")
    assert done.status == 1
    assert "bad.example SOA: its ttl is not a number" in done.out
    assert "good.example: " in done.err


def test_a_zone_whose_soa_has_no_serial_is_shown_and_put_right(zoneutil):
    """`zone show` and `record add` ended with a traceback, and so did getAllDomains for a zone whose row is damaged."""
    zoneutil.good("zone", "create", STORED)
    with closing(sqlite3.connect(zoneutil.store)) as connection, connection:
        connection.execute("UPDATE records SET content = 'ns1 hostmas ter.example 1 2 3 4 5' WHERE type = 'SOA'")
    assert zoneutil.good("zone", "show", STORED, "--json").json["serial"] == 0
    refused = zoneutil.refused("record", "add", f"x.{STORED}", "A", "192.0.2.1")
    assert f"has no serial; write it again: zoneutil record replace {STORED} SOA" in refused
    zoneutil.good("record", "replace", STORED, "SOA", "ns1.example. hostmaster.example. 7 3600 600 86400 60")
    zoneutil.good("record", "add", f"x.{STORED}", "A", "192.0.2.1")
    assert zoneutil.good("zone", "show", STORED, "--json").json["serial"] == 8


def test_a_secondary_zone_before_its_first_transfer_is_listed_and_shown(zoneutil):
    zoneutil.good("zone", "create", STORED, "--kind", "secondary", "--primary", "192.0.2.1")
    done = zoneutil.good("zone", "list")
    [line] = [line.split() for line in done.out.splitlines() if line.startswith(STORED)]
    assert (line[1], line[3]) == ("stored", "-")
    assert done.err == f"{STORED}: waits for its records from 192.0.2.1\n"
    assert {"zone": STORED, "kind": "stored", "id": int(line[2]), "serial": None} in zoneutil.good(
        "zone", "list", "--json"
    ).json
    zoneutil.good("zone", "set-account", STORED, "customers")
    assert zoneutil.good("zone", "show", STORED, "--json").json == {
        "zone": STORED,
        "kind": "stored",
        "id": int(line[2]),
        "role": "secondary",
        "primaries": ["192.0.2.1"],
        "account": "customers",
        "state": "waits for its records",
    }


def test_a_zone_of_keys_alone_does_not_wait(zoneutil):
    """It is one of another backend, whose keys PowerDNS keeps here."""
    from pipebackend.store import open_store

    store = open_store("sqlite:zones.db", zoneutil.folder)
    store.set_metadata("theirs.example", 0, "ALLOW-AXFR-FROM", ["127.0.0.0/8"])
    store.close()
    assert "theirs.example" not in zoneutil.good("zone", "list").out
    assert "there is no zone theirs.example" in zoneutil.refused("zone", "show", "theirs.example")


def test_the_account_of_a_zone_is_set_shown_and_taken_away(zoneutil):
    zoneutil.good("zone", "create", STORED, "--ns", "ns1.example.net")
    zoneutil.good("zone", "set-account", STORED, "customers")
    facts = zoneutil.good("zone", "show", STORED, "--json").json
    assert (facts["role"], facts["primaries"], facts["account"]) == ("native", [], "customers")
    zoneutil.good("zone", "set-account", STORED, "")
    assert zoneutil.good("zone", "show", STORED, "--json").json["account"] == ""
    assert "at most 40 printable characters" in zoneutil.refused("zone", "set-account", STORED, "x" * 41)
    assert "is made from the configuration" in zoneutil.refused("zone", "set-account", ZONE, "customers")
