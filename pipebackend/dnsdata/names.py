"""Domain names as text, and their orders.

A *name* here is a ``str`` in PowerDNS's own presentation form without the trailing dot, the root being
``""``: a dot or backslash inside a label is written ``\\.`` or ``\\\\``, each octet outside 0x21..0x7e as
``\\DDD``. A name in lower case is *canonical* and can be compared and used as a key; a *spelling* keeps the
case that its owner gave it.
"""

from __future__ import annotations

from pipebackend.base.errors import NameFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "ancestors",
    "from_labels",
    "from_text",
    "is_below",
    "join",
    "label_count",
    "labels",
    "order_key",
    "parent",
    "printable",
    "relative",
    "spelling",
    "split",
    "to_wire",
    "wildcard_of",
]

MAX_LABEL_OCTETS = 63  # RFC 1035 section 2.3.4
MAX_WIRE_OCTETS = 255  # RFC 1035 section 2.3.4: length octets and the root included
_SAFE_TEXT_CHARS = MAX_WIRE_OCTETS - 2  # without escapes a text of this length fills the wire form


def spelling(text: str) -> str:
    """The name that ``text`` writes, its case kept and its escapes in PowerDNS's form; raises NameFault."""
    if _is_short_and_plain(text):
        return text.removesuffix(".")
    if text.endswith(".") and (text == "." or not _ends_in_escape(text)):
        text = text[:-1]
    if not text:
        return ""
    if "\\" in text or not (text.isascii() and text.isprintable()) or " " in text:
        return from_labels(_parse_labels(text))
    if len(text) > _SAFE_TEXT_CHARS:
        raise NameFault(f"name {_shown(text)} is longer than {MAX_WIRE_OCTETS} octets")
    for label in text.split("."):
        if not label:
            raise NameFault(f"name {_shown(text)} has an empty label")
        if len(label) > MAX_LABEL_OCTETS:
            raise NameFault(f"label {_shown(label)} is longer than {MAX_LABEL_OCTETS} octets")
    return text


def from_text(text: str) -> str:
    """The canonical name that ``text`` writes, with or without trailing dot; raises NameFault."""
    return text.removesuffix(".").lower() if _is_short_and_plain(text) else spelling(text).lower()


def from_labels(octet_labels: Sequence[bytes]) -> str:
    """The name with these labels, leftmost first, case kept; raises NameFault if one is empty or too long."""
    if sum(map(len, octet_labels)) + len(octet_labels) + 1 > MAX_WIRE_OCTETS:
        raise NameFault(f"name is longer than {MAX_WIRE_OCTETS} octets")
    for label in octet_labels:
        if not label:
            raise NameFault("name has an empty label")
        if len(label) > MAX_LABEL_OCTETS:
            raise NameFault(f"label {_shown(_label_text(label))} is longer than {MAX_LABEL_OCTETS} octets")
    return ".".join(map(_label_text, octet_labels))


def split(name: str) -> list[str]:
    """The name's labels as text, leftmost first, escapes kept."""
    if not name:
        return []
    if "\\" not in name:
        return name.split(".")
    found, start = [], 0
    for dot in _dots(name):
        found.append(name[start:dot])
        start = dot + 1
    return [*found, name[start:]]


def labels(name: str) -> list[bytes]:
    """The name's labels as octets, leftmost first."""
    if "\\" not in name:
        return name.encode().split(b".") if name else []
    return _parse_labels(name)


def label_count(name: str) -> int:
    """How many labels the name has; the root has none."""
    return len(split(name))


def parent(name: str) -> str:
    """The name without its leftmost label; the root's parent is the root."""
    if "\\" not in name:
        return name.partition(".")[2]
    for dot in _dots(name):
        return name[dot + 1 :]
    return ""


def ancestors(name: str) -> Iterable[str]:
    """The names above ``name``, nearest first, the root last."""
    if "\\" in name:  # where its labels end is found once, and not for each of them again
        for dot in _dots(name):
            yield name[dot + 1 :]
        yield ""
        return
    while name:
        name = name.partition(".")[2]
        yield name


def join(left: str, right: str) -> str:
    """The name made of these two; the root adds nothing."""
    return f"{left}.{right}" if left and right else left or right


def is_below(name: str, apex: str) -> bool:
    """Whether ``name`` is ``apex`` or lies below it; both canonical."""
    if not apex or name == apex:
        return True
    return name.endswith("." + apex) and ("\\" not in name or not _ends_in_escape(name[: -len(apex)]))


def relative(name: str, apex: str) -> str:
    """``name`` without ``apex``, which it must be or lie below; the apex itself gives ``""``."""
    if name == apex:
        return ""
    return name[: -len(apex) - 1] if apex else name


