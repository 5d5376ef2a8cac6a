"""zoneutil zone create, delete, set-kind, set-primaries, import and edit."""

from __future__ import annotations

import io
import json
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import BackendError
from pipebackend.cli import backendcmd
from pipebackend.cli.progress import Progress

ZONE = "example.org"
GOOD = """\
$ORIGIN example.org.
$TTL 300
@   IN SOA ns1 hostmaster 7 3600 600 86400 300
@   IN NS ns1
ns1 IN A 192.0.2.53
WWW IN A 192.0.2.1
"""
RRSIG = "RRSIG {} 13 2 300 20300101000000 20200101000000 12345 example.org. c2lnbmF0dXJl\n"


@pytest.fixture
def zone_file(tmp_path):
    """Writes a zone file and says where."""

    def write(text):
        path = tmp_path / "new.zone"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def edit(zoneutil, tmp_path, monkeypatch):
    """``zone edit`` with an editor that carries out a line of Python on the text."""

    def run(change, *words, answer=""):
        script = tmp_path / "editor.py"
        script.write_text(
            "import sys\npath = sys.argv[1]\ntext = open(path).read()\n"
            f"open({str(tmp_path / 'seen')!r}, 'w').write(text)\n{change}\nopen(path, 'w').write(text)\n"
        )
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        return zoneutil("zone", "edit", ZONE, *words, answer=answer)

    return run


def lines(zoneutil, name=ZONE):
    return zoneutil.good("zone", "export", name).out.splitlines()


def serial(zoneutil, name=ZONE):
    return int(lines(zoneutil, name)[0].split()[6])


def row(zoneutil, name=ZONE):
    [found] = [zone for zone in zoneutil.good("store", "dump", "--json").json["zones"] if zone["zone"] == name]
    return found


# create


def test_a_new_zone_has_soa_and_ns_and_is_served(zoneutil):
    done = zoneutil.good("zone", "create", "Example.ORG.")
    assert "ns1.example.org has no address" in done.err
    soa, ns = lines(zoneutil)
    assert soa.startswith("example.org. 3600 IN SOA ns1.example.org. hostmaster.example.org. 20")
    assert ns == "example.org. 3600 IN NS ns1.example.org."
    assert ZONE in [zone["zone"] for zone in zoneutil.good("zone", "list", "--json").json]
    assert row(zoneutil)["type"] == "NATIVE"


def test_a_new_zone_with_name_servers_elsewhere_is_without_fault(zoneutil):
    zoneutil.good("zone", "create", ZONE, "--kind", "primary", "--ns", "a.example.net", "--ns", "b.example.net.")
    assert [line.split()[4] for line in lines(zoneutil)[1:]] == ["a.example.net.", "b.example.net."]
    assert lines(zoneutil)[0].split()[4] == "a.example.net."
    assert "no faults" in zoneutil.good("zone", "check", "EXAMPLE.org").err
    assert row(zoneutil)["type"] == "MASTER"


def test_a_secondary_zone_is_empty_and_has_primaries(zoneutil):
    zoneutil.good(
        "zone", "create", ZONE, "--kind", "secondary", "--primary", "192.0.2.1:54", "--primary", "2001:DB8::1"
    )
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    domain = backend.store.domain(ZONE)
    assert (domain.kind, domain.primaries, domain.has_soa) == ("SLAVE", ("192.0.2.1:54", "2001:db8::1"), False)
    backend.close()
    done = zoneutil("zone", "check", ZONE)
    assert done.out == "example.org: the zone has no records yet; it is fetched from 192.0.2.1:54, 2001:db8::1\n"
    assert done.status == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--kind", "secondary"], "needs --primary ADDRESS"),
        (["--primary", "192.0.2.1"], "only a secondary zone has primaries"),
        (["--kind", "secondary", "--primary", "here"], "primary 'here' is not an IP address"),
        (["--kind", "secondary", "--primary", "192.0.2.1", "--ns", "a"], "name servers that its primary sends"),
        (["--ns", "a..b"], "empty label"),
    ],
)
def test_what_does_not_fit_makes_no_zone(zoneutil, words, reason):
    assert reason in zoneutil.refused("zone", "create", ZONE, *words)


