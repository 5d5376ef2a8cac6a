"""The kinds of domain metadata that PowerDNS knows, in one table, and how a value of each is checked.

PowerDNS itself takes any value and then serves the zone in some other way, or not at all; here a wrong value
is refused when it is written.
"""

from __future__ import annotations

from pipebackend.base.errors import KeyFault, MetadataFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import nsec3param, tsig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["KINDS", "MAX_VALUE_OCTETS", "Kind", "checked", "kind_of"]

MAX_VALUE_OCTETS = 65_536  # larger ones would travel byte by byte with each zone's metadata (rule R-3)
MAX_KIND_CHARS = 32  # the column domainmetadata.kind of PowerDNS's schema
USER_PREFIX = "X-"  # kinds of other applications, which PowerDNS leaves alone
_SOA_EDITS = ("INCREMENT-WEEKS", "INCEPTION-EPOCH", "INCEPTION-INCREMENT", "EPOCH", "NONE")
_SERIAL_EDITS = ("DEFAULT", "INCREASE", "EPOCH", "SOA-EDIT", "SOA-EDIT-INCREASE")
_DS_DIGESTS = ("1", "2", "3", "4")  # the digest types that PowerDNS 4.7 can be asked for


class Kind(Value):
    """One kind of metadata.

    ``single`` kinds hold one value, the others a list. ``check`` gives a value's normal form or raises
    MetadataFault; its second argument tells whether a TSIG key of this canonical name exists.
    """

    name: str
    single: bool
    check: Callable[[str, Callable[[str], bool]], str]


def checked(kind: str, values: Sequence[str], *, tsig_key_exists: Callable[[str], bool]) -> list[str]:
    """The values of ``kind`` in normal form, each once; raises MetadataFault that names kind and value.

    No values at all mean that the metadata is deleted, which every kind allows (rule R-18).
    """
    known = kind_of(kind)
    if known.single and len(values) > 1:
        raise MetadataFault(f"{kind} holds one value, not {len(values)}; give one")
    normal = []
    for value in values:
        _check_text(kind, value)
        try:
            normal.append(known.check(value, tsig_key_exists))
        except (MetadataFault, KeyFault) as exc:
            raise MetadataFault(f"{kind}: {exc}") from None
    return list(dict.fromkeys(normal))


def kind_of(name: str) -> Kind:
    """The kind called ``name``, as PowerDNS spells it or starting with ``X-``; raises MetadataFault."""
    known = KINDS.get(name)
    if known:
        return known
    if len(name) > MAX_KIND_CHARS or not (name.isascii() and name.isprintable()):
        raise MetadataFault(f"metadata kind {_shown(name)} is not at most {MAX_KIND_CHARS} printable ASCII characters")
    if name.startswith(USER_PREFIX) and name != USER_PREFIX:
        return Kind(name, False, _any_text)
    if name.upper() in KINDS:  # PowerDNS compares kinds with their case
        raise MetadataFault(f"metadata kind {_shown(name)} is written {name.upper()}")
    raise MetadataFault(
        f"metadata kind {_shown(name)} is unknown to PowerDNS; kinds of your own start with {USER_PREFIX}"
    )


def _check_text(kind: str, value: str) -> None:
    try:
        octets = len(value.encode())
    except UnicodeEncodeError:
        raise MetadataFault(f"{kind}: value {_shown(value)} is not UTF-8 text") from None
    if octets > MAX_VALUE_OCTETS:
        raise MetadataFault(f"{kind}: a value of {octets} octets; at most {MAX_VALUE_OCTETS} are allowed")
    if "\0" in value:  # PostgreSQL has no text with NUL
        raise MetadataFault(f"{kind}: value {_shown(value)} has a NUL character")


def _any_text(value: str, _exists: Callable[[str], bool]) -> str:
    return value


def _some_text(value: str, _exists: Callable[[str], bool]) -> str:
    text = value.strip()
    if not text:
        raise MetadataFault("the value is empty; delete the metadata instead")
    return text


def _flag(value: str, _exists: Callable[[str], bool]) -> str:
    if value not in ("0", "1"):
        raise MetadataFault(f"{_shown(value)} is neither 1 nor 0")
    return value


def _presence(value: str, _exists: Callable[[str], bool]) -> str:
    # PowerDNS only asks whether the kind is there: a "0" would switch it on
    if value not in ("", "1"):
        raise MetadataFault(f"{_shown(value)} would switch it on all the same; write 1, or delete the metadata")
    return value


def _network(value: str, _exists: Callable[[str], bool]) -> str:
    from ipaddress import ip_network

    try:
        return str(ip_network(value.strip(), strict=False))
    except ValueError:
        raise MetadataFault(f"{_shown(value)} is not a network such as 192.0.2.0/24 or 2001:db8::/48") from None


