"""Zone files signed by the tools of BIND and ldns, for servers that have no keys.

Each signer refuses, or cannot read, a few records of the files in differential/; these are left out for it.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import dns.name
import dns.rdatatype

from tests.live.differential import read_file
from tests.live.servers import PATIENCE, program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dns.name import Name
    from dns.rdata import Rdata

__all__ = ["SIGNERS", "signed"]

SIGNERS = {  # by signer and kind of denial, of the parameters in signed.MODES
    "ldns-nsec": [],
    "ldns-nsec3": ["-n", "-s", "ab", "-t", "5"],
    "ldns-opt-out": ["-n", "-p", "-t", "0"],
    "bind-nsec": [],
    "bind-nsec3": ["-3", "ab", "-H", "5"],
    "bind-opt-out": ["-3", "-", "-A"],
}


def signed(apex: str, file: Path, signer: str, folder: Path) -> Path:
    """A signed copy of a zone file; ``folder`` is for it and its key."""
    folder.mkdir()
    plain, result = folder / "plain", folder / "signed"
    is_refused = REFUSED[signer.partition("-")[0]]
    plain.write_text("".join(line for owner, rdata, line in _records(apex, file) if not is_refused(owner, rdata)))
    key = _printed(folder, "dnssec-keygen", "-q", "-a", "ED25519", "-f", "KSK", apex).strip()
    options = ["-o", apex, "-f", result.name, *SIGNERS[signer], plain.name]
    if signer.startswith("ldns"):
        _printed(folder, "ldns-signzone", *options, key)
    else:
        _printed(folder, "dnssec-signzone", "-q", "-S", "-z", *options)
    # The mnemonic is right (RFC 4398 section 2.2), but PowerDNS's bind backend reads only the number.
    result.write_text(result.read_text().replace("CERT\tPKIX", "CERT\t1"))
    return result


def _records(apex: str, file: Path) -> Iterator[tuple[Name, Rdata, str]]:
    """The records of a zone file, each with its line."""
    for owner, ttl, rdata in read_file(apex, file).iterate_rdatas():
        yield owner, rdata, f"{owner} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {rdata.to_text()}\n"


def _refused_by_ldns(owner: Name, rdata: Rdata) -> bool:
    """It reads no name of more than 255 characters, escapes included, and no IPSECKEY in parts.

    A quote at the start of a name it writes without its backslash, which is then no name (RFC 1035 section 5.1).
    """
    return len(str(owner)) > 256 or owner.labels[0].startswith(b'"') or rdata.rdtype == dns.rdatatype.IPSECKEY


def _refused_by_bind(owner: Name, rdata: Rdata) -> bool:
    """It wants no DS without NS, no NS at a wildcard, and for NSEC3 a name to which another label can be added."""
    if rdata.rdtype == dns.rdatatype.DS:
        return owner.is_wild() or owner == dns.name.root or owner.labels[0] == b"stray"
    return len(owner.to_wire()) > 253 or (owner.is_wild() and rdata.rdtype == dns.rdatatype.NS)


REFUSED = {"ldns": _refused_by_ldns, "bind": _refused_by_bind}


def _printed(folder: Path, command: str, *words: str) -> str:
    done = subprocess.run(
        [program(command), *words], cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, f"{command} {' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout
