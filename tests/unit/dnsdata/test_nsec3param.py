"""NSEC3 parameters: their text both ways, and each thing that can be wrong with it."""

import pytest

from pipebackend.base.errors import MetadataFault
from pipebackend.dnsdata import nsec3param
from pipebackend.dnsdata.nsec3param import Nsec3Param


@pytest.mark.parametrize(
    ("text", "param", "normal"),
    [
        ("1 0 0 -", Nsec3Param(), "1 0 0 -"),
        ("1 1 100 AB", Nsec3Param(1, 100, b"\xab"), "1 1 100 ab"),
        ("  1\t0  1   00ff ", Nsec3Param(0, 1, b"\x00\xff"), "1 0 1 00ff"),
        ("1 0 0 " + "ab" * 255, Nsec3Param(0, 0, b"\xab" * 255), "1 0 0 " + "ab" * 255),
    ],
)
def test_text_is_read_and_written_as_powerdns_writes_it(text, param, normal):
    assert nsec3param.from_text(text) == param
    assert nsec3param.to_text(param) == normal


def test_opt_out_is_the_flag():
    assert nsec3param.from_text("1 1 0 -").opt_out
    assert not nsec3param.from_text("1 0 0 -").opt_out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 fields"),
        ("1 0 0", "3 fields"),
        ("1 0 0 - -", "5 fields"),
        ("2 0 0 -", "algorithm 2 is unknown"),
        ("one 0 0 -", "algorithm 'one' is not a number"),
        ("1 2 0 -", "flags 2 are unknown"),
        ("1 -1 0 -", "flags '-1' is not a number"),
        ("1 0 101 -", "101 iterations; PowerDNS stops at 100"),
        ("1 0 70000 -", "70000 iterations"),
        ("1 0 999999 -", "iterations '999999' is not a number from 0 to 65535"),
        ("1 0 \u0661 -", "not a number"),
        ("1 0 0 zz", "salt 'zz' is not hex"),
        ("1 0 0 abc", "salt 'abc' is not hex"),
        ("1 0 0 " + "ab" * 256, "salt has 256 octets"),
    ],
)
def test_malformed_text_is_refused_with_the_reason(text, reason):
    with pytest.raises(MetadataFault, match=reason):
        nsec3param.from_text(text)