def _network_or_auto_ns(value: str, exists: Callable[[str], bool]) -> str:
    if value.strip().upper() == "AUTO-NS":
        return "AUTO-NS"
    try:
        return _network(value, exists)
    except MetadataFault as exc:
        raise MetadataFault(f"{exc}, nor AUTO-NS") from None


def _address(value: str, _exists: Callable[[str], bool]) -> str:
    from ipaddress import ip_address

    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise MetadataFault(f"{_shown(value)} is not an IP address") from None


def _address_with_port(value: str, exists: Callable[[str], bool]) -> str:
    host, port = _split_port(value.strip())
    if port is None:
        return _address(host, exists)
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) <= 65_535):
        raise MetadataFault(f"{_shown(value)} has no port from 1 to 65535")
    address = _address(host, exists)
    return f"[{address}]:{int(port)}" if ":" in address else f"{address}:{int(port)}"


def _split_port(text: str) -> tuple[str, str | None]:
    """Address and port of ``192.0.2.1:53``, ``[2001:db8::1]:53`` or a bare address."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]:")
        return host, port
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def _tsig_key(value: str, exists: Callable[[str], bool]) -> str:
    name = tsig.key_name(value.strip())
    if not exists(name):
        raise MetadataFault(f"there is no TSIG key {_shown(name)}; create it first")
    return name


def _tsig_key_or_principal(value: str, exists: Callable[[str], bool]) -> str:
    # With GSS-TSIG a Kerberos principal may stand here (RFC 3645), which has a realm behind an @
    return value.strip() if "@" in value else _tsig_key(value, exists)


def _nsec3param(value: str, _exists: Callable[[str], bool]) -> str:
    return nsec3param.to_text(nsec3param.from_text(value))


def _ds_digests(value: str, _exists: Callable[[str], bool]) -> str:
    if value.strip() == "0":  # the request to delete the DS (RFC 8078 section 4)
        return "0"
    digests = [digest.strip() for digest in value.split(",")]
    for digest in digests:
        if digest not in _DS_DIGESTS:
            raise MetadataFault(f"{_shown(digest)} is not a DS digest type; write such as 2 or 2,4, or 0 to delete")
    return ",".join(dict.fromkeys(digests))


def _soa_edit(value: str, _exists: Callable[[str], bool]) -> str:
    return _one_of(_SOA_EDITS, value)


def _serial_edit(value: str, _exists: Callable[[str], bool]) -> str:
    return _one_of(_SERIAL_EDITS, value)


def _one_of(choices: Sequence[str], value: str) -> str:
    choice = value.strip().upper()
    if choice and choice not in choices:  # the HTTP API writes the empty value for "no editing"
        raise MetadataFault(f"{_shown(value)} is none of {', '.join(choices)}")
    return choice


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:57] + "...")


# After PowerDNS's documentation of domain metadata; of a single kind it reads the first value only.
KINDS = {
    kind.name: kind
    for kind in (
        Kind("ALLOW-AXFR-FROM", False, _network_or_auto_ns),
        Kind("ALLOW-DNSUPDATE-FROM", False, _network),
        Kind("ALSO-NOTIFY", False, _address_with_port),
        Kind("API-RECTIFY", True, _flag),
        Kind("AXFR-MASTER-TSIG", True, _tsig_key),
        Kind("AXFR-SOURCE", True, _address),
        Kind("ENABLE-LUA-RECORDS", True, _flag),
        Kind("FORWARD-DNSUPDATE", True, _presence),
        Kind("GSS-ACCEPTOR-PRINCIPAL", True, _some_text),
        Kind("GSS-ALLOW-AXFR-PRINCIPAL", False, _some_text),
        Kind("IXFR", True, _flag),
        Kind("LUA-AXFR-SCRIPT", True, _some_text),
        Kind("NOTIFY-DNSUPDATE", True, _flag),
        Kind("NSEC3NARROW", True, _flag),
        Kind("NSEC3PARAM", True, _nsec3param),
        Kind("PRESIGNED", True, _flag),
        Kind("PUBLISH-CDNSKEY", True, _flag),
        Kind("PUBLISH-CDS", True, _ds_digests),
        Kind("RFC1123-CONFORMANCE", True, _flag),
        Kind("SIGNALING-ZONE", True, _flag),
        Kind("SLAVE-RENOTIFY", True, _flag),
        Kind("SOA-EDIT", True, _soa_edit),
        Kind("SOA-EDIT-API", True, _serial_edit),
        Kind("SOA-EDIT-DNSUPDATE", True, _serial_edit),
        Kind("TSIG-ALLOW-AXFR", False, _tsig_key),
        Kind("TSIG-ALLOW-DNSUPDATE", False, _tsig_key_or_principal),
    )
}
