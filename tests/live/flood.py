"""Thousands of questions over one UDP socket, a window of them on their way at a time, answers as bare octets.

Parsing an answer with dnspython takes longer than PowerDNS needs to give it; for answers whose RDATA is known octet
for octet, a header and a walk over the records are enough (RFC 1035 section 4.1).
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from tests.live.servers import HOST, PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["LOC", "TXT", "Reply", "ask_all"]

TXT, LOC = 16, 29  # IANA's numbers of the types
_WINDOW = 100  # few enough for the socket buffers of both sides
_QUESTION_TAIL = 4  # type and class
_POINTER = 0xC0  # the first octet of a compressed name (RFC 1035 section 4.1.4)


class Reply(NamedTuple):
    """One answer: the RCODE, whether AA was set, and (type, TTL, RDATA) of each record of the answer section."""

    rcode: int
    authoritative: bool
    records: tuple[tuple[int, int, bytes], ...]


def ask_all(port: int, questions: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], Reply]:
    """The reply to each (name, type); raises TimeoutError if one does not come."""
    waiting: dict[int, tuple[str, int]] = {}
    replies: dict[tuple[str, int], Reply] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect((HOST, port))
        for number, question in enumerate(questions):
            while len(waiting) >= _WINDOW:
                _receive(sock, waiting, replies)
            ident = number & 0xFFFF
            waiting[ident] = question
            sock.send(_query(ident, *question))
        while waiting:
            _receive(sock, waiting, replies)
    return replies


def _receive(sock: socket.socket, waiting: dict[int, tuple[str, int]], replies: dict[tuple[str, int], Reply]) -> None:
    message = sock.recv(65535)
    question = waiting.pop(int.from_bytes(message[:2], "big"))
    replies[question] = _reply(message)


def _query(ident: int, name: str, rdtype: int) -> bytes:
    labels = [label.encode("ascii") for label in name.rstrip(".").split(".")]
    owner = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    return struct.pack("!6H", ident, 0, 1, 0, 0, 0) + owner + struct.pack("!2H", rdtype, 1)


def _reply(message: bytes) -> Reply:
    _, flags, _, answers, _, _ = struct.unpack_from("!6H", message)
    offset = _after_name(message, 12) + _QUESTION_TAIL
    records = []
    for _ in range(answers):
        offset = _after_name(message, offset)
        rdtype, _, ttl, length = struct.unpack_from("!2HIH", message, offset)
        offset += 10
        records.append((rdtype, ttl, message[offset : offset + length]))
        offset += length
    return Reply(flags & 0xF, bool(flags & 0x0400), tuple(records))


def _after_name(message: bytes, offset: int) -> int:
    while message[offset]:
        if message[offset] >= _POINTER:
            return offset + 2
        offset += 1 + message[offset]
    return offset + 1
