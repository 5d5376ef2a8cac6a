"""The same questions to two servers of the same zones, and where their answers differ.

Questions are made from the zone files: every owner with every type, the names before, after, above and below each,
other spellings, and random names. Answers are equal when the header says the same and each section has the same
records, in any order: PowerDNS itself shuffles.
"""

from __future__ import annotations

import random
import socket
import struct
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.zone

from tests.live.servers import HOST, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dns.name import Name
    from dns.rdata import Rdata

__all__ = [
    "FOLDER",
    "OCCLUDED",
    "ROOT",
    "ZONES",
    "Difference",
    "Question",
    "answer_lines",
    "both_answers",
    "differing",
    "file_lines",
    "lines_of",
    "questions",
    "read_file",
    "transferred",
    "unanswered",
    "without_occluded",
]

FOLDER = Path(__file__).with_suffix("")
ZONES = {  # a zone may have the same file as another
    "tree.example": "tree.zone",
    "cuts.example": "cuts.zone",
    "child.cuts.example": "child.zone",
    "tree2.cuts.example": "child.zone",
    "no.cut.above.tree.example": "child.zone",  # the parent does not know of it
    "letters.example": "letters.zone",
    "types.example": "types.zone",
    "nested.example": "nested.zone",
    "bare": "bare.zone",
    "2.0.192.in-addr.arpa": "reverse.zone",
}
ROOT = {  # with the root, every name is in some zone
    ".": "root.zone",
    "example": "child.zone",
    r"a\.b.w": "child.zone",
    r"\000.sp\032ace": "child.zone",
}
ALL_TYPES = "A AAAA NS SOA MX TXT CNAME DNAME DS DNSKEY CDS NSEC NSEC3 NSEC3PARAM RRSIG ANY LOC SRV HTTPS TYPE65399"
NEAR_TYPES = ("A", "DS", "ANY")
OCCLUDED = ("*", "x.y.z", "alias", "tree")  # below ``insecure`` of cuts.zone, and no addresses
LOOPS = ("cloop", "cself", "toself")  # CNAMEs of tree.zone that lead back to themselves
RANDOM_TYPES = ("A", "A", "A", "TXT", "NS", "DS", "ANY", "MX", "CNAME")
LABELS = [b"*", b"x", b"a", b"\0", b"\xff", b".", b"WWW", b"ns", b"nothing", b"ent", b"x" * 63]
UDP_PAYLOAD = 4096
_WINDOW = 20  # questions on their way at a time: all answers fit into the socket's buffer
_TAIL = struct.Struct("!2H")  # type and class
_OPT = struct.pack("!BHHIH", 0, dns.rdatatype.OPT, UDP_PAYLOAD, 0x8000, 0)  # the DO bit (RFC 3225 section 3)
_TC = 0x02
_COMPRESSED = {dns.rdatatype.from_text(name) for name in ("CNAME", "MX", "NS", "PTR", "SOA")}


class Question(NamedTuple):
    """What is asked; ``signed`` sets the DO bit."""

    name: Name
    rdtype: int
    signed: bool

    def __str__(self) -> str:
        return f"{self.name} {dns.rdatatype.to_text(self.rdtype)}{' +dnssec' if self.signed else ''}"


class Difference(NamedTuple):
    """One question with two answers, as lines of text."""

    question: Question
    expected: Sequence[str]
    got: Sequence[str]

    def __str__(self) -> str:
        missing = [f"  - {line}" for line in self.expected if line not in self.got]
        added = [f"  + {line}" for line in self.got if line not in self.expected]
        return "\n".join([str(self.question), *missing, *added, *([] if missing or added else ["  in number only"])])


def questions(apex: str, file: Path, seed: object, count: int) -> list[Question]:
    """All questions about one zone, and ``count`` about random names, each once with DO and then without."""
    origin = dns.name.from_text(apex)
    zone = read_file(apex, file)
    owners = {name: [rdataset.rdtype for rdataset in node] for name, node in zone.nodes.items()}
    dice = random.Random(f"{seed} {apex}")
    asked = [*_about_owners(owners, dice), *_near(owners, origin), *_at_random(sorted(owners), origin, dice, count)]
    distinct = {(name.labels, rdtype): (name, rdtype) for name, rdtype in asked}
    return [Question(name, rdtype, signed) for name, rdtype in distinct.values() for signed in (True, False)]


