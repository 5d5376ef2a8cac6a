"""Values that dnspython refuses are read as they are written, and named by the check with their line."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.dnsdata import rdtext
from pipebackend.zones.kinds.file import FileZone
from pipebackend.zones.text import zonefile

HEAD = "$TTL 60\n@ SOA ns1 h 1 7200 900 1209600 3600\n@ NS ns1\nns1 A 192.0.2.1\n"
DIGEST = "ab" * 48
ODD = {
    'x SVCB 1 . ech="AAECAwQF" port=60': ("0001 00 0003 0002 003c 0005 0006 000102030405", "ECH"),
    "x HTTPS ( 1 svc ech=AAEC )": ("0001 03737663076578616d706c65036f726700 0005 0003 000102", "ECH"),
    "x HTTPS 0 svc alpn=h2": ("0000 03737663076578616d706c65036f726700 0001 0003 026832", "AliasMode"),
    "x ( HTTPS 0 . ) alpn=h2": ("0000 00 0001 0003 026832", "AliasMode"),
    'x SVCB ( 0 . ech="AAEC" ) ; both': ("0000 00 0005 0003 000102", "AliasMode"),
    f"@ ZONEMD 1 0 1 (\n  {DIGEST} )": (f"00000001 00 01 {DIGEST}", "scheme 0 is reserved"),
    f"@ ZONEMD 1 1 0 {DIGEST}": (f"00000001 01 00 {DIGEST}", "hash_algorithm 0 is reserved"),
    "x TLSA 3 1 2 abcd": ("03 01 02 abcd", "inconsistent with matching type"),
    "x SMIMEA 3 1 1 abcd ; a comment": ("03 01 01 abcd", "inconsistent with matching type"),
    'x URI 10 1 ""': ("000a 0001", "URI target cannot be empty"),
    "x GPOS 1e1 2 3": ("03 316531 01 32 01 33", "malformed"),
    'x GPOS ( a\\032b "c d"\n ) "" ; a comment': ("03 612062 03 632064 00", "malformed"),
    "x GPOS 91 0 0": ("02 3931 01 30 01 30", "bad latitude"),
}


def read(tmp_path, line):
    path = tmp_path / "zone"
    path.write_text(f"{HEAD}{line}\n")
    return zonefile.read(str(path), "example.org")


@pytest.mark.parametrize("line", ODD)
def test_an_odd_value_is_read_as_it_is_written_and_named(tmp_path, line):
    octets, reason = ODD[line]
    text = read(tmp_path, line)
    record = text.records[-1]
    assert rdtext.octets_of(record.type, record.content).hex() == octets.replace(" ", "")
    [fault] = [fault for fault in FileZone(1, "example.org", text).faults if "odd" in fault]
    assert fault.startswith(f"{tmp_path}/zone:5: odd, and served as it is: ")
    assert reason in fault


@pytest.mark.parametrize(
    "line",
    [
        "x SVCB 1 . mandatory=alpn ech=AAEC",
        "x SVCB 1 . ech=x!",
        "x SVCB 0 . alpn=",
        "x SVCB 0 . nothing=1",
        "x ZONEMD 1 0 256 abababababababababababab",
        "x TLSA 3 1 1 abc",
        'x URI 10 x ""',
        "x GPOS 1e1 2",
        "x GPOS 1e1 2 3 4",
        f"x GPOS 1 2 {'a' * 256}",
    ],
)
def test_what_else_is_wrong_with_it_is_still_refused(tmp_path, line):
    with pytest.raises(ZoneFault, match=":5: "):
        read(tmp_path, line)
