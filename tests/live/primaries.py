"""A primary that sends what it is told, rules of DNS or not; no real server would."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Self

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset

from tests.live.servers import HOST, free_port

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.rrset import RRset

__all__ = ["Primary", "rr"]

_RECORDS = 100  # in a message
_LARGE = 500  # octets of a record that begins a message of its own


def rr(line: str) -> RRset:
    """A record as in a zone file, with its owner, TTL and type."""
    owner, ttl, type_, content = line.split(" ", 3)
    return dns.rrset.from_text(owner, int(ttl), "IN", type_, content)


class Primary:
    """Tells the first record of each zone to those who ask for its SOA, and sends all records in a transfer."""

    def __init__(self) -> None:
        self.port = free_port()
        self.zones: dict[str, Sequence[RRset]] = {}
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._threads = [threading.Thread(target=serve) for serve in (self._serve_udp, self._serve_tcp)]

    def __enter__(self) -> Self:
        self._udp.bind((HOST, self.port))
        self._tcp.bind((HOST, self.port))
        self._tcp.listen()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._tcp.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits; so does a datagram without a query
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", (HOST, self.port))
        for thread in self._threads:
            thread.join()
        self._udp.close()
        self._tcp.close()

    def _serve_udp(self) -> None:
        while True:
            query, client = self._udp.recvfrom(65535)
            if not query:
                return
            self._udp.sendto(self._answers(query)[0], client)

    def _serve_tcp(self) -> None:
        while True:
            try:
                client, _ = self._tcp.accept()
            except OSError:
                return
            with (
                client,
                client.makefile("rb") as stream,
                contextlib.suppress(ConnectionError),
            ):  # broken off by the client
                query = stream.read(int.from_bytes(stream.read(2), "big"))
                for message in self._answers(query):
                    client.sendall(len(message).to_bytes(2, "big") + message)

    def _answers(self, wire: bytes) -> list[bytes]:
        """One message for the SOA, and one for each few records of a transfer."""
        query = dns.message.from_wire(wire)
        records = self.zones[query.question[0].name.to_text()]
        if query.question[0].rdtype != dns.rdatatype.AXFR:
            records = records[:1]
        found, rest = [], list(records)
        while rest:
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.AA
            while rest and len(answer.answer) < _RECORDS and (not answer.answer or not _is_large(rest[0])):
                answer.answer.append(rest.pop(0))
            found.append(answer.to_wire())
        return found


def _is_large(record: RRset) -> bool:
    return any(len(rdata.to_wire() or b"") > _LARGE for rdata in record)