def test_a_zone_is_not_made_twice(zoneutil):
    zoneutil.good("zone", "create", ZONE)
    assert "is there already" in zoneutil.refused("zone", "create", "example.ORG")


@pytest.mark.parametrize(
    "words",
    [
        ("create", "Cities.Example"),
        ("delete", "cities.example", "--yes"),
        ("set-kind", "cities.example", "primary"),
        ("set-primaries", "cities.example", "192.0.2.1"),
        ("import", "cities.example", "/dev/null"),
        ("edit", "cities.example"),
    ],
)
def test_a_zone_of_the_configuration_is_changed_there(zoneutil, words):
    said = zoneutil.refused("zone", *words)
    assert f"change it in {zoneutil.folder}/pipebackend.toml or {zoneutil.folder}/cities.tsv" in said


@pytest.mark.parametrize(
    "words",
    [("delete", ZONE, "--yes"), ("set-kind", ZONE, "native"), ("set-primaries", ZONE, "192.0.2.1"), ("edit", ZONE)],
)
def test_a_zone_that_is_not_there(zoneutil, words):
    assert "there is no zone example.org in the store" in zoneutil.refused("zone", *words)


# delete, set-kind, set-primaries


def test_delete_asks_and_takes_keys_and_settings_along(zoneutil):
    zoneutil.good("zone", "create", ZONE)
    zoneutil.good("key", "secure", ZONE)
    zoneutil.good("meta", "set", ZONE, "ALSO-NOTIFY", "192.0.2.1")
    done = zoneutil("zone", "delete", ZONE, answer="n\n")
    assert done.status == 1
    assert "1 key?" in done.out + done.err
    assert row(zoneutil)["keys"]
    zoneutil.good("zone", "delete", "Example.Org", answer="y\n")
    assert ZONE not in zoneutil.good("store", "dump").out
    zoneutil.good("zone", "create", ZONE)
    assert (row(zoneutil)["keys"], row(zoneutil)["settings"]) == ([], {"SOA-EDIT-API": ["DEFAULT"]})


def test_a_zone_changes_its_kind(zoneutil):
    zoneutil.good("zone", "create", ZONE)
    zoneutil.good("zone", "set-kind", ZONE, "primary")
    assert row(zoneutil)["type"] == "MASTER"
    assert "no primary yet" in zoneutil.refused("zone", "set-kind", ZONE, "secondary")
    zoneutil.good("zone", "set-primaries", ZONE, "192.0.2.1")
    zoneutil.good("zone", "set-kind", ZONE, "secondary")
    assert row(zoneutil)["type"] == "SLAVE"
    assert "is not an IP address" in zoneutil.refused("zone", "set-primaries", ZONE, "192.0.2.1", "192.0.2.256")


# import


def test_import_makes_a_zone_or_replaces_it(zoneutil, zone_file):
    done = zoneutil.good("zone", "import", "EXAMPLE.org", zone_file(GOOD), "--json").json
    assert done == {
        "zone": "EXAMPLE.org", "records": 4, "serial": 7, "presigned": False, "nsec3param": "", "warnings": [],
    }  # fmt: skip
    assert lines(zoneutil)[-1] == "www.example.org. 300 IN A 192.0.2.1"
    said = zoneutil.good("zone", "import", ZONE, zone_file(GOOD.replace("WWW", "new").replace(" 7 ", " 8 "))).err
    assert said == "zone example.org: 4 records imported, serial 8\n"
    assert not [line for line in lines(zoneutil) if line.startswith("www")]


def test_a_record_that_is_there_twice_is_imported_once(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD + "www IN A 192.0.2.1\n"))
    assert len(lines(zoneutil)) == 4


