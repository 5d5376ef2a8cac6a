"""REST, as PowerDNS's http connector asks without ``post``: paths, headers and forms become REMOTE's parameters.

    GET /dns/lookup/lax%2eairports%2eaa%2e/ANY        X-RemoteBackend-remote: 192.0.2.1
    PATCH /dns/setDomainMetadata/example%2eorg%2e/ALSO-NOTIFY       value[]=192.0.2.53&value[]=192.0.2.54

A person may leave dots as they are, and the last one out. What follows the last part is the option ``url-suffix`` of
the connection string, and is skipped.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipebackend.server.httpwire import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    Form = list[tuple[str, str]]

__all__ = ["METHODS", "decoded", "form", "method_of", "parameters"]

# method → its verbs and the parts of its path
METHODS = {
    "APILookup": ("GET", "qname qtype"),
    "abortTransaction": ("POST", "trxid"),
    "activateDomainKey": ("POST", "id name"),
    "addDomainKey": ("PUT", "name"),
    "commitTransaction": ("POST", "trxid"),
    "createSlaveDomain": ("PUT", "ip domain"),
    "deactivateDomainKey": ("POST", "id name"),
    "deleteTSIGKey": ("DELETE", "name"),
    "directBackendCmd": ("POST", ""),
    "feedEnts": ("PATCH", "domain_id trxid"),
    "feedEnts3": ("PATCH", "domain_id domain trxid"),
    "feedRecord": ("PATCH", "trxid"),
    "getAllDomainMetadata": ("GET", "name"),
    "getAllDomains": ("GET", ""),
    "getBeforeAndAfterNamesAbsolute": ("GET", "id qname"),
    "getDomainInfo": ("GET", "name"),
    "getDomainKeys": ("GET", "name"),
    "getDomainMetadata": ("GET", "name kind"),
    "getTSIGKey": ("GET", "name"),
    "getTSIGKeys": ("GET", ""),
    "getUnfreshSlaveInfos": ("GET", ""),
    "getUpdatedMasters": ("GET", ""),
    "list": ("GET", "domain_id zonename"),
    "lookup": ("GET", "qname qtype"),
    "publishDomainKey": ("POST", "id name"),
    "removeDomainKey": ("DELETE", "id name"),
    "replaceRRSet": ("PATCH", "domain_id qname qtype"),
    "searchRecords": ("GET", ""),
    "setDomainMetadata": ("PATCH", "name kind"),
    "setFresh": ("PATCH", "id"),
    "setNotified": ("PATCH", "id"),
    "setStale": ("PATCH", "id"),
    "setTSIGKey": ("PATCH", "name"),
    "startTransaction": ("POST", "domain_id domain trxid"),
    "superMasterBackend": ("POST", "ip domain"),
    "unpublishDomainKey": ("POST", "id name"),
}
_LONGEST_FIRST = sorted(METHODS, key=len, reverse=True)
_NUMBERS = frozenset(("id", "domain_id", "trxid"))
# What the last part can be made of: the suffix follows. PowerDNS encodes all but letters and digits; of names it writes
# the last dot, as %2e.
_LAST = {
    **dict.fromkeys(_NUMBERS, re.compile(r"(?:-|%2[dD])?[0-9]+")),
    "qtype": re.compile(r"[A-Z0-9]+"),
    "kind": re.compile(r"(?:[A-Za-z0-9_-]|%[0-9a-fA-F]{2})+"),
}
_NAME = re.compile(r"(?s).*%2[eE]|[^/]*")
_DIGITS = "0123456789abcdefABCDEF"
_OCTETS = {high + low: chr(int(high + low, 16)) for high in _DIGITS for low in _DIGITS}
_FLAGS = {"1": True, "true": True, "0": False, "false": False}
_HEADERS = ("local", "remote", "real-remote")


def decoded(text: str) -> str:
    """Without percent-encoding; octets that are not UTF-8 become surrogates, as in lines of JSON."""
    if "%" not in text:
        return text
    first, *escaped = text.split("%")
    try:
        octets = first + "".join([_OCTETS[part[:2]] + part[2:] for part in escaped])
    except KeyError:
        raise Refusal(400, "a percent sign is followed by two hexadecimal digits (RFC 3986 section 2.1)") from None
    if octets.isascii():
        return octets
    return octets.encode("latin-1").decode("utf-8", "surrogateescape")


def form(text: str) -> Form:
    """The fields of a form, in order; what has no name, as PowerDNS sends of booleans, has an empty one."""
    found = []
    for field in text.split("&") if text else ():
        name, equals, value = field.replace("+", " ").partition("=")
        found.append((decoded(name), decoded(value)) if equals else ("", decoded(name)))
    return found


def method_of(path: str) -> str:
    """The method that a path below that of the service begins with, or a Refusal."""
    word = path.partition("/")[0]
    found = word if word in METHODS else next((name for name in _LONGEST_FIRST if word.startswith(name)), "")
    if not found:
        raise Refusal(400, "the path has no method of REMOTE after that of --listen")
    return found


def parameters(method: str, path: str, query: str, headers: Mapping[bytes, bytes], body: str) -> dict[str, Any]:
    """What the method is given; ``path`` is without the method. Raises Refusal."""
    found: dict[str, Any] = {}
    names = METHODS[method][1].split()
    parts = path.split("/", len(names))[1:] if names else []
    if len(parts) < len(names):
        raise Refusal(400, f"{method}: the path has {'/'.join(['', method, *names])}")
    for name, part in zip(names, parts, strict=False):
        found[name] = _part(method, name, part, name == names[-1])
    for name in _HEADERS if "qname" in found else ():
        found[name] = headers.get(b"x-remotebackend-" + name.encode(), b"").decode("utf-8", "surrogateescape")
    if method == "lookup":
        found["zone-id"] = _number(method, "zone-id", headers.get(b"x-remotebackend-zone-id", b"-1").decode("latin-1"))
    if method in _BODIES:
        found |= _BODIES[method](form(query.replace("?", "&") if method in _BY_QUERY else body))
    return found


def _part(method: str, name: str, part: str, is_last: bool) -> str | int:
    if is_last:
        kept = _LAST.get(name, _NAME).match(part)
        part = kept[0] if kept else ""
    value = decoded(part)
    if not value:
        raise Refusal(400, f"{method}: the path has no {name}")
    return _number(method, name, value) if name in _NUMBERS else value


def _number(method: str, name: str, text: str) -> int:
    """Also as PowerDNS writes serials, with six zeros after a point."""
    whole = text.removesuffix(".000000")
    if not whole.removeprefix("-").isdigit() or not whole.isascii() or len(whole) > 20:
        raise Refusal(400, f"{method}: {name} must be a whole number")
    return int(whole)


def _one(fields: Form, method: str, name: str, default: str | None = None) -> str:
    found = dict(fields).get(name, default)
    if found is None:
        raise Refusal(400, f"{method}: the form has no {name}")
    return found


def _flag(text: str) -> bool:
    if text not in _FLAGS:
        raise Refusal(400, "a flag is 1 or 0")
    return _FLAGS[text]


def _key(fields: Form) -> dict[str, Any]:
    method = "addDomainKey"
    key = {
        "flags": _number(method, "flags", _one(fields, method, "flags")),
        "active": _flag(_one(fields, method, "active")),
        "published": _flag(_one(fields, method, "published", "1")),
        "content": _one(fields, method, "content"),
    }
    return {"key": key}


def _record(fields: Mapping[str, str], method: str) -> dict[str, Any]:
    known = ("qname", "qtype", "content")
    record: dict[str, Any] = {name: fields[name] for name in known if name in fields}
    if len(record) < len(known) or "ttl" not in fields:
        raise Refusal(400, f"{method}: a record has qname, qtype, content and ttl")
    return {**record, "ttl": _number(method, "ttl", fields["ttl"])}


def _members(fields: Form, prefix: str) -> dict[str, str]:
    """``rr[qname]=…``"""
    return {name.removeprefix(f"{prefix}[").removesuffix("]"): value for name, value in fields if name}


def _rows(fields: Form, prefix: str) -> Iterator[dict[str, str]]:
    """``rrset[0][qname]=…``, by their numbers."""
    rows: dict[str, dict[str, str]] = {}
    for name, value in fields:
        number, between, member = name.removeprefix(f"{prefix}[").partition("][")
        if name and (not between or not name.startswith(f"{prefix}[")):
            raise Refusal(400, f"a field is called {prefix}[NUMBER][MEMBER]")
        if name:
            rows.setdefault(number, {})[member.removesuffix("]")] = value
    yield from rows.values()


def _rrset(fields: Form) -> dict[str, Any]:
    """Of PowerDNS before 5.0 the ttl of each record but the last runs into the next one's flag ``auth``."""
    rows = list(_rows(fields, "rrset"))
    flags = sum(not name for name, _ in fields)
    if 0 < flags < len(rows):
        last = rows[-1].get("ttl", "")
        for row in rows[:-1]:
            ttl = row.get("ttl", "")
            if ttl[:-1] != last or ttl[-1:] not in ("0", "1"):
                raise Refusal(
                    400, "replaceRRSet: records run into each other, and their ttl cannot be told; use post_json"
                )
            row["ttl"] = last
    return {"rrset": [_record(row, "replaceRRSet") for row in rows]}


