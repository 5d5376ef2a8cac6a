"""The .key file: read with all that tools put around the record, and held against the private key."""

import pytest

from pipebackend.base.errors import KeyFault
from pipebackend.keys import keypair, publicfile
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK, ZSK

BIND = """; This is a zone-signing key, keyid 1676, for Example.aa.
; Created: 20261122000154 (Sun Nov 22 00:01:54 2026)
Example.aa. IN DNSKEY 256 3 13 wb9xp7HbXypR7ZzzZ+dJabCaAbitd/LZ9ARDrXJ6FAJrNAMF1oA4xNPp OnpZLRbzY5RJLkS4hPm8McXPI0n1Sg==
"""
LDNS = (
    "ldns.aa.\tIN\tDNSKEY\t256 3 13 Ioxr6fPiYwgBFCBEJdC28vIQdSXi6iRBt3nzrDSi5NUqs+Wxxs96nGV+LnpMTyEJh3c7a"
    "/Ip1ZAmvcFU6c/BGw== ;{id = 35655 (zsk), size = 256b}\n"
)


@pytest.fixture(scope="module")
def key():
    return keypair.generate()


def private_of(key):
    return PrivateText(key.algorithm, key.private)


@pytest.mark.parametrize(("text", "zone"), [(BIND, "example.aa"), (LDNS, "ldns.aa")])
def test_files_of_other_tools_are_read(text, zone):
    read = publicfile.read(text)
    assert (read.zone, read.dnskey.flags, read.dnskey.algorithm) == (zone, ZSK, 13)


@pytest.mark.parametrize("zone", ["airports.aa", "", "a\\032b.c\\.d.aa"])
@pytest.mark.parametrize("flags", [ZSK, KSK])
def test_what_is_written_is_read_again(zone, flags):
    key = keypair.generate(flags=flags)
    read = publicfile.read(publicfile.write(zone, key))
    assert (read.zone, read.dnskey) == (zone, key.dnskey)
    assert publicfile.paired(private_of(key), read) == key


@pytest.mark.parametrize(
    "change",
    [lambda line: line.replace(" IN ", " 3600 IN "), lambda line: line.replace("3 13 ", "3 13 (\n ").rstrip() + " )\n"],
    ids=["ttl", "parentheses"],
)
def test_a_ttl_and_parentheses_may_be_there(key, change):
    assert publicfile.read(change(publicfile.write("airports.aa", key))).dnskey == key.dnskey


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 records"),
        ("; only a comment\n", "0 records"),
        (BIND + LDNS, "2 records"),
        ("example.aa. IN A 192.0.2.1\n", "must hold one DNSKEY"),
        ("example.aa. IN DNSKEY 256 3\n", "no DNSKEY record"),
        ("example.aa. IN DNSKEY 256 3 13 !!!!\n", "no DNSKEY record"),
        ("$INCLUDE /etc/passwd\n", "no DNSKEY record"),
        ("Private-key-format: v1.3\nAlgorithm: 13 (ECDSAP256SHA256)\n", "no DNSKEY record"),
        ("a..b. IN DNSKEY 256 3 13 AAAA\n", "no DNSKEY record"),
        ("x" * 70_000, "70000 characters"),
    ],
)
def test_any_other_text_is_refused_and_names_the_file(text, reason):
    with pytest.raises(KeyFault, match=f"^K.key: .*{reason}"):
        publicfile.read(text, "K.key")


def test_a_private_key_of_another_pair_is_refused(key):
    other = publicfile.read(publicfile.write("airports.aa", keypair.generate()))
    with pytest.raises(KeyFault, match=r"^K\.key: the private key does not fit its DNSKEY"):
        publicfile.paired(private_of(key), other, "K.key")


def test_a_dnskey_of_another_algorithm_is_refused(key):
    text = publicfile.write("airports.aa", key).replace(" 3 13 ", " 3 14 ")
    with pytest.raises(KeyFault, match="the private key does not fit its DNSKEY"):
        publicfile.paired(private_of(key), publicfile.read(text))


@pytest.mark.parametrize(("flags", "reason"), [("385", "revoked"), ("0", "flags 0 are not"), ("512", "flags 512")])
def test_flags_of_no_active_zone_key_are_refused(key, flags, reason):
    text = publicfile.write("airports.aa", key).replace("DNSKEY 257", f"DNSKEY {flags}")
    with pytest.raises(KeyFault, match=reason):
        publicfile.paired(private_of(key), publicfile.read(text))