def test_a_serial_that_goes_back_is_told(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    done = zoneutil.good("zone", "import", ZONE, zone_file(GOOD.replace(" 7 ", " 6 ")))
    assert "serial 6 is not above 7" in done.err
    assert serial(zoneutil) == 6


FAULTY = {
    "outside": (GOOD + "a.example.net. A 192.0.2.1\n", ":7: a.example.net. is not in the zone"),
    "two SOAs": (GOOD + "@ IN SOA ns1 hostmaster 8 3600 600 86400 300\n", ":7: a second SOA"),
    "none": ("".join(GOOD.splitlines(keepends=True)[:2]) + "www A 192.0.2.1\n", "has no SOA record"),
    "an SOA below": (GOOD + "a IN SOA ns1 hostmaster 8 3600 600 86400 300\n", ":7: SOA at a.example.org"),
    "beside CNAME": (GOOD + "www CNAME ns1\n", ":7: www.example.org has a CNAME beside A"),
    "two CNAMEs": (GOOD + "a CNAME b\nA CNAME c\n", ":8: a.example.org has more than one CNAME"),
    "two DNAMEs": (GOOD + "d DNAME b\nD DNAME c\n", ":8: d.example.org has more than one DNAME"),
    "content": (GOOD + "a A 192.0.2.256\n", ":7: '192.0.2.256' is not an IPv4 address"),
    "chains": (
        GOOD + "@ NSEC3PARAM 1 0 0 -\n@ NSEC3PARAM 1 0 1 AB\n" + "@ " + RRSIG.format("SOA"),
        "NSEC3 of different parameters (1 0 0 -; 1 0 1 ab)",
    ),
    "iterations": (GOOD + "@ NSEC3PARAM 1 0 500 -\n@ " + RRSIG.format("SOA"), "500 iterations"),
}


@pytest.mark.parametrize("case", FAULTY)
def test_a_faulty_file_changes_nothing(zoneutil, zone_file, case):
    text, reason = FAULTY[case]
    assert reason in zoneutil.refused("zone", "import", ZONE, zone_file(text)), "no zone is made"
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    before = lines(zoneutil)
    assert reason in zoneutil.refused("zone", "import", ZONE, zone_file(text))
    assert lines(zoneutil) == before


def test_every_fault_is_told_with_its_line(zoneutil, zone_file):
    path = zone_file(GOOD + "a A 1\nb AAAA 1\nc.example.net. A 192.0.2.1\n")
    said = zoneutil.refused("zone", "import", ZONE, path)
    assert [f"{path}:{line}:" in said for line in (7, 8, 9)] == [True] * 3


def test_a_file_that_is_not_there(zoneutil):
    assert "/nowhere: cannot be read: No such file" in zoneutil.refused("zone", "import", ZONE, "/nowhere")


def test_a_full_disk_at_commit_leaves_the_old_zone(zoneutil, zone_file, monkeypatch):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    before = lines(zoneutil)
    many = GOOD + "".join(f"n{i} A 192.0.2.1\n" for i in range(2000))
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    from pipebackend.admin import zoneimport

    backend.store.init()
    connection = backend.store._db.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")  # what SQLite sees when the disk is full
    with pytest.raises(BackendError, match="full"):
        zoneimport.import_file(backend, ZONE, str(zone_file(many)), lambda what, count: None)
    backend.close()
    assert lines(zoneutil) == before


MANY = GOOD + "".join(f"n{number:06d} A 192.0.2.1\n" for number in range(60_000))  # more than a MB


@pytest.fixture
def no_collecting(monkeypatch):
    """Fails where a large file is not written while it is read."""

    def fail(*_):
        raise AssertionError("all records were collected")

    monkeypatch.setattr("pipebackend.admin.editor.ZoneEditor.replace_all", fail)


@pytest.mark.parametrize("odd", ["", 'n059999 TXT "a\\"b"\nn059999 TXT ( "x"\n "y" )\nzz SRV 1 2 3 ns1\n'])
def test_a_large_file_in_order_is_written_while_it_is_read(zoneutil, zone_file, no_collecting, odd):
    zoneutil.good("zone", "import", ZONE, zone_file(MANY + odd))
    known = lines(zoneutil)
    assert len(known) == 60_004 + (3 if odd else 0)
    assert [line.split()[0] for line in known if "192.0.2.53" in line] == [f"ns1.{ZONE}."]
    assert zoneutil.good("zone", "check", ZONE).err.endswith("no faults\n")


@pytest.mark.parametrize(
    "faults",
    [
        ["zz A 1", "zz.example.net. A 192.0.2.1"],
        ["zz CNAME a", 'zz TXT "x"'],
        ["@ SOA ns1 hostmaster 8 3600 600 86400 300"],
        ["n000000 CNAME ns1"],
    ],
)
def test_a_fault_at_the_end_of_a_large_file_changes_nothing(zoneutil, zone_file, faults):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    before = lines(zoneutil)
    path = zone_file(MANY + "".join(f"{fault}\n" for fault in faults))
    said = zoneutil.refused("zone", "import", ZONE, path)
    assert f"{path}:{60_007}:" in said
    assert lines(zoneutil) == before


def test_a_large_file_in_no_order_is_imported_too(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(MANY + "".join(f"m{number} A 192.0.2.2\n" for number in range(9))))
    assert len(lines(zoneutil)) == 60_013


SIGNED = GOOD.replace("7 3600", "9 3600") + "@ DNSKEY 257 3 13 aaaa\n" + "@ " + RRSIG.format("SOA")
NSEC3 = (
    "@ NSEC3PARAM 1 0 5 ABCD\n@ " + RRSIG.format("NSEC3PARAM")
    + "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 {} 5 ABCD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG\n"
    + "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom " + RRSIG.format("NSEC3")
)  # fmt: skip


def test_a_signed_file_stays_signed(zoneutil, zone_file):
    done = zoneutil.good("zone", "import", ZONE, zone_file(SIGNED + "@ NSEC ns1 NS SOA RRSIG NSEC DNSKEY\n"))
    assert done.err.endswith("serial 9; it is signed, denies with NSEC\n")
    assert row(zoneutil)["settings"] == {"PRESIGNED": ["1"]}
    types = {line.split()[3] for line in lines(zoneutil)}
    assert types == {"SOA", "NS", "A", "DNSKEY", "RRSIG"}, "PowerDNS makes NSEC"


@pytest.mark.parametrize("flags", [0, 1])
def test_nsec3_parameters_are_those_of_the_file_with_opt_out(zoneutil, zone_file, flags):
    zoneutil.good("zone", "import", ZONE, zone_file(SIGNED + NSEC3.format(flags)))
    assert row(zoneutil)["settings"] == {"PRESIGNED": ["1"], "NSEC3PARAM": [f"1 {flags} 5 abcd"]}
    types = [line.split()[3] for line in lines(zoneutil)]
    assert types.count("RRSIG") == 3
    assert not {"NSEC3", "NSEC3PARAM"} & set(types)


def test_an_unsigned_file_after_a_signed_one_is_not_presigned(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(SIGNED + NSEC3.format(0)))
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    assert row(zoneutil)["settings"] == {}


def test_settings_stay_when_an_unsigned_zone_is_imported_again(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    zoneutil.good("zone", "nsec3", ZONE)
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    assert row(zoneutil)["settings"] == {"NSEC3PARAM": ["1 0 0 -"]}


def test_a_signed_file_is_refused_where_keys_are_ours(zoneutil, zone_file):
    zoneutil.good("zone", "create", ZONE)
    zoneutil.good("key", "secure", ZONE)
    assert "has keys of its own" in zoneutil.refused("zone", "import", ZONE, zone_file(SIGNED))


def test_a_secondary_zone_is_not_imported(zoneutil, zone_file):
    zoneutil.good("zone", "create", ZONE, "--kind", "secondary", "--primary", "192.0.2.1")
    said = zoneutil.refused("zone", "import", ZONE, zone_file(GOOD))
    assert "change it at its primary 192.0.2.1" in said


def test_what_was_exported_is_imported_as_it_was(zoneutil, zone_file):
    text = GOOD + "".join(
        f"{line}\n"
        for line in (
            'a\\.b\\032c TXT "x\\;\\"" "\\000\\255"',
            "_sip._tcp SRV 1 2 5060 ns1",
            '@ CAA 0 issue "ca.example.net"',
            "x TYPE65400 \\# 2 abcd",
            "* MX 0 .",
            "loc LOC 51 30 12.748 N 0 7 39.612 W 0.00m 1m 10m 10m",
        )
    )
    zoneutil.good("zone", "import", ZONE, zone_file(text))
    exported = zoneutil.good("zone", "export", ZONE).out
    zoneutil.good("zone", "delete", ZONE, "--yes")
    zoneutil.good("zone", "import", ZONE, zone_file(exported))
    assert zoneutil.good("zone", "export", ZONE).out == exported
    assert len(exported.splitlines()) == 10


# edit


def test_edit_shows_the_change_asks_and_makes_it(zoneutil, edit, zone_file, tmp_path):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    done = edit("text = text.replace('192.0.2.1', '192.0.2.9')", answer="y\n")
    assert done.status == 0, done.err
    assert [line for line in done.out.splitlines() if line[:1] in "+-"] == [
        "-example.org. 300 IN SOA ns1.example.org. hostmaster.example.org. 7 3600 600 86400 300",
        "-www.example.org. 300 IN A 192.0.2.1",
        "+example.org. 300 IN SOA ns1.example.org. hostmaster.example.org. 8 3600 600 86400 300",
        "+www.example.org. 300 IN A 192.0.2.9",
    ]
    assert (tmp_path / "seen").read_text().splitlines()[-1] == "www.example.org. 300 IN A 192.0.2.1"
    assert (serial(zoneutil), lines(zoneutil)[-1]) == (8, "www.example.org. 300 IN A 192.0.2.9")
    assert not list(tmp_path.glob("zoneutil-*"))


def test_edit_that_is_refused_keeps_the_text(zoneutil, edit, zone_file, tmp_path):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    before = lines(zoneutil)
    done = edit("text = text.replace('192.0.2.1', '192.0.2.9')", answer="n\n")
    assert done.status == 1
    [kept] = tmp_path.glob("zoneutil-*")
    assert f"zone example.org is as it was; what you wrote is in {kept}" in done.err
    assert "192.0.2.9" in kept.read_text()
    assert lines(zoneutil) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a A 1", ":5: '1' is not an IPv4 address"),
        ("www CNAME b", ":5: www.example.org has a CNAME beside A"),
        ("a.example.net. A 192.0.2.1", ":5: a.example.net. is not in the zone"),
        ("@ " + RRSIG.format("SOA").strip(), "a signed zone is imported"),
    ],
)
def test_edit_tells_errors_and_offers_another_try(zoneutil, edit, zone_file, text, reason):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    before = lines(zoneutil)
    done = edit(f"text += {text!r} + chr(10)", answer="n\n")
    assert done.status == 1
    assert reason in done.err
    assert "Edit again?" in done.out + done.err
    assert lines(zoneutil) == before


