"""What to write for an entry of a zone file that is not read, by the place of its type and its content."""

from __future__ import annotations

import re

from pipebackend.dnsdata import rdata, rdforms, records

__all__ = ["explained"]

_PARTS = re.compile(r'"(?:[^"\\]|\\.)*"|;[^\n]*|[()]', re.DOTALL)
_TTL = re.compile(r"(?i)\d+|(?:\d+[wdhms])+", re.ASCII)
_OTHER_CLASSES = ("CH", "HS", "ANY", "NONE", "CHAOS", "HESIOD")
_OF_WINDOWS = ("WINS", "WINSR", "WINS-R")  # which ask other servers (NetBIOS), and are not in a transfer to others
_DIRECTIVES = {"$TTL": "write it as $TTL 3600", "$ORIGIN": "write it as $ORIGIN example.org."}
_ALL_DIRECTIVES = "there are $TTL, $ORIGIN, $INCLUDE and $GENERATE"
_AGE = re.compile(r"\[AGE:\d+\]")


def explained(entry: str, why: str) -> str:
    """``why`` an entry cannot be read, and what to write instead where that is known."""
    if entry[:1] == "$":
        directive = entry.split(None, 1)[0].upper()
        hint = _DIRECTIVES.get(directive, _ALL_DIRECTIVES if "directive" in why else "")
        return _joined(why, hint)
    if entry[:1] == '"':
        return r"an owner name has no quotes around it, and a blank in it is written \032"
    if '"' in _PARTS.sub("", entry):
        return "a quote is opened and never closed"
    if "default TTL" in why:
        return "no TTL is known here: write $TTL 3600 before it"
    if "DNS label" in why or "DNS name" in why:
        return why
    text = _PARTS.sub(lambda found: found[0] if found[0][0] == '"' else " ", entry)
    words = text.split()
    if not text[:1].isspace():
        del words[:1]
    for is_one in _ORDER if words and _is_ttl(words[0]) else reversed(_ORDER):  # RFC 1035 section 5.1 has both
        if words and is_one(words[0]):
            del words[0]
    return _joined(why, _hint(words, is_type_known="unknown rdatatype" not in why))


def _joined(why: str, hint: str) -> str:
    return hint if hint and (not why or rdata.is_vague(why)) else f"{why}; {hint}" if hint else why


def _is_ttl(word: str) -> bool:
    return _TTL.fullmatch(word) is not None and not (word.isdecimal() and int(word) > records.MAX_TTL)


def _is_class(word: str) -> bool:
    return word.upper() == "IN"


_ORDER = (_is_ttl, _is_class)


def _hint(words: list[str], *, is_type_known: bool) -> str:
    if not words:
        return "a type and its content are missing, such as A 192.0.2.1"
    type_, content = words[0].upper(), " ".join(words[1:])
    if _AGE.fullmatch(type_):
        return f"{type_} is a time stamp of Windows DNS: remove it, as sed -E 's/\\[AGE:[0-9]+\\]//' does"
    if type_ in _OF_WINDOWS:
        return f"{type_} is of Windows DNS alone: remove the record"
    if type_ in _OTHER_CLASSES:
        return f"the class {type_} is not served, IN alone"
    if words[0].lstrip("-").isdecimal():
        return f"{words[0]} stands where the type is written; a TTL comes before it, once, from 0 to 2147483647"
    if not is_type_known:
        return f"there is no type {words[0][:40]}; write owner, TTL, class, type and content: www 300 IN A 192.0.2.1"
    return "" if content.startswith("\\#") else rdforms.advice(type_, content)
