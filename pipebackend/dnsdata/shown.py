"""A request as a log may show it: of what may hold a private key or a secret only the kind and the size.

Only what is known to be harmless is shown, not all but what looks like a key: a request that nobody can read may still
hold one. A trace with its contents is another matter (``transcript``).
"""

from __future__ import annotations

from pipebackend.dnsdata import names

__all__ = ["request"]

_HARMLESS_WORDS = (b"HELO", b"Q", b"AXFR")  # of PIPE; CMD may be an import of a key
# Of names, types, numbers and addresses; PowerDNS escapes all others in names. JSON and base64 have others, too
_HARMLESS_OCTETS = frozenset(b"\tABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_*\\/:@")
_HARMLESS_FIELDS = ("qname", "name", "zonename", "domain", "qtype", "kind")
_MAX_OCTETS = 200
_MAX_METHOD = 32  # letters; PowerDNS's longest has 27


def request(line: bytes) -> str:
    """One request of either protocol for a log, on one line of printable text."""
    word = line.split(b"\t", 1)[0]
    if word in _HARMLESS_WORDS and _HARMLESS_OCTETS.issuperset(line):
        return repr(line[:_MAX_OCTETS])
    said = _object(line)
    if said is None:
        return f"a request of {len(line)} octets"
    method, params = said
    fields = [str(params[key]) for key in _HARMLESS_FIELDS if isinstance(params.get(key), str)]
    return names.printable(" ".join([method, *fields])[:_MAX_OCTETS])


def _object(line: bytes) -> tuple[str, dict[str, object]] | None:
    """The method and the parameters of a REMOTE request; None if it is not one."""
    import json

    try:
        value = json.loads(line.decode("utf-8", "surrogateescape"), strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("method"), str):
        return None
    method, params = value["method"], value.get("parameters")
    if len(method) > _MAX_METHOD or not method.removesuffix("3").isalpha():  # feedEnts3
        return None
    return method, params if isinstance(params, dict) else {}
