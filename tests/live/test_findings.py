"""Whose finding is which: the table of docs/zones.md is what the checkers of BIND, NSD and PowerDNS say."""

from __future__ import annotations

import subprocess

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.zones.kinds import file as zone_of_file
from pipebackend.zones.text import presigned, zonefile
from tests.live.bad_zones import APEX, BAD, TOOLS
from tests.live.servers import PATIENCE, pdns_version, program
from tests.live.signed import verdict_of_ldns
from tests.unit import documents

pytestmark = pytest.mark.live

PAGE = documents.text("docs/zones.md")
SIGNED = "$TTL 60\n@ SOA ns1 h 1 7200 900 1209600 3600\n@ NS ns1\nns1 A 192.0.2.1\n"


def said(*words):
    done = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, check=False)
    return done.stdout + done.stderr


def named_version():
    return said(program("named-checkzone"), "-v").strip()


def ours(path):
    """What ``zone check`` says of a file, refused or not."""
    try:
        text = zonefile.read(str(path), APEX, with_signatures=True)
    except ZoneFault as exc:
        return "\n".join(exc.faults)
    return "\n".join(zone_of_file.FileZone(1, APEX, text, presigned.of(text, APEX)).faults)


def theirs(path):
    """What each of the other checkers says."""
    folder = path.parent
    (folder / "named.conf").write_text(f'zone "{APEX}" {{ type master; file "{path}"; }};\n')
    (folder / "pdns.conf").write_text(f"launch=bind\nbind-config={folder}/named.conf\n")
    return (
        said(program("named-checkzone"), "-i", "local", "-n", "fail", APEX, str(path)),
        said(program("nsd-checkzone"), APEX, str(path)),
        said(program("pdnsutil"), "--config-dir", str(folder), "check-zone", APEX),
    )


def complaints(output):
    """The lines of a checker that tell of something wrong; a file's delegations are never rectified for pdnsutil."""
    told = (line.lower() for line in output.splitlines() if "auth=0" not in line and not line.startswith("Checked"))
    return [line for line in told if any(word in line for word in ("error", "warning", "not loaded", "(illegal)"))]


@pytest.mark.parametrize("finding", BAD)
def test_each_finding_is_whose_the_table_says(tmp_path, finding):
    bad = BAD[finding]
    path = tmp_path / "zone"
    path.write_text(bad.text)
    assert bad.ours in ours(path)
    for tool, words, output in zip(TOOLS, bad[2:], theirs(path), strict=True):
        if tool.startswith("pdnsutil") and pdns_version() != (4, 7):
            continue  # later ones cannot load the BIND module, or have more findings
        if tool.startswith("named") and not words and not named_version().startswith("9.18."):
            continue  # BIND 9.20 finds a DS outside a zone cut
        assert words in output if words else not complaints(output), f"{tool}: {output}"
    marks = " | ".join("yes" if words else "" for words in bad[2:])
    assert f"| {finding} | {marks} |".replace("|  |", "| |").replace("|  |", "| |") in PAGE


def sign(tmp_path, *options):
    (tmp_path / "plain").write_text(SIGNED)
    key = ["-q", "-K", str(tmp_path), "-a", "ED25519", "-f", "KSK", APEX]
    said(program("dnssec-keygen"), *key)
    where = [
        "-K",
        str(tmp_path),
        "-d",
        str(tmp_path),
        "-o",
        APEX,
        "-f",
        str(tmp_path / "zone"),
        str(tmp_path / "plain"),
    ]
    output = said(program("dnssec-signzone"), "-q", "-S", "-z", "-P", *options, *where)
    assert (tmp_path / "zone").exists(), output
    return tmp_path / "zone"


def test_a_file_signed_well_has_no_finding(tmp_path):
    path = sign(tmp_path)
    assert ours(path) == ""
    assert "is verified and complete" in verdict_of_ldns(path.read_text(), tmp_path)


def test_signatures_that_are_over_are_found_as_by_ldns(tmp_path):
    path = sign(tmp_path, "-s", "20200101000000", "-e", "20200201000000")
    assert "is over since 2020-02-01" in ours(path)
    assert "expired" in verdict_of_ldns(path.read_text(), tmp_path)
    assert "| signatures that are over | ldns-verify-zone |" in PAGE


def test_an_rrset_without_signature_is_found_as_by_ldns(tmp_path):
    path = sign(tmp_path)
    bad = tmp_path / "bad"
    kept = [line for line in said(program("ldns-read-zone"), str(path)).splitlines() if "\tRRSIG\tA " not in line]
    bad.write_text("\n".join([*kept, ""]))
    assert "ns1.example.org A has no signature" in ours(bad)
    assert "no signature" in verdict_of_ldns(bad.read_text(), tmp_path).lower()
    assert "| an RRset without a signature | ldns-verify-zone |" in PAGE