def read_file(apex: str, file: Path) -> dns.zone.Zone:
    """A zone file with absolute names, whatever it lacks."""
    return dns.zone.from_text(file.read_text(), dns.name.from_text(apex), relativize=False, check_origin=False)


def file_lines(apex: str, file: Path) -> set[str]:
    """The records of a zone file, a line for each, as ``transferred`` writes them."""
    return {_line(owner, ttl, rdata) for owner, ttl, rdata in read_file(apex, file).iterate_rdatas()}


def both_answers(first_port: int, second_port: int, asked: Sequence[Question]) -> tuple[list[bytes], list[bytes]]:
    """What two servers say, asked at the same time: an answer for each question."""
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda port: _ask_all(port, asked), (first_port, second_port))
    return first, second


def differing(asked: Sequence[Question], expected: Sequence[bytes], got: Sequence[bytes]) -> list[Difference]:
    """The questions whose two answers differ."""
    found = []
    for question, first, second in zip(asked, expected, got, strict=True):
        if first == second:
            continue
        difference = Difference(question, _lines(first), _lines(second))
        if difference.expected != difference.got:
            found.append(difference)
    return found


def unanswered(asked: Sequence[Question], answers: Sequence[bytes]) -> list[str]:
    """The questions that a server failed to answer, and need not have: that both fail is not that both are right."""
    failed = [str(question) for question, answer in zip(asked, answers, strict=True) if _is_failure(answer)]
    return [question for question in failed if not any(loop in question.lower() for loop in LOOPS)]


def answer_lines(port: int, asked: Sequence[Question]) -> set[str]:
    """What all answers together say, a line for each record."""
    return lines_of(_ask_all(port, asked))


def lines_of(answers: Iterable[bytes]) -> set[str]:
    """What these answers together say."""
    return {line for message in set(answers) for line in _lines(message)}


def transferred(port: int, apex: str) -> list[str]:
    """The records of a transfer as sorted lines.

    Each record for itself: ``dns.query.xfr`` takes two that differ in case alone for one, if one message has them both.
    """
    query = dns.message.make_query(apex, "AXFR").to_wire()
    found: list[tuple[int, str]] = []
    with socket.create_connection((HOST, port), PATIENCE) as sock, sock.makefile("rb") as stream:
        sock.sendall(len(query).to_bytes(2, "big") + query)
        while sum(rdtype == dns.rdatatype.SOA for rdtype, _ in found) < 2:  # first and last (RFC 5936 section 2.2)
            octets = stream.read(int.from_bytes(stream.read(2), "big"))
            message = dns.message.from_wire(octets, one_rr_per_rrset=True)
            if message.rcode():
                raise dns.query.TransferError(message.rcode())
            found += [(rrset.rdtype, _line(rrset.name, rrset.ttl, rrset[0])) for rrset in message.answer]
    return sorted(line for _, line in found)


def without_occluded(lines: list[str]) -> list[str]:
    """What PowerDNS's own backends transfer, without what is occluded in cuts.zone (RFC 9499 section 7)."""
    return [line for line in lines if not any(f"{owner}.insecure.cuts.example." in line for owner in OCCLUDED)]


def _about_owners(owners: dict[Name, list[int]], dice: random.Random) -> Iterator[tuple[Name, int]]:
    every = [dns.rdatatype.from_text(name) for name in ALL_TYPES.split()]
    for name, own in owners.items():
        for rdtype in {*every, *own}:
            yield name, rdtype
        for rdtype in {*own, dns.rdatatype.ANY, dns.rdatatype.TXT}:
            yield _other_case(name, dice), rdtype


def _near(owners: Iterable[Name], origin: Name) -> Iterator[tuple[Name, int]]:
    """Around each owner; the empty names above it are asked for more than once and sifted out later."""
    types = [dns.rdatatype.from_text(name) for name in NEAR_TYPES]
    for owner in owners:
        found = [_under(labels, owner) for labels in ((b"\0",), (b"*",), (b"x",), (b"y", b"x"), (b"\xff",))]
        above = owner
        while above != origin:
            found += [_beside(above, origin, -1), _beside(above, origin, 1), _under((b"!",), above), above]
            above = above.parent()
        for name in found:
            if name is not None:
                yield from ((name, rdtype) for rdtype in types)


