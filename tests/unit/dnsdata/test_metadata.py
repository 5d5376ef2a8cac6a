"""Metadata: each kind takes what PowerDNS's documentation shows, and refuses the rest with a reason."""

import subprocess
import sys

import pytest

from pipebackend.base.errors import MetadataFault
from pipebackend.dnsdata import metadata


def checked(kind, *values):
    return metadata.checked(kind, list(values), tsig_key_exists=lambda name: name in ("transfer", "k.example"))


@pytest.mark.parametrize("kind", metadata.KINDS)
def test_no_values_delete_any_kind(kind):
    assert checked(kind) == []


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("ALLOW-AXFR-FROM", "auto-ns", "AUTO-NS"),
        ("ALLOW-AXFR-FROM", "192.0.2.77/24", "192.0.2.0/24"),
        ("ALLOW-AXFR-FROM", "192.0.2.7", "192.0.2.7/32"),
        ("ALLOW-AXFR-FROM", "2001:DB8::/48", "2001:db8::/48"),
        ("ALLOW-DNSUPDATE-FROM", "0.0.0.0/0", "0.0.0.0/0"),
        ("ALSO-NOTIFY", "192.0.2.1:5300", "192.0.2.1:5300"),
        ("ALSO-NOTIFY", "192.0.2.1", "192.0.2.1"),
        ("ALSO-NOTIFY", "2001:db8::1", "2001:db8::1"),
        ("ALSO-NOTIFY", "[2001:DB8::1]:053", "[2001:db8::1]:53"),
        ("API-RECTIFY", "1", "1"),
        ("AXFR-MASTER-TSIG", "Transfer.", "transfer"),
        ("AXFR-SOURCE", " 192.0.2.1 ", "192.0.2.1"),
        ("ENABLE-LUA-RECORDS", "1", "1"),
        ("FORWARD-DNSUPDATE", "", ""),
        ("GSS-ACCEPTOR-PRINCIPAL", "DNS/ns1.example@REALM", "DNS/ns1.example@REALM"),
        ("GSS-ALLOW-AXFR-PRINCIPAL", "user@REALM", "user@REALM"),
        ("IXFR", "0", "0"),
        ("LUA-AXFR-SCRIPT", "/etc/powerdns/axfr.lua", "/etc/powerdns/axfr.lua"),
        ("NOTIFY-DNSUPDATE", "1", "1"),
        ("NSEC3NARROW", "1", "1"),
        ("NSEC3PARAM", "1 0 0 -", "1 0 0 -"),
        ("NSEC3PARAM", " 1 1 1 AB", "1 1 1 ab"),
        ("PRESIGNED", "1", "1"),
        ("PUBLISH-CDNSKEY", "0", "0"),
        ("PUBLISH-CDS", "2, 4,2", "2,4"),
        ("PUBLISH-CDS", "0", "0"),
        ("SLAVE-RENOTIFY", "1", "1"),
        ("SOA-EDIT", "inception-increment", "INCEPTION-INCREMENT"),
        ("SOA-EDIT-API", "", ""),
        ("SOA-EDIT-API", "default", "DEFAULT"),
        ("SOA-EDIT-DNSUPDATE", "SOA-EDIT-INCREASE", "SOA-EDIT-INCREASE"),
        ("TSIG-ALLOW-AXFR", "K.Example.", "k.example"),
        ("TSIG-ALLOW-DNSUPDATE", "transfer", "transfer"),
        ("TSIG-ALLOW-DNSUPDATE", "DHCP/host.example@REALM", "DHCP/host.example@REALM"),
        ("X-billing", " kept as it is\n", " kept as it is\n"),
    ],
)
def test_a_good_value_is_normalised(kind, value, normal):
    assert checked(kind, value) == [normal]
    assert checked(kind, normal) == [normal]


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("ALLOW-AXFR-FROM", "everyone", "'everyone' is not a network such as .*, nor AUTO-NS"),
        ("ALLOW-AXFR-FROM", "192.0.2.0/33", "not a network"),
        ("ALLOW-AXFR-FROM", "192.0.2.0/24,192.0.3.0/24", "not a network"),
        ("ALLOW-DNSUPDATE-FROM", "AUTO-NS", "not a network"),
        ("ALSO-NOTIFY", "ns1.example", "not an IP address"),
        ("ALSO-NOTIFY", "192.0.2.1:0", "no port"),
        ("ALSO-NOTIFY", "192.0.2.1:65536", "no port"),
        ("ALSO-NOTIFY", "192.0.2.1:", "no port"),
        ("ALSO-NOTIFY", "[2001:db8::1", "no port"),
        ("ALSO-NOTIFY", "", "not an IP address"),
        ("API-RECTIFY", "yes", "'yes' is neither 1 nor 0"),
        ("AXFR-MASTER-TSIG", "nobody", "there is no TSIG key 'nobody'; create it first"),
        ("AXFR-SOURCE", "192.0.2.0/24", "not an IP address"),
        ("FORWARD-DNSUPDATE", "0", "'0' would switch it on all the same"),
        ("GSS-ACCEPTOR-PRINCIPAL", " ", "empty"),
        ("LUA-AXFR-SCRIPT", "", "empty"),
        ("NSEC3NARROW", "", "neither 1 nor 0"),
        ("NSEC3PARAM", "1 0 1 zz", "salt 'zz' is not hex"),
        ("NSEC3PARAM", "1 0 500 -", "500 iterations"),
        ("PUBLISH-CDNSKEY", "delete", "neither 1 nor 0"),
        ("PUBLISH-CDS", "2;4", "not a DS digest type"),
        ("PUBLISH-CDS", "0,2", "not a DS digest type"),
        ("SOA-EDIT", "DAILY", "'DAILY' is none of INCREMENT-WEEKS"),
        ("SOA-EDIT-API", "INCEPTION-EPOCH", "none of DEFAULT"),
        ("TSIG-ALLOW-AXFR", "a..b", "empty label"),
        ("TSIG-ALLOW-AXFR", "host@REALM", "there is no TSIG key"),
        ("X-note", "a\0b", "NUL"),
        ("X-note", "\udcff", "not UTF-8"),
        ("X-note", "x" * 1_000_000, "a value of 1000000 octets; at most 65536"),
        ("X-note", "é" * 32_769, "a value of 65538 octets"),
    ],
)
def test_a_bad_value_is_refused_with_kind_and_reason(kind, value, reason):
    with pytest.raises(MetadataFault, match=f"^{kind}: .*{reason}") as caught:
        checked(kind, value)
    assert len(str(caught.value)) < 300


