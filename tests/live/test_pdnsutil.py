"""pdnsutil works on our store: each command about keys, settings and TSIG keys, what it says and what is kept.

What is kept is read from the database, whose tables are PowerDNS's own.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.live.servers import PdnsServer, first_airports, pdns_version, program, remote_config

pytestmark = pytest.mark.live

ZONE = "airports.aa"
STRANGER = "no-such-zone.example"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
RECTIFY = "Done, please rectify your zone if your backend needs it (or reload it if you are using the bindbackend)\n"


@pytest.fixture
def server(tmp_path: Path) -> PdnsServer:
    """Not started: pdnsutil asks our coprocess itself."""
    shutil.copy(Path(__file__).parent / "zones" / "pdnsutil.toml", tmp_path)
    (tmp_path / "airports.tsv").write_text(first_airports(50), "utf-8")
    return PdnsServer(remote_config(tmp_path / "pdnsutil.toml", dnssec=True), tmp_path)


@pytest.fixture
def secured(server: PdnsServer) -> PdnsServer:
    server.said("secure-zone", ZONE)
    return server


def rows(server: PdnsServer, query: str) -> list[tuple]:
    connection = sqlite3.connect(server.folder.parent / "zones.db")
    found = connection.execute(query).fetchall()
    connection.close()
    return found


def keys(server: PdnsServer) -> dict[int, tuple[int, int, int]]:
    """Flags, active and published of each key."""
    found = rows(server, "SELECT id, flags, active, published FROM cryptokeys ORDER BY id")
    return {key_id: (flags, active, published) for key_id, flags, active, published in found}


def settings(server: PdnsServer) -> list[tuple[str, str]]:
    return rows(server, "SELECT kind, content FROM domainmetadata ORDER BY kind, id")


def refused(server: PdnsServer, *words: str) -> str:
    """What pdnsutil and our coprocess complain about."""
    done = server.pdnsutil(*words)
    assert done.returncode == 1, f"{words}: {done.stdout}{done.stderr}"
    return done.stderr


def test_list_all_zones(server: PdnsServer) -> None:
    assert server.said("list-all-zones") == "airports.aa\ndyn.example.net\n"


def test_check_zone(server: PdnsServer) -> None:
    """64 hosts, the SOA and the NS; the airports and the address of their name server, too."""
    hosts = "Checked 66 records of 'dyn.example.net', 0 errors, 0 warnings.\n"
    assert server.said("check-zone", "dyn.example.net") == hosts
    server.said("secure-zone", ZONE)
    assert server.said("check-zone", ZONE) == f"Checked 53 records of '{ZONE}', 0 errors, 0 warnings.\n"


def test_secure_zone(server: PdnsServer) -> None:
    assert "Zone is not actively secured" in server.said("show-zone", ZONE)
    said = server.said("secure-zone", ZONE).splitlines()
    assert said[-2:] == ["Adding CSK (257) with algorithm ecdsa256", f"Zone {ZONE} secured"]
    assert keys(server) == {1: (257, 1, 1)}
    assert rows(server, "SELECT name FROM domains") == [(ZONE,)]
    assert "already secure" in refused(server, "secure-zone", ZONE)
    assert keys(server) == {1: (257, 1, 1)}


def test_show_zone(secured: PdnsServer) -> None:
    said = secured.said("show-zone", ZONE)
    assert "This is a Native zone\n" in said
    assert "Zone has NSEC semantics\n" in said
    [key] = [line for line in said.splitlines() if line.startswith("ID = ")]
    assert key.startswith("ID = 1 (CSK), flags = 257, tag = ")
    assert key.split("bits = ")[1].split() == ["256", "Active", "Published", "(", "ECDSAP256SHA256", ")"]
    tag = key.split("tag = ")[1].split(",")[0]
    assert f"CSK DNSKEY = {ZONE}. IN DNSKEY 257 3 13 " in said
    assert f"DS = {ZONE}. IN DS {tag} 13 2 " in said
    secured.said("set-nsec3", ZONE, "1 0 5 ab")
    assert "Zone has hashed NSEC3 semantics, configuration: 1 0 5 ab\n" in secured.said("show-zone", ZONE)


def test_zones_that_are_not_ours(server: PdnsServer) -> None:
    assert "No such zone in the database" in refused(server, "show-zone", STRANGER)
    assert f"Can't find a zone called '{STRANGER}'" in refused(server, "secure-zone", STRANGER)
    assert f"Invalid zone '{STRANGER}'" in refused(server, "set-meta", STRANGER, "ALSO-NOTIFY", "192.0.2.1")
    # its exit status says 0 here
    assert server.pdnsutil("add-zone-key", STRANGER, "ksk").stderr == "No such zone in the database\n"
    assert not (server.folder.parent / "zones.db").exists()


def test_add_zone_key(secured: PdnsServer) -> None:
    assert secured.said("add-zone-key", ZONE, "zsk") == "2\n"
    words = ("2048", "active", "unpublished", "rsasha256")
    assert secured.said("add-zone-key", ZONE, "ksk", *words) == "3\n"
    assert keys(secured) == {1: (257, 1, 1), 2: (256, 0, 1), 3: (257, 1, 0)}
    shown = [line.split() for line in secured.said("list-keys", ZONE).splitlines()[2:]]
    assert [(words[1], words[-5], words[-4], words[-3]) for words in shown] == [
        ("CSK", "256", "ECDSAP256SHA256", "1"),
        ("CSK", "256", "ECDSAP256SHA256", "2"),
        ("CSK", "2048", "RSASHA256", "3"),
    ]


def test_import_zone_key(server: PdnsServer, tmp_path: Path) -> None:
    command = [program("dnssec-keygen"), "-q", "-a", "ED25519", "-K", str(tmp_path), ZONE]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    words = (str(tmp_path / f"{name}.private"), "zsk", "inactive", "unpublished")
    assert server.said("import-zone-key", ZONE, *words) == "1\n"
    assert keys(server) == {1: (256, 0, 0)}
    public = (tmp_path / f"{name}.key").read_text().splitlines()[-1].split()[-1]
    assert f"DNSKEY 256 3 15 {public} ;" in server.said("show-zone", ZONE)
    assert "Unable to read file" in refused(server, "import-zone-key", ZONE, str(tmp_path / "none"), "zsk")
    assert keys(server) == {1: (256, 0, 0)}


def test_activate_deactivate_publish_unpublish_and_remove(secured: PdnsServer) -> None:
    secured.said("add-zone-key", ZONE, "zsk")
    steps = [
        ("activate-zone-key", (256, 1, 1)),
        ("deactivate-zone-key", (256, 0, 1)),
        ("unpublish-zone-key", (256, 0, 0)),
        ("publish-zone-key", (256, 0, 1)),
    ]
    for command, state in steps:
        assert secured.said(command, ZONE, "2") == ""
        assert keys(secured) == {1: (257, 1, 1), 2: state}
    assert secured.said("remove-zone-key", ZONE, "2") == ""
    assert keys(secured) == {1: (257, 1, 1)}


def test_ids_that_no_key_has(secured: PdnsServer) -> None:
    for command in ("activate-zone-key", "deactivate-zone-key", "publish-zone-key", "unpublish-zone-key"):
        assert f"Can't find a key with id 77 for zone '{ZONE}'" in refused(secured, command, ZONE, "77")
    complaint = refused(secured, "remove-zone-key", ZONE, "77")
    assert f"error: zone {ZONE} has no key with the id 77" in complaint
    assert f"Cannot remove key 77 from {ZONE}" in complaint
    assert keys(secured) == {1: (257, 1, 1)}


def test_set_nsec3_and_unset_nsec3(secured: PdnsServer) -> None:
    done = secured.pdnsutil("set-nsec3", ZONE, "1 0 5 ab")
    *warnings, last = done.stderr.splitlines(keepends=True)
    assert last == f"NSEC3 set, {RECTIFY}"
    assert len(warnings) == (0 if pdns_version() < (5, 0) else 2)  # of RFC 9276
    assert settings(secured) == [("NSEC3PARAM", "1 0 5 ab")]
    done = secured.pdnsutil("set-nsec3", ZONE, "1 1 0 -", "narrow")
    assert done.stderr == f"NSEC3 (opt-out) set, {RECTIFY}"
    assert settings(secured) == [("NSEC3NARROW", "1"), ("NSEC3PARAM", "1 1 0 -")]
    complaint = refused(secured, "set-nsec3", ZONE, "1 0 500 -")
    assert "NSEC3PARAM asks for 500 iterations; PowerDNS stops at 100" in complaint
    assert f"Cannot set NSEC3 param for {ZONE}" in complaint
    assert settings(secured) == [("NSEC3NARROW", "1"), ("NSEC3PARAM", "1 1 0 -")]
    assert secured.pdnsutil("unset-nsec3", ZONE).stderr == RECTIFY
    assert settings(secured) == []


def test_set_add_and_get_meta(server: PdnsServer) -> None:
    said = server.said("set-meta", ZONE, "ALLOW-AXFR-FROM", "192.0.2.0/24", "AUTO-NS")
    assert said == f"Set '{ZONE}' meta ALLOW-AXFR-FROM = 192.0.2.0/24, AUTO-NS\n"
    server.said("add-meta", ZONE, "ALSO-NOTIFY", "192.0.2.1")
    said = server.said("add-meta", ZONE, "ALSO-NOTIFY", "192.0.2.2:5300")
    assert said == f"Set '{ZONE}' meta ALSO-NOTIFY = 192.0.2.1, 192.0.2.2:5300\n"
    assert server.said("get-meta", ZONE).splitlines() == [
        f"Metadata for '{ZONE}'",
        "ALLOW-AXFR-FROM = 192.0.2.0/24, AUTO-NS",
        "ALSO-NOTIFY = 192.0.2.1, 192.0.2.2:5300",
    ]
    server.said("set-meta", ZONE, "ALSO-NOTIFY")
    assert server.said("get-meta", ZONE, "ALSO-NOTIFY") == f"Metadata for '{ZONE}'\nALSO-NOTIFY = \n"
    assert settings(server) == [("ALLOW-AXFR-FROM", "192.0.2.0/24"), ("ALLOW-AXFR-FROM", "AUTO-NS")]


def test_settings_that_are_wrong(server: PdnsServer) -> None:
    complaint = refused(server, "set-meta", ZONE, "ALLOW-AXFR-FROM", "nonsense")
    assert f"zone {ZONE}: ALLOW-AXFR-FROM: 'nonsense' is not a network" in complaint
    assert f"Unable to set meta for '{ZONE}'" in complaint
    complaint = refused(server, "activate-tsig-key", ZONE, "no-key", "primary")
    assert f"zone {ZONE}: TSIG-ALLOW-AXFR: there is no TSIG key 'no-key'" in complaint
    assert f"Failure enabling TSIG key no-key for {ZONE}" in complaint
    assert server.said("get-meta", ZONE) == f"Metadata for '{ZONE}'\n"


def test_import_list_and_delete_tsig_keys(server: PdnsServer) -> None:
    assert server.said("list-tsig-keys") == ""
    said = server.said("import-tsig-key", "Transfer.Key", "hmac-sha256", SECRET)
    assert said == "Imported TSIG key Transfer.Key hmac-sha256\n"
    assert server.said("list-tsig-keys") == f"transfer.key. hmac-sha256. {SECRET}\n"
    assert rows(server, "SELECT * FROM tsigkeys") == [(1, "transfer.key", "hmac-sha256", SECRET)]
    complaint = refused(server, "import-tsig-key", "bad", "hmac-sha256", "%%%")
    assert "TSIG key bad: the secret is not base64" in complaint
    assert server.said("delete-tsig-key", "TRANSFER.key") == "Deleted TSIG key TRANSFER.key\n"
    assert server.said("list-tsig-keys") == ""
    assert "there is no TSIG key transfer.key" in refused(server, "delete-tsig-key", "transfer.key")


def test_generate_tsig_key(server: PdnsServer) -> None:
    said = server.said("generate-tsig-key", "made", "hmac-sha512")
    start, _, secret = said.rstrip("\n").rpartition(" ")
    assert start == "Create new TSIG key made hmac-sha512"
    assert server.said("list-tsig-keys") == f"made. hmac-sha512. {secret}\n"


def test_activate_and_deactivate_tsig_key(server: PdnsServer) -> None:
    server.said("import-tsig-key", "transfer", "hmac-sha256", SECRET)
    said = server.said("activate-tsig-key", ZONE, "transfer", "primary")
    assert said == f"Enabled TSIG key transfer for {ZONE}\n"
    assert settings(server) == [("TSIG-ALLOW-AXFR", "transfer")]
    assert server.said("deactivate-tsig-key", ZONE, "transfer", "primary") == f"Disabled TSIG key transfer for {ZONE}\n"
    assert settings(server) == []


def test_disable_dnssec(secured: PdnsServer) -> None:
    secured.said("set-nsec3", ZONE, "1 0 0 -")
    secured.said("set-meta", ZONE, "ALSO-NOTIFY", "192.0.2.1")
    assert secured.said("disable-dnssec", ZONE) == ""
    assert keys(secured) == {}
    assert settings(secured) == [("ALSO-NOTIFY", "192.0.2.1")]
    assert "Zone is not actively secured" in secured.said("show-zone", ZONE)