def test_edit_without_a_change(zoneutil, edit, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    done = edit("text = '; nothing' + chr(10) + text")
    assert (done.status, done.err, serial(zoneutil)) == (0, "nothing was changed\n", 7)


def test_edit_keeps_a_serial_that_the_person_wrote(zoneutil, edit, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    edit("text = text.replace(' 7 ', ' 100 ')", "--yes")
    assert serial(zoneutil) == 100
    assert "the serial goes back from 100 to 50" in edit("text = text.replace(' 100 ', ' 50 ')", "--yes").err
    assert serial(zoneutil) == 50


def test_edit_does_not_undo_what_others_did_meanwhile(zoneutil, edit, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    code = "from pipebackend.cli.main import main; main()"
    config = str(zoneutil.folder / "pipebackend.toml")
    other = [sys.executable, "-c", code, "--config", config, "record", "add", f"new.{ZONE}", "A", "192.0.2.7"]
    root = str(Path(__file__).parents[3])
    done = edit(
        f"import subprocess; subprocess.run({other!r}, check=True, cwd={root!r})\n"
        "text = text.replace('192.0.2.1', '192.0.2.9')",
        "--yes",
    )
    assert done.status == 1
    assert "was changed by somebody else meanwhile" in done.err
    assert "new.example.org. 3600 IN A 192.0.2.7" in lines(zoneutil)


def odd_row(zoneutil, name, type_, content):
    """A row that another program left, which an import would refuse."""
    with closing(sqlite3.connect(zoneutil.folder / "zones.db")) as connection, connection:
        [(ident,)] = connection.execute("SELECT id FROM domains")
        row = (ident, f"{name}.{ZONE}", type_, content)
        connection.execute("INSERT INTO records (domain_id, name, type, content, ttl) VALUES (?, ?, ?, ?, 300)", row)


ODD_ROWS = {
    "TLSA of wrong length": [("t", "TLSA", "3 1 1 abcd")],
    "TLSA without octets": [("t", "TLSA", "3 1 1 -")],
    "DS of wrong length": [("d", "NS", "ns.example.net"), ("d", "DS", "1 13 2 abcd")],
    "SSHFP of wrong length": [("s", "SSHFP", "1 1 ab")],
    "ECH that is not a list": [("h", "HTTPS", "1 . ech=AAEC")],
    "an address that is not one": [("a", "A", "192.0.2.256")],
    "two DNAMEs": [("dn", "DNAME", "a"), ("dn", "DNAME", "b")],
    "a CNAME beside other data": [("c", "CNAME", "a"), ("c", "A", "192.0.2.1")],
    "an SOA below the apex": [("x", "SOA", "a b 1 2 3 4 5")],
    "a type that is not one": [("u", "URL", "https://example.net")],
}


@pytest.mark.parametrize("case", ODD_ROWS)
def test_edit_leaves_odd_records_as_they_are(zoneutil, edit, zone_file, case):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    for row in ODD_ROWS[case]:
        odd_row(zoneutil, *row)
    before = zoneutil("zone", "export", ZONE).out
    done = edit("text = text.replace('192.0.2.53', '192.0.2.54')", "--yes")
    assert done.status == 0, done.err
    after = zoneutil("zone", "export", ZONE).out
    assert after == before.replace("192.0.2.53", "192.0.2.54").replace(" 7 3600 ", " 8 3600 ")
    with closing(sqlite3.connect(zoneutil.folder / "zones.db")) as connection:
        kept = connection.execute("SELECT name, type, content FROM records").fetchall()
    assert {(f"{name}.{ZONE}", type_, content) for name, type_, content in ODD_ROWS[case]} <= set(kept)


def test_an_soa_without_a_serial_is_put_right(zoneutil, edit, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    with closing(sqlite3.connect(zoneutil.folder / "zones.db")) as connection, connection:
        connection.execute("UPDATE records SET content = 'ns1 hostmas ter.example 1 2 3 4 5' WHERE type = 'SOA'")
    done = edit("text = text.replace('hostmas ter.example', 'hostmaster.example.')", "--yes")
    assert done.status == 0, done.err
    assert " SOA ns1.example.org. hostmaster.example. 1 2 3 4 5" in zoneutil.good("zone", "export", ZONE).out


def test_an_odd_record_that_is_edited_is_refused(zoneutil, edit, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(GOOD))
    odd_row(zoneutil, "s", "SSHFP", "1 1 ab")
    done = edit("text = text.replace('300 IN SSHFP', '301 IN SSHFP')", answer="n\n")
    assert "'s.example.org. 301 IN SSHFP 1 1 ab'" in done.err


def test_a_presigned_zone_is_not_edited(zoneutil, zone_file):
    zoneutil.good("zone", "import", ZONE, zone_file(SIGNED))
    for words in (("zone", "edit", ZONE), ("record", "add", f"a.{ZONE}", "A", "192.0.2.1")):
        assert "is presigned: change it where it is signed" in zoneutil.refused(*words)


def test_changes_at_the_same_time_are_all_kept(zoneutil):
    zoneutil.good("zone", "create", ZONE, "--ns", "ns.example.net")
    before = serial(zoneutil)
    code = "from pipebackend.cli.main import main; main()"
    config = str(zoneutil.folder / "pipebackend.toml")
    words = [sys.executable, "-c", code, "--config", config, "record", "add", ZONE, "A"]
    root = Path(__file__).parents[3]
    running = [subprocess.Popen([*words, f"192.0.2.{i}"], cwd=root) for i in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    addresses = {line.split()[4] for line in lines(zoneutil) if line.split()[3] == "A"}
    assert addresses == {f"192.0.2.{i}" for i in range(4)}
    assert serial(zoneutil) == before + 4


# through pdnsutil backend-cmd


@pytest.fixture
def command(zoneutil):
    backend = open_backend(str(zoneutil.folder / "pipebackend.toml"))
    yield partial(backendcmd.answer, backend)
    backend.close()


def test_the_same_commands_inside_a_coprocess(command, zone_file, capsys):
    assert "zone example.org created with 2 records" in command("zone create example.org")
    assert command(f"record add ns1.{ZONE} A 192.0.2.53 --ttl 60") == []
    assert command(f"zone check {ZONE}") == ["example.org: no faults"]
    [found] = json.loads("\n".join(command(f"record search ns1.{ZONE} --json")))[1:]
    assert (found["ttl"], found["content"]) == (60, "192.0.2.53")
    assert command(f"zone import {ZONE} {shlex.quote(str(zone_file(GOOD)))}")
    assert command(f'record add a.{ZONE} TXT "\\"a b\\""') == []
    assert f'a.{ZONE}. 3600 IN TXT "a b"' in command(f"zone export {ZONE}")
    assert command(f"zone delete {ZONE} --yes") == []
    assert capsys.readouterr() == ("", ""), "both belong to others"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("zone create", "Missing argument 'NAME'"),
        ("zone create a --kind odd", "'odd' is not one of"),
        ("zone remake a", "No such command 'remake'"),
        ("zone create 'a", "No closing quotation"),
        ("zone edit a", "works at a shell alone"),
        ("zone delete kept --yes --no", "No such option"),
        ("zone delete kept", "say --yes"),
        ("zone delete cities.example", "is made from the configuration"),
        ("record search nothing", "nothing like nothing"),
        ("zonetransfer a", "unknown command"),
    ],
)
def test_a_command_that_fails_says_why(command, text, reason):
    command("zone create kept")
    with pytest.raises(BackendError, match=reason):
        command(text)
    assert any(line.startswith("kept ") for line in command("zones"))


def test_help_of_a_command(command):
    assert "Usage: zone create [OPTIONS] NAME" in command("zone create --help")
    assert any(line.startswith("zone COMMAND: ") for line in command("help"))


# progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("stream", "is_shown"), [(Terminal(), True), (io.StringIO(), False)])
def test_long_work_is_shown_on_a_terminal_alone(monkeypatch, stream, is_shown):
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr("pipebackend.cli.progress._PATIENCE_SECONDS", 0)
    with Progress() as progress:
        progress("read", 12)
    assert ("12 records read" in stream.getvalue()) is is_shown
    assert stream.getvalue() == "" or stream.getvalue().endswith("\r\x1b[K")