def test_a_value_of_64_kib_is_the_largest():
    assert checked("X-note", "x" * 65_536) == ["x" * 65_536]


@pytest.mark.parametrize("kind", [kind.name for kind in metadata.KINDS.values() if kind.single])
def test_two_values_for_a_single_kind_are_refused(kind):
    with pytest.raises(MetadataFault, match=f"{kind} holds one value, not 2"):
        checked(kind, "1", "1")


def test_a_list_keeps_its_order_and_says_each_thing_once():
    values = ["2001:db8::/48", "AUTO-NS", "192.0.2.1/24", "auto-ns", "192.0.2.0/24"]
    assert checked("ALLOW-AXFR-FROM", *values) == ["2001:db8::/48", "AUTO-NS", "192.0.2.0/24"]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("FOO", "'FOO' is unknown to PowerDNS; kinds of your own start with X-"),
        ("X-", "unknown"),
        ("", "unknown"),
        ("axfr-source", "'axfr-source' is written AXFR-SOURCE"),
        ("X-" + "a" * 31, "at most 32 printable ASCII characters"),
        ("X-é", "printable ASCII"),
        ("X-a\nb", "printable ASCII"),
    ],
)
def test_an_unknown_kind_is_refused(kind, reason):
    with pytest.raises(MetadataFault, match=reason):
        checked(kind, "1")


def test_importing_it_stays_cheap():
    """The coprocess imports it when it starts."""
    program = (
        "import sys, pipebackend.dnsdata.metadata, pipebackend.dnsdata.tsig\n"
        "print(sorted({'typing', 'dataclasses', 're', 'enum', 'functools', 'ipaddress', 'secrets'}"
        " & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert printed.stdout == "[]\n"