def _beside(name: Name, origin: Name, step: int) -> Name | None:
    """A sibling just before or after ``name`` in canonical order (RFC 4471 section 3.1.2)."""
    label = name.labels[0].lower()
    if step > 0:
        label = label + b"\0" if len(label) < 63 else label[:-1] + bytes([min(label[-1] + 1, 255)])
    elif label[-1]:
        label = (label[:-1] + bytes([label[-1] - 1]) + b"\xff")[:63]
    else:
        label = label[:-1]
    return _under((label,), name.parent()) if label and name != origin else None


def _at_random(owners: Sequence[Name], origin: Name, dice: random.Random, count: int) -> Iterator[tuple[Name, int]]:
    pool = LABELS + [label for owner in owners for label in owner.relativize(origin).labels]
    for _ in range(count):
        above = origin
        if dice.random() < 0.6:
            above = dice.choice(owners)
            above = dns.name.Name(above.labels[dice.randrange(len(above.labels) - len(origin.labels) + 1) :])
        labels = [dice.choice(pool) if dice.random() < 0.7 else dice.randbytes(dice.randint(1, 6)) for _ in range(3)]
        name = _under(tuple(labels[: dice.randint(1, 3)]), above)
        if name is not None:
            yield _other_case(name, dice), dns.rdatatype.from_text(dice.choice(RANDOM_TYPES))


def _under(labels: tuple[bytes, ...], above: Name) -> Name | None:
    try:
        return dns.name.Name(labels + above.labels)
    except dns.exception.DNSException:  # longer than a name can be
        return None


def _other_case(name: Name, dice: random.Random) -> Name:
    def flip(octet: int) -> int:
        is_letter = 0x41 <= octet & 0xDF <= 0x5A
        return octet ^ 0x20 if is_letter and dice.random() < 0.5 else octet

    return dns.name.Name([bytes(map(flip, label)) for label in name.labels])


def _ask_all(port: int, asked: Sequence[Question]) -> list[bytes]:
    """The answers without their ids, in the order of the questions; over TCP where UDP truncates."""
    answers = [b""] * len(asked)
    waiting: set[int] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect((HOST, port))

        def receive() -> None:
            try:
                message = sock.recv(65535)
            except TimeoutError:
                lost = ", ".join(str(asked[number]) for number in sorted(waiting))
                raise TimeoutError(f"port {port} gave no answer to {lost}") from None
            ident = int.from_bytes(message[:2], "big")
            [number] = [waited for waited in waiting if waited & 0xFFFF == ident]
            waiting.remove(number)
            answers[number] = message[2:] if not message[2] & _TC else _over_tcp(port, asked[number])

        for number, question in enumerate(asked):
            while len(waiting) >= _WINDOW:
                receive()
            waiting.add(number)
            sock.send(_query(number & 0xFFFF, question))
        while waiting:
            receive()
    return answers


def _query(ident: int, question: Question) -> bytes:
    header = struct.pack("!6H", ident, 0, 1, 0, 0, int(question.signed))
    wire = header + question.name.to_wire() + _TAIL.pack(question.rdtype, 1)
    return wire + _OPT if question.signed else wire


def _over_tcp(port: int, question: Question) -> bytes:
    message = _query(0, question)
    with socket.create_connection((HOST, port), PATIENCE) as sock, sock.makefile("rb") as stream:
        sock.sendall(len(message).to_bytes(2, "big") + message)
        return stream.read(int.from_bytes(stream.read(2), "big"))[2:]


def _is_failure(answer: bytes) -> bool:
    return answer[1] & 0x0F == dns.rcode.SERVFAIL  # without its id, a message begins with the flags


def _lines(message: bytes) -> list[str]:
    """An answer as sorted lines, a line for each record, and one for the header."""
    answer = dns.message.from_wire(b"\0\0" + message, one_rr_per_rrset=True)
    head = f"{dns.rcode.to_text(answer.rcode())} {dns.flags.to_text(answer.flags)} EDNS {answer.edns}"
    found = [
        f"{section}: {_line(rrset.name, rrset.ttl, rrset[0])}"
        for section, rrsets in zip(("answer", "authority", "additional"), answer.sections[1:], strict=True)
        for rrset in rrsets
    ]
    return [head, *sorted(found)]


def _line(owner: Name, ttl: int, rdata: Rdata) -> str:
    """A record as text; what may be compressed without regard to case (RFC 1035 section 4.1.4) in lower case."""
    text = rdata.to_text().rstrip()
    if rdata.rdtype in _COMPRESSED:
        text = text.lower()
    return f"{str(owner).lower()} {ttl} {dns.rdatatype.to_text(rdata.rdtype)} {text}"
