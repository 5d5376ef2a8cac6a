"""What was said on the wire, for people: a call in one line, and its content without private keys and secrets.

Both protocols are told from the request itself: REMOTE's are JSON objects, PIPE's begin with a word (rules P-4, R-1).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import names, records

if TYPE_CHECKING:
    from typing import Any

__all__ = ["BLANK", "blanked", "is_remote", "reads_only", "summary"]

BLANK = "(blank)"  # in place of a private key or a secret
_PRIVATE = "PrivateKey"  # in BIND's format of private keys, PowerDNS's too; other fields stand in the same text
# Methods whose contents are those of records; of all others, of keys and misspelt ones, only _OPEN_STRINGS are shown
_OPEN = frozenset(
    ("APILookup", "abortTransaction", "commitTransaction", "createSlaveDomain", "directBackendCmd", "feedEnts",
     "feedEnts3", "feedRecord", "getAllDomainMetadata", "getAllDomains", "getBeforeAndAfterNamesAbsolute",
     "getDomainInfo", "getDomainMetadata", "getUnfreshSlaveInfos", "getUpdatedMasters", "initialize", "list", "lookup",
     "replaceRRSet", "searchRecords", "setDomainMetadata", "setFresh", "setNotified", "setStale", "startTransaction",
     "superMasterBackend")
)  # fmt: skip
_OPEN_STRINGS = frozenset(("method", "name", "qname", "domain", "zonename", "algorithm", "kind", "log"))
_OPEN_WORDS = (b"HELO", b"Q", b"AXFR")  # of PIPE, beside the commands that there are
_COMMANDS = frozenset(("help", "record", "stats", "version", "zone", "zones"))  # of backend-cmd
_READING = frozenset(("APILookup", "initialize", "list", "lookup", "searchRecords", "superMasterBackend"))
_SUBJECTS = ("qname", "name", "zonename", "domain", "pattern", "query")
_DETAILS = ("qtype", "kind")
_IDS = ("zone-id", "domain_id", "id")
_UNSHOWN = "(not shown)"
_MAX_ALGORITHM = 16  # letters; the longest is gss-tsig or hmac-sha512 with a dot
_MAX_METHOD = 32  # letters; PowerDNS's longest has 27
_SHOWN = 200  # characters of a name or reason


def is_remote(request: bytes) -> bool:
    """Whether this is meant to be JSON."""
    return request.lstrip()[:1] in (b"{", b"[")


def reads_only(request: bytes) -> bool:
    """Whether to ask this again changes nothing; also of what no front end can read."""
    if not is_remote(request):
        return request.split(b"\t")[0] in (b"HELO", b"Q", b"AXFR")
    said = _object(request)
    method = str(said.get("method", "")) if said is not None else "get"
    return method in _READING or method.startswith("get")


def blanked(request: bytes, answer: bytes) -> tuple[bytes, bytes]:
    """Request and answer without secrets; what has none comes back as it is."""
    if not is_remote(request):
        return _if_known(request), _if_harmless(answer)
    said, given = _object(request), _object(answer)
    if said is None:  # it may be a key with a comma too many, in letters that only JSON could read
        return BLANK.encode(), answer
    if _is_strange_command(said) or not _is_method(said.get("method")):
        return BLANK.encode(), answer
    all_contents = said.get("method") not in _OPEN
    ending = answer[len(answer.rstrip(b"\n")) :]
    return _without(said, request, all_contents), _without(given, answer, all_contents).rstrip(b"\n") + ending


def summary(request: bytes, answer: bytes) -> str:
    """A call and its outcome in one line of printable text, without any content."""
    return f"{_call(request)} -> {_outcome(request, answer)}"


def _if_harmless(text: bytes) -> bytes:
    return BLANK.encode() if _PRIVATE.encode() in text else text


def _if_known(request: bytes) -> bytes:
    """A request of PIPE; what is no question and no command that there is may be a key for another program."""
    word, _, rest = request.partition(b"\t")
    is_known = _is_command(rest.decode("utf-8", "replace")) if word == b"CMD" else word in _OPEN_WORDS
    return _if_harmless(request) if is_known else BLANK.encode()


def _is_command(text: str) -> bool:
    return text.split(" ")[0].strip() in _COMMANDS


def _is_strange_command(said: dict[str, Any]) -> bool:
    params = said.get("parameters")
    query = params.get("query", "") if isinstance(params, dict) else ""
    return said.get("method") == "directBackendCmd" and not _is_command(str(query))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text.decode("utf-8", "surrogateescape"), strict=False, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object each of whose keys is there once: the first of two would be neither seen here nor blanked."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key twice")
    return found


def _without(value: object, text: bytes, all_contents: bool) -> bytes:
    if value is None:
        return BLANK.encode() if all_contents else text
    changed = _blank(value, all_contents)
    return text if changed == value else json.dumps(changed).encode("ascii")


def _blank(value: Any, all_contents: bool) -> Any:
    if isinstance(value, dict):
        return {key: _blank(item, all_contents and not _is_open(key, item)) for key, item in value.items()}
    if isinstance(value, list):
        return [_blank(item, all_contents) for item in value]
    return BLANK if isinstance(value, str) and (all_contents or _PRIVATE in value) else value


def _is_open(key: str, value: object) -> bool:
    """Whether a string is shown of a call about keys; a secret may stand where the algorithm of TSIG should."""
    if key == "algorithm":
        return isinstance(value, str) and value.startswith(("hmac-", "gss-")) and len(value) <= _MAX_ALGORITHM
    return key in _OPEN_STRINGS


def _call(request: bytes) -> str:
    if not is_remote(request):
        return _pipe_call(request)
    said = _object(request)
    if said is None or not _is_method(said.get("method")):
        return f"something unreadable of {len(request)} octets"
    values = said.get("parameters")
    if _is_strange_command(said):
        values = {"query": _UNSHOWN}
    if isinstance(values, dict) and said["method"] not in _OPEN:
        values = {key: value for key, value in values.items() if key in _OPEN_STRINGS or isinstance(value, int)}
    words = _words(values) if isinstance(values, dict) else []
    return " ".join([_printable(said["method"]), *words])


def _is_method(value: object) -> bool:
    return isinstance(value, str) and value.removesuffix("3").isalpha() and len(value) <= _MAX_METHOD


def _words(values: dict[str, Any]) -> list[str]:
    values = values | values.get("rr", {}) if isinstance(values.get("rr"), dict) else values
    found = [str(values[key]) for key in (*_SUBJECTS, *_DETAILS) if isinstance(values.get(key), str)]
    ids = [f"({key} {values[key]})" for key in _IDS if isinstance(values.get(key), int)]
    return [_printable(_shown(word)) for word in (*found, *ids)]


def _pipe_call(request: bytes) -> str:
    tag, *fields = request.rstrip(b"\r").split(b"\t")
    words = [field.decode("utf-8", "replace") for field in fields]
    if tag == b"Q" and len(words) >= 4:
        words = [words[0], words[2], f"(id {words[3]})"]
    if tag == b"CMD" and words and not _is_command(words[0]):
        words = [_UNSHOWN]
    if tag not in (*_OPEN_WORDS, b"CMD"):
        return f"something unknown of {len(request)} octets"
    return " ".join([tag.decode(), *(_printable(_shown(word)) for word in words)])


def _outcome(request: bytes, answer: bytes) -> str:
    if not is_remote(request):
        return _pipe_outcome(answer)
    given = _object(answer)
    if given is None:
        return f"{len(answer)} octets"
    log = given.get("log")
    reasons = f": {_printable(_shown(' '.join(map(str, log))))}" if isinstance(log, list) else ""
    return _result(given.get("result")) + (reasons if BLANK not in reasons else "")


def _result(result: Any) -> str:
    if (reason := _reason(result)) is not None:
        return f"failed: {_printable(_shown(reason))}"
    if isinstance(result, list):
        types = [item["qtype"] or "ENT" for item in result if isinstance(item, dict) and "qtype" in item]
        return _records(types) if len(types) == len(result) else f"{len(result)} items"
    if isinstance(result, dict):
        return _printable(_shown(", ".join(result))) or "nothing"
    if result is None:
        return "failed"
    if isinstance(result, bool):
        return "yes" if result else "no"
    return "a text" if isinstance(result, str) else _printable(str(result))


def _reason(result: Any) -> str | None:
    """The reason of a lookup that failed: it is answered with one A record that cannot be parsed."""
    if not isinstance(result, list) or len(result) != 1 or not isinstance(result[0], dict):
        return None
    content = result[0].get("content")
    if result[0].get("qtype") != "A" or not isinstance(content, str):
        return None
    try:
        records.checked_content("A", content)
    except RecordFault:
        return content
    return None


def _pipe_outcome(answer: bytes) -> str:
    lines = [line.split("\t") for line in answer.decode("utf-8", "replace").splitlines()]
    if any(line[0] == "FAIL" for line in lines):
        return "failed" + "".join(f": {_printable(_shown(line[1]))}" for line in lines if line[0] == "LOG" and line[1:])
    if lines and lines[0][0] == "OK":
        return _printable(_shown(" ".join(lines[0])))
    types = [line[line.index("IN") + 1] for line in lines if line[0] == "DATA" and "IN" in line[:-1]]
    return _records(types) if len(types) == len(lines) - 1 else f"{len(lines) - 1} lines"


def _records(types: list[str]) -> str:
    counts = [f"{type_} x{count}" if count > 1 else type_ for type_, count in Counter(types).items()]
    return f"{len(types)} records: {' '.join(counts)}" if types else "nothing"


def _shown(text: str) -> str:
    if _PRIVATE in text:
        return _UNSHOWN
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _printable(text: str) -> str:
    return names.printable(text)