def _secondary(fields: Form) -> dict[str, Any]:
    return {"account": _one(fields, "createSlaveDomain", "account", "")}


def _search(fields: Form) -> dict[str, Any]:
    method = "searchRecords"
    pattern = _one(fields, method, "pattern", dict(fields).get("q"))
    return {"pattern": pattern, "maxResults": _number(method, "maxResults", _one(fields, method, "maxResults", "100"))}


_BY_QUERY = ("getAllDomains", "searchRecords")
_BODIES: dict[str, Callable[[Form], dict[str, Any]]] = {
    "addDomainKey": _key,
    "createSlaveDomain": _secondary,
    "directBackendCmd": lambda fields: {"query": _one(fields, "directBackendCmd", "query")},
    "feedRecord": lambda fields: {"rr": _record(_members(fields, "rr"), "feedRecord")},
    "getAllDomains": lambda fields: {"include_disabled": _flag(_one(fields, "", "includeDisabled", "false"))},
    "replaceRRSet": _rrset,
    "searchRecords": _search,
    "setDomainMetadata": lambda fields: {"value": [value for name, value in fields if name == "value[]"]},
    "setNotified": lambda fields: {"serial": _number("setNotified", "serial", _one(fields, "setNotified", "serial"))},
    "setTSIGKey": lambda fields: {name: _one(fields, "setTSIGKey", name) for name in ("algorithm", "content")},
    "superMasterBackend": lambda fields: {"nsset": list(_rows(fields, "nsset"))},
}