def wildcard_of(name: str) -> str:
    """The wildcard directly below ``name``."""
    return join("*", name)


def order_key(name: str) -> bytes:
    """A key whose octet order is the canonical order of names (RFC 4034 section 6.1).

    Labels come from the right, in lower case, with 0 between them; octets 0 and 1 inside a label become two octets
    that sort the same and never equal the separator. So a name's key starts with its ancestors' keys.
    """
    if "\\" not in name:
        octet_labels = name.lower().encode().split(b".")
    else:
        octet_labels = labels(name.lower())
        octet_labels = [label.replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01") for label in octet_labels]
    octet_labels.reverse()
    return b"\x00".join(octet_labels)


def order_key_in(apex: str, name: str) -> bytes:
    """The same of a canonical name in the zone ``apex``, without the zone's own labels, as the store keeps it."""
    return order_key(relative(name, apex))


def from_order_key(key: bytes) -> str:
    """The canonical name that has this key."""
    if key.translate(None, b"\x00-_*").isalnum():
        return ".".join(reversed(key.decode().split("\x00")))
    if not key:
        return ""
    octet_labels = [label.replace(b"\x01\x01", b"\x00").replace(b"\x01\x02", b"\x01") for label in key.split(b"\x00")]
    return from_labels(octet_labels[::-1])


def to_wire(name: str) -> bytes:
    """The name in uncompressed wire form (RFC 1035 section 3.1), case kept."""
    return b"".join(bytes((len(label),)) + label for label in labels(name)) + b"\x00"


def printable(text: str) -> str:
    """``text`` on one line of ASCII, for a log or an error on the wire."""
    return ascii(text)[1:-1].replace("\\'", "'")


def _is_short_and_plain(text: str) -> bool:
    """Whether ``text`` needs no closer look, as most names: no escape, no label that is empty or can be too long."""
    return (
        len(text) <= MAX_LABEL_OCTETS
        and text.isascii()
        and text.isprintable()
        and "\\" not in text
        and " " not in text
        and ".." not in text
        and text[:1] != "."
    )


def _parse_labels(text: str) -> list[bytes]:
    try:
        octets = text.encode("ascii")
    except UnicodeEncodeError:
        raise NameFault(f"name {_shown(text)} has letters outside ASCII; write {_a_labels(text)}") from None
    found, label, i = [], bytearray(), 0
    while i < len(octets):
        octet = octets[i]
        i += 1
        if octet == 0x2E:  # a dot ends the label
            found.append(bytes(label))
            label.clear()
        elif octet != 0x5C:
            label.append(octet)
        elif octets[i : i + 3].isdigit() and len(octets[i : i + 3]) == 3:  # \DDD (RFC 1035 section 5.1)
            value = int(octets[i : i + 3])
            if value > 255:
                raise NameFault(f"name {_shown(text)} has the escape \\{value}, which is above \\255")
            label.append(value)
            i += 3
        elif i < len(octets) and not octets[i : i + 1].isdigit():
            label.append(octets[i])
            i += 1
        else:
            raise NameFault(f"name {_shown(text)} has a backslash that escapes nothing")
    found.append(bytes(label))
    return found


def _a_labels(text: str) -> str:
    """The name with its A-labels (RFC 5890 section 2.3.2.1), for the message to one who wrote its letters."""
    from unicodedata import normalize

    if any("\ud800" <= char <= "\udfff" for char in text):  # octets that are not UTF-8
        return "each octet as \\DDD"
    found = [
        label if label.isascii() else "xn--" + normalize("NFC", label.lower()).encode("punycode").decode()
        for label in text.split(".")
    ]
    return ".".join(found) if max(map(len, found)) <= MAX_LABEL_OCTETS else "its xn-- form"


def _dots(name: str) -> Iterable[int]:
    """Where the dots between labels are."""
    at, escape = name.find("."), name.find("\\")
    while at >= 0:
        while 0 <= escape < at - 1:  # what is escaped, or the first digit of \\DDD, is no dot between labels
            escape = name.find("\\", escape + 2)
        if escape == at - 1 and escape >= 0:
            escape = name.find("\\", escape + 2)
        else:
            yield at
        at = name.find(".", at + 1)


def _label_text(label: bytes) -> str:
    if label.isalnum():
        return label.decode()
    return "".join(map(_octet_text, label))


def _octet_text(octet: int) -> str:
    if octet in b".\\":
        return "\\" + chr(octet)
    return chr(octet) if 0x20 < octet < 0x7F else f"\\{octet:03d}"


def _ends_in_escape(text: str) -> bool:
    """Whether the dot at the end of ``text`` is escaped: an odd number of backslashes stands before it."""
    body = text[:-1]
    return (len(body) - len(body.rstrip("\\"))) % 2 == 1


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 80 else text[:77] + "...")
