"""Keys travel between zoneutil, dnssec-keygen, ldns-keygen and pdnsutil unchanged, and what zoneutil says is so."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import NamedTuple

import dns.flags
import dns.rcode
import pytest

from pipebackend.cli.main import main
from tests.live.servers import HOST, PdnsServer, Unbound, program, remote_config
from tests.making import write_config

pytestmark = pytest.mark.live

ZONE = "cities.example"
ALGORITHMS = {  # PowerDNS's names, and those of BIND and ldns
    "rsasha256": "RSASHA256",
    "rsasha512": "RSASHA512",
    "ecdsap256sha256": "ECDSAP256SHA256",
    "ecdsap384sha384": "ECDSAP384SHA384",
    "ed25519": "ED25519",
    "ed448": "ED448",
}
ZONE_FILE = f"""\
$TTL 60
@ SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 3600 600 86400 60
@ NS ns1.{ZONE}.
ns1 A 192.0.2.1
lax TXT "Los Angeles"
"""


class Zoneutil(NamedTuple):
    """The command on a configuration, in this process: each start of another one takes half a second."""

    config: str

    def __call__(self, *words):
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.setattr(sys, "argv", ["zoneutil", "--config", self.config, *map(str, words)])
            with pytest.raises(SystemExit) as ended:
                main()
        assert not ended.value.code, err.getvalue()
        return out.getvalue()

    def all_keys(self):
        return json.loads(self("key", "list", ZONE, "--json"))


@pytest.fixture
def zoneutil(tmp_path):
    (tmp_path / "ours").mkdir()
    return Zoneutil(str(write_config(tmp_path / "ours")))


@pytest.fixture
def pdns(zoneutil, tmp_path):
    """A PowerDNS that is not started: its pdnsutil works."""
    return PdnsServer(remote_config(zoneutil.config, dnssec=True), tmp_path)


def run(folder, name, *words):
    done = subprocess.run([program(name), *map(str, words)], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    return done.stdout


def said(server, *words):
    done = server.pdnsutil(*words)
    assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def delegations(text):
    """The DS records in what a tool printed, of the digest types 2 and 4, in one form."""
    found = re.findall(r"DS\s+(\d+) (\d+) ([24]) ([0-9A-Fa-f ]+)", text)
    return {(*numbers, digest.replace(" ", "").lower()) for *numbers, digest in found}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("tool", ["dnssec-keygen", "ldns-keygen"])
@pytest.mark.parametrize("is_ksk", [True, False], ids=["ksk", "zsk"])
def test_keys_of_other_tools_are_taken_as_they_are(zoneutil, tmp_path, tool, algorithm, is_ksk):
    words = ["-a", ALGORITHMS[algorithm]]
    if algorithm.startswith("rsa"):
        words += ["-b", "2048"]
    if is_ksk:
        words += ["-k"] if tool == "ldns-keygen" else ["-f", "KSK"]
    base = run(tmp_path, tool, *words, ZONE).strip()
    zoneutil("key", "import", ZONE, tmp_path / f"{base}.private")
    [key] = zoneutil.all_keys()
    assert key["flags"] == (257 if is_ksk else 256)
    assert (key["algorithm"], key["tag"]) == (algorithm, int(base.rpartition("+")[2]))
    assert bool(key["times"]) == (tool == "dnssec-keygen")
    expected = run(tmp_path, "dnssec-dsfromkey", "-A", "-a", "SHA-256", "-a", "SHA-384", f"{base}.key")
    assert delegations(zoneutil("key", "ds", ZONE)) == delegations(expected)


@pytest.mark.parametrize("tool", ["dnssec-signzone", "ldns-signzone"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exported_keys_sign_with_other_tools(zoneutil, tmp_path, tool, algorithm):
    """They check that the private key fits the DNSKEY; a validator then checks the zone."""
    for role in ("--ksk", "--zsk"):
        zoneutil("key", "generate", ZONE, role, "--algorithm", algorithm)
    bases = [
        json.loads(zoneutil("key", "export", ZONE, key["id"], "--directory", tmp_path, "--json"))[0][:-8]
        for key in zoneutil.all_keys()
    ]
    publics = "".join((tmp_path / f"{base}.key").read_text() for base in bases)
    (tmp_path / "zone").write_text(ZONE_FILE + publics)
    run(tmp_path, tool, "-o", ZONE, "-f", "signed", "zone", *bases)
    anchors = tmp_path / "anchors"
    anchors.write_text(zoneutil("key", "ds", ZONE))
    run(tmp_path, "ldns-verify-zone", "-k", anchors, "signed")
    from_key = run(tmp_path, "dnssec-dsfromkey", "-a", "SHA-256", "-a", "SHA-384", f"{bases[0]}.key")
    assert delegations(anchors.read_text()) == delegations(from_key)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_pdnsutil_reads_exported_keys(zoneutil, pdns, tmp_path, algorithm):
    zoneutil("key", "generate", ZONE, "--algorithm", algorithm)
    private, _ = zoneutil("key", "export", ZONE, 1, "--directory", tmp_path).splitlines()
    [before] = zoneutil.all_keys()
    zoneutil("key", "unsecure", ZONE, "--yes")
    said(pdns, "import-zone-key", ZONE, private, "active", "ksk")
    [after] = zoneutil.all_keys()
    assert after | {"id": 0} == before | {"id": 0}
    assert zoneutil("key", "export", ZONE, after["id"]) == open_text(private)
    assert said(pdns, "export-zone-key", ZONE, str(after["id"])) == open_text(private) + "\n"


@pytest.mark.parametrize("algorithm", [name for name in ALGORITHMS if not name.startswith("rsa")])
def test_curve_keys_of_openssl_are_those_that_pdnsutil_reads(zoneutil, pdns, tmp_path, algorithm):
    kind = {
        "ecdsap256sha256": ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        "ecdsap384sha384": ["EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
    }.get(algorithm, [algorithm])
    run(tmp_path, "openssl", "genpkey", "-algorithm", *kind, "-out", "key.pem")
    zoneutil("key", "import", ZONE, tmp_path / "key.pem")
    [before] = zoneutil.all_keys()
    (tmp_path / "key.private").write_text(zoneutil("key", "export", ZONE, before["id"]))
    zoneutil("key", "unsecure", ZONE, "--yes")
    said(pdns, "import-zone-key", ZONE, tmp_path / "key.private", "active", "ksk")
    [after] = zoneutil.all_keys()
    assert after | {"id": 0} == before | {"id": 0}


def open_text(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def test_roles_and_ds_are_those_of_pdnsutil(zoneutil, pdns):
    """Through the changes of a key roll-over; PowerDNS decides by the active keys of each algorithm."""
    steps = [
        ("generate", ZONE, "--ksk"),
        ("generate", ZONE, "--zsk"),
        ("generate", ZONE, "--csk", "--algorithm", "ed25519"),
        ("generate", ZONE, "--zsk", "--algorithm", "ecdsap384sha384"),
        ("generate", ZONE, "--ksk", "--algorithm", "ecdsap384sha384"),
        ("unpublish", ZONE, 2),
        ("deactivate", ZONE, 1),
        ("activate", ZONE, 1),
        ("deactivate", ZONE, 4),
        ("generate", ZONE, "--zsk", "--algorithm", "ed25519", "--inactive"),
        ("generate", ZONE, "--zsk", "--algorithm", "ed448", "--inactive"),
    ]
    for step in steps:
        zoneutil("key", *step)
        shown = said(pdns, "show-zone", ZONE)
        found = re.findall(
            r"ID = (\d+) \((\w+)\), flags = (\d+), tag = (\d+), algo = (\d+), bits = (\d+)\s+(\w+)", shown
        )
        theirs = {int(n): (role, int(flags), int(tag), int(bits), act) for n, role, flags, tag, _, bits, act in found}
        ours = {
            key["id"]: (key["role"], key["flags"], key["tag"], key["bits"], "Active" if key["active"] else "Inactive")
            for key in zoneutil.all_keys()
        }
        assert ours == theirs, f"{step}:\n{shown}"
        tags = {str(tag) for _, _, tag, _, act in theirs.values() if act == "Active"}
        assert delegations(zoneutil("key", "ds", ZONE)) == {ds for ds in delegations(shown) if ds[0] in tags}, step


@pytest.mark.parametrize("denial", [["nsec"], ["nsec3"], ["nsec3", "--opt-out"], ["nsec3", "--narrow"]], ids=" ".join)
@pytest.mark.parametrize("source", ["secure", "split", "imported"])
def test_what_zoneutil_secured_is_validated(zoneutil, pdns, tmp_path, denial, source):
    if source == "secure":
        zoneutil("key", "secure", ZONE)
    elif source == "split":
        zoneutil("key", "generate", ZONE, "--ksk", "--algorithm", "rsasha256")
        zoneutil("key", "generate", ZONE, "--zsk", "--algorithm", "rsasha256")
    else:
        base = run(tmp_path, "dnssec-keygen", "-a", "ED25519", "-f", "KSK", ZONE).strip()
        zoneutil("key", "import", ZONE, tmp_path / f"{base}.private")
    zoneutil("zone", denial[0], ZONE, *denial[1:])
    anchors = zoneutil("key", "ds", ZONE).splitlines()
    with pdns, Unbound({ZONE: pdns.port}, tmp_path, anchors) as resolver:
        # RFC 5155 section 9.2: a denial by opt-out is valid, but not authentic
        for name, rdtype, rcode, is_authentic in (
            (f"lax.{ZONE}", "TXT", dns.rcode.NOERROR, True),
            (f"lax.{ZONE}", "AAAA", dns.rcode.NOERROR, True),
            (f"nowhere.{ZONE}", "A", dns.rcode.NXDOMAIN, "--opt-out" not in denial),
        ):
            answer = resolver.query(name, rdtype)
            assert (answer.rcode(), bool(answer.flags & dns.flags.AD)) == (rcode, is_authentic), str(answer)


def test_a_tsig_key_lets_transfer_and_dig_reads_what_is_exported(zoneutil, pdns, tmp_path):
    zoneutil("tsig", "generate", "Transfer")
    zoneutil("tsig", "allow", ZONE, "transfer")
    key_file = tmp_path / "transfer.key"
    key_file.write_text(zoneutil("tsig", "export", "transfer"))
    os.chmod(key_file, 0o600)
    listed = said(pdns, "list-tsig-keys")
    assert listed.split()[:2] == ["transfer.", "hmac-sha256."]
    refusing = PdnsServer(remote_config(zoneutil.config, dnssec=True) | {"allow-axfr-ips": ""}, tmp_path)
    with refusing:
        words = [f"@{HOST}", "-p", refusing.port, ZONE, "AXFR"]
        assert "Transfer failed" in run(tmp_path, "dig", *words)
        assert "Los Angeles" in run(tmp_path, "dig", "-k", key_file, *words)
