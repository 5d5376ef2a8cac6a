"""An entry of a zone file that cannot be read is named with its field, its value and what to write."""

from __future__ import annotations

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.zones.text import zonefile

HEAD = "$TTL 300\n@ SOA ns1 hostmaster 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("a A 192.0.2.256", "'192.0.2.256' is not an IPv4 address; write A as: IPv4-address, such as 192.0.2.1"),
        ("a 300 IN AAAA 192.0.2.1", "'192.0.2.1' is not an IPv6 address"),
        (" IN 300 A ::1", "'::1' is not an IPv4 address"),
        ("a MX mail", "preference 'mail' is not a number; write MX as: preference exchange"),
        ("a IN MX 10", "exchange is missing; write MX as"),
        ("a ( MX\n x ) ; too few", "preference 'x' is not a number"),
        ("a A", "IPv4-address is missing"),
        ("a A 192.0.2.1 192.0.2.2", "'192.0.2.2' is too much"),
        ("a TXT", "text is missing; write TXT as"),
        ('a TXT "open', "a quote is opened and never closed"),
        ("a TLSA 3 1 1 zz", "Non-hexadecimal digit found; write TLSA as"),
        ('"a b" A 192.0.2.1', r"an owner name has no quotes around it, and a blank in it is written \032"),
        ("only", "a type and its content are missing"),
        ("a 300 IN", "a type and its content are missing"),
        ("a B 1", "there is no type B; write owner, TTL, class, type and content"),
        ("a 300 600 A 192.0.2.1", "600 stands where the type is written"),
        ("a -1 A 192.0.2.1", "-1 stands where the type is written; a TTL comes before it, once, from 0 to"),
        ("a 99999999999 A 192.0.2.1", "99999999999 stands where the type is written"),
        ("a CH TXT x", "the class CH is not served, IN alone"),
        ("a..b A 192.0.2.1", "A DNS label is empty, in"),
        ("a A \\# 5 0001", "in 'a A"),
        ("pc [AGE:3724560] 1200 A 192.0.2.1", "is a time stamp of Windows DNS: remove it"),
        ("@ 0 WINS L2 C900 ( 192.0.2.5 )", "WINS is of Windows DNS alone: remove the record"),
        ("$TTL x", "write it as $TTL 3600"),
        ("$ORIGIN", "write it as $ORIGIN example.org."),
        ("$FOO", "there are $TTL, $ORIGIN, $INCLUDE and $GENERATE"),
    ],
)
def test_an_entry_is_named_with_its_field_and_what_to_write(tmp_path, entry, said):
    path = tmp_path / "zone"
    path.write_text(HEAD + entry + "\n")
    with pytest.raises(ZoneFault) as caught:
        zonefile.read(str(path), "example.org", for_store=True)
    [fault] = str(caught.value).splitlines()
    assert fault.startswith(f"{path}:5: ")
    assert said in fault
    assert "malformed" not in fault
