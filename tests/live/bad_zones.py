"""A zone file for each finding of ``zoneutil zone check``, with the words by which other checkers tell the same.

The table of docs/zones.md is made of this.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["APEX", "BAD", "TOOLS", "Bad"]

APEX = "example.org"
TOOLS = ("named-checkzone", "nsd-checkzone", "pdnsutil check-zone")
_APEX_NS = "@ NS ns1\n"
_HEAD = f"$TTL 60\n@ SOA ns1 hostmaster 1 7200 900 1209600 3600\n{_APEX_NS}ns1 A 192.0.2.1\n"
_DS = "DS 1 8 2 " + "ab" * 32


class Bad(NamedTuple):
    """The lines that make a zone bad, and what each says of it: ``zone check`` and ``TOOLS``, "" for nothing."""

    lines: str
    ours: str
    named: str
    nsd: str
    pdnsutil: str

    @property
    def text(self) -> str:
        """The zone file."""
        return (_HEAD if self.lines else _HEAD.replace(_APEX_NS, "")) + self.lines


BAD = {
    "no NS at the apex": Bad("", "no NS record at its apex", "has no NS records", "", "No NS record at zone apex"),
    "a name outside of the zone": Bad(
        "other.example. A 192.0.2.1\n", "is not in the zone", "out-of-zone data", "out of zone data", "not loaded"
    ),
    "a second SOA that differs": Bad(
        "@ SOA ns1 hostmaster 2 7200 900 1209600 3600\n", "a second SOA", "singleton type", "this SOA record was", ""
    ),
    "CNAME beside other records": Bad(
        "c CNAME ns1\nc TXT x\n", "has a CNAME beside TXT", "CNAME and other", "CNAME and other", "with same label"
    ),
    "two CNAMEs": Bad(
        "c CNAME ns1\nc CNAME ns2.example.net.\n",
        "has more than one CNAME",
        "singleton type",
        "multiple CNAMEs",
        "Duplicate CNAME",
    ),
    "two DNAMEs": Bad(
        "d DNAME example.net.\nd DNAME example.com.\n",
        "has more than one DNAME",
        "singleton type",
        "multiple DNAMEs",
        "",
    ),
    "a name below a DNAME": Bad(
        "d DNAME example.net.\nx.d A 192.0.2.1\n",
        "is below the DNAME at",
        "",
        "While checking node",
        "occluded by a DNAME",
    ),
    "other records than addresses below a delegation": Bad(
        "s NS ns.example.net.\nd.s TXT x\n",
        "which is below a delegation",
        "",
        "",
        "occluded by a delegation",
    ),
    "DNAME below a delegation": Bad(
        "s NS ns.example.net.\nd.s DNAME example.net.\n",
        "which is below a delegation",
        "",
        "",
        "occluded by a delegation",
    ),
    "DNAME beside NS": Bad(
        "d DNAME example.net.\nd NS ns.example.net.\n", "has DNAME beside NS", "", "", "occluded by a delegation"
    ),
    "DS at the apex": Bad(f"@ {_DS}\n", "DS at the apex", "DS record at top", "", "DS at apex"),
    "DS without NS": Bad(f"x {_DS}\n", "has DS without NS", "", "", "without a delegation"),
    "NS at a wildcard": Bad("*.w NS ns.example.net.\n", "NS at the wildcard", "invalid NS owner name", "", ""),
    "a delegation without glue": Bad("s NS ns.s\n", "has no glue", "has no REQUIRED GLUE", "", "Missing glue"),
    "MX, SRV or NS to a name without address": Bad(
        "m MX 10 nowhere\n", "has no address", "has no address records", "", ""
    ),
    "MX, SRV or NS to a CNAME": Bad(
        "m MX 10 c\nc CNAME ns1\n", "is a CNAME, which MX must not name", "is a CNAME (illegal)", "", "that is a CNAME"
    ),
    "TTLs that differ in an RRset": Bad(
        "t 60 A 192.0.2.1\nt 61 A 192.0.2.2\n", "has ttl 61", "TTL set to prior", "does not match", "TTL mismatch"
    ),
    "a record twice": Bad("t A 192.0.2.1\nt A 192.0.2.1\n", "is there twice", "", "", "Duplicate record"),
}
