"""The DS RRset at the parent's servers: all must answer, with authority, before anything is certain."""

from __future__ import annotations

import socket
import threading
import time

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from pipebackend.keys import keypair
from pipebackend.rollover import parentservers
from pipebackend.rollover.parentservers import look

APEX = "example.org"
KEYS = {1: keypair.generate(), 2: keypair.generate()}
DNSKEYS = {key_id: pair.dnskey for key_id, pair in KEYS.items()}


class Server(threading.Thread):
    """A name server on loopback that has the DS of some keys."""

    def __init__(self, *ids: int, rcode: int = 0, flags: int = dns.flags.AA, delay: float = 0, ttl: int = 300) -> None:
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._ids, self._rcode, self._flags, self._delay, self._ttl = ids, rcode, flags, delay, ttl
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        while True:
            octets, asker = self._socket.recvfrom(4096)
            time.sleep(self._delay)
            query = dns.message.from_wire(octets)
            answer = dns.message.make_response(query)
            answer.flags |= self._flags
            answer.set_rcode(self._rcode)
            if self._ids:
                texts = [KEYS[key_id].ds(APEX).to_text() for key_id in self._ids]
                answer.answer.append(dns.rrset.from_text(f"{APEX}.", self._ttl, "IN", "DS", *texts))
            self._socket.sendto(answer.to_wire(), asker)


def test_what_all_have_and_what_any_has() -> None:
    seen = look(APEX, [Server(1, 2).address, Server(2).address], DNSKEYS)
    assert (seen.everywhere, seen.anywhere, seen.ttl, seen.problem) == ({2}, {1, 2}, 300, "")
    assert look(APEX, [Server().address], DNSKEYS).anywhere == frozenset()


@pytest.mark.parametrize("fault", [{"rcode": dns.rcode.SERVFAIL}, {"rcode": dns.rcode.REFUSED}, {"flags": 0}])
def test_a_server_that_knows_nothing(fault) -> None:
    seen = look(APEX, [Server(1).address, Server(1, **fault).address], DNSKEYS)
    assert (seen.everywhere, seen.anywhere) == (frozenset(), frozenset())
    assert "has no authority for it" in seen.problem


def test_a_parent_that_names_hundreds_of_servers_holds_nobody_up() -> None:
    """Each might answer after three seconds, and the keys of all other zones wait."""
    server = Server(1).address
    seen = look(APEX, [server] * (parentservers.MOST_SERVERS + 1), DNSKEYS)
    assert (seen.everywhere, seen.problem[:30]) == (frozenset(), "the parent has 101 servers, an")
    assert look(APEX, [server] * parentservers.MOST_SERVERS, DNSKEYS).everywhere == {1}


def test_a_parent_whose_servers_are_slow_holds_nobody_up(monkeypatch) -> None:
    """A hundred servers, each within its own limit, took ten minutes."""
    monkeypatch.setattr(parentservers, "PATIENCE", 0.2)
    slow = Server(1, delay=0.3).address
    assert look(APEX, [slow], DNSKEYS).everywhere == {1}
    seen = look(APEX, [slow, slow], DNSKEYS)
    assert (seen.everywhere, seen.problem[:32]) == (frozenset(), "the parent's servers take longer")


def test_the_ttl_of_one_answer_holds_no_key_for_years() -> None:
    assert look(APEX, [Server(1).address, Server(1, ttl=2**31 - 1).address], DNSKEYS).ttl == 7 * 86_400


def test_a_server_that_is_down(monkeypatch) -> None:
    monkeypatch.setattr(parentservers, "TIMEOUT", 0.2)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        seen = look(APEX, [f"127.0.0.1:{silent.getsockname()[1]}"], DNSKEYS)
    assert "does not answer" in seen.problem


def test_an_answer_that_cannot_be_read_is_called_so(monkeypatch) -> None:
    """A DS of digest type 0, such as a registry makes that copies a CDS that asks for no DS (RFC 8078 section 4)."""
    monkeypatch.setattr(parentservers, "TIMEOUT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_answer_unreadably, args=[listening], daemon=True).start()
        seen = look(APEX, [f"127.0.0.1:{listening.getsockname()[1]}"], DNSKEYS)
    assert "cannot be read" in seen.problem
    assert "digest type 0" in seen.problem


def _answer_unreadably(listening: socket.socket) -> None:
    connection, _ = listening.accept()
    with connection:
        query = dns.message.from_wire(connection.recv(4096)[2:])
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        good = KEYS[1].ds(APEX).to_text()
        answer.answer.append(dns.rrset.from_text(f"{APEX}.", 300, "IN", "DS", good))
        wire = answer.to_wire().replace(KEYS[1].ds(APEX).to_wire(), bytes(len(KEYS[1].ds(APEX).to_wire())))
        connection.sendall(len(wire).to_bytes(2, "big") + wire)
