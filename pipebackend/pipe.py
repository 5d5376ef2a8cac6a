"""The PIPE front end: PowerDNS's tab-separated lines, ABI 1 to 5 (docs/powerdns-behaviour.md, P-1 and following)."""

from __future__ import annotations

from pipebackend.backend.opening import open_as_owner
from pipebackend.base import logs
from pipebackend.base.errors import BackendError, RecordFault, RequestFault
from pipebackend.base.version import VERSION
from pipebackend.dnsdata import datalines, names
from pipebackend.dnsdata.records import ENT, Client
from pipebackend.server import launch
from pipebackend.server.framing import MAX_REQUEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipebackend.backend.backend import Backend
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Plain, Record

__all__ = ["PipeSession", "main", "refusal"]

ABIS = ("1", "2", "3", "4", "5")
_ADDRESSES = {1: 1, 2: 2, 3: 3, 4: 3, 5: 3}  # at the end of a Q line, after five other fields
_QUESTION_FIELDS = 5
_MAX_ID_DIGITS = 11
# PIPE cannot tell PowerDNS before 5.1 of an empty non-terminal; a record of a type that nobody asks for makes the name
# exist (rule P-18), so that it is NODATA and not NXDOMAIN.
_ENT_BEFORE_5_1 = "TYPE65280", "\\# 0"
_ENT = "ENT", ""
_METHODS = {"HELO": "initialize", "Q": "lookup", "AXFR": "list", "CMD": "directBackendCmd"}  # REMOTE's names
_SIMPLE_TYPES = frozenset(("A", "AAAA", "CNAME", "LOC", "MX", "NS", "PTR", "SOA", "SRV", "TXT"))  # nearly all records
FAIL = b"FAIL\n"
END = b"END\n"


class PipeSession:
    """One PowerDNS at the other end; gives one END or FAIL for each line, whatever it holds."""

    def __init__(self, backend: Backend, remember: Callable[[bytes | None], None] = lambda _: None) -> None:
        """``remember`` gets the request that brings a new session into the state of this one."""
        self._backend = backend
        self._remember = remember
        self._abi = 0
        self._addresses = 0  # at the end of a Q line
        self._state: tuple[int, object] = (0, None)
        self.keeps = False
        self.method = ""
        self.failed = False

    @property
    def backend(self) -> Backend:
        """See ``sessions.KeepingSession``."""
        return self._backend

    def answer(self, request: bytes) -> bytes:
        """See ``sessions.Session``."""
        self.keeps = self.failed = False
        try:
            fields = request.decode("ascii").rstrip("\r").split("\t")
            self.method = _METHODS.get(fields[0], "unknown")
            return self._question(fields) if fields[0] == "Q" and self._abi else self._answer(fields)
        except BackendError as exc:
            return self._failed(str(exc), request)
        except UnicodeDecodeError:
            self.method = _METHODS.get(request.partition(b"\t")[0].decode("latin-1"), "unknown")
            return self._failed("the line has octets outside ASCII", request)
        except Exception:  # the edge: one failed answer, never a dead process
            from pipebackend.dnsdata import shown

            logs.traceback(f"answering {shown.request(request)} failed")
            return self._failed("internal error; the log of this process has the traceback", request)

    def overlong(self) -> bytes:
        """See ``sessions.Session``."""
        return _failure(f"a line of more than {MAX_REQUEST} octets", b"")

    def settle(self) -> None:
        """See ``sessions.Session``."""
        self._backend.start_watching()

    def question(self, request: bytes) -> bytes:
        """See ``sessions.KeepingSession``: a Q line without the addresses at its end."""
        return request.rsplit(b"\t", self._addresses)[0] if request.startswith(b"Q\t") else b""

    def folded(self, question: bytes) -> bytes:
        """See ``sessions.KeepingSession``."""
        name, between, rest = question.partition(b"\tIN\t")
        return b"Q" + name[1:].lower() + between + rest

    def name_and_zone(self, request: bytes) -> tuple[bytes, bytes]:
        """See ``sessions.KeepingSession``."""
        fields = request.split(b"\t")
        is_whole = len(fields) == self._addresses + _QUESTION_FIELDS
        if not is_whole or fields[3] != b"ANY" or fields[2] != b"IN" or fields[0] != b"Q":
            return b"", b""
        return fields[1], fields[4]

    def zone_key(self, zone_id: int) -> bytes:
        """See ``sessions.KeepingSession``."""
        return b"%d" % zone_id

    def written(self, answer: Answer) -> bytes:
        """See ``sessions.KeepingSession``."""
        ident, has_auth = answer.ident, self._abi >= 3
        if has_auth and isinstance(answer.records, datalines.Prepared):
            return answer.records.lines + END
        lines = [
            datalines.line(record, ident) if has_auth and record[1] in _SIMPLE_TYPES else self._data(record, ident)
            for record in answer.records
        ]
        return "".join([*lines, "END\n"]).encode("ascii")

    def written_lines(self, lines: bytes, ident: int) -> bytes | None:
        """See ``sessions.KeepingSession``."""
        return lines + END if self._abi >= 3 else None

    def written_plain(self, owner: str, records: Sequence[Plain], ident: int) -> bytes:
        """See ``sessions.KeepingSession``."""
        head = f"DATA\t0\t1\t{owner}\tIN\t" if self._abi >= 3 else f"DATA\t{owner}\tIN\t"
        lines = [f"{head}{type_}\t{ttl}\t{ident}\t{content}\n" for type_, ttl, content in records]
        return "".join([*lines, "END\n"]).encode("ascii")

    def zone_id(self, key: bytes) -> int:
        """See ``sessions.KeepingSession``."""
        return int(key) if key.isdigit() and key[:1] != b"0" and len(key) < _MAX_ID_DIGITS else -1

    def form(self) -> object:
        """See ``sessions.KeepingSession``."""
        return self._abi or None

    def state(self) -> object:
        """See ``sessions.KeepingSession``; under another ABI the same question has another answer."""
        state = self._backend.state()
        if state is not self._state[1]:
            self._state = self._abi, state
        return self._state

    def call(self, request: bytes) -> str:
        """See ``sessions.KeepingSession``."""
        tag, *fields = request.split(b"\t")
        words = [field.decode("ascii", "replace") for field in fields[: 3 if tag == b"Q" else 0]]
        return names.printable(" ".join([self.method, *words[:1], *words[2:]]))

    def _failed(self, reason: str, request: bytes) -> bytes:
        self.failed = True
        return _failure(reason, request)

    def _answer(self, fields: list[str]) -> bytes:
        tag = fields[0]
        if tag == "HELO":
            return self._hello(fields)
        if not self._abi:
            raise RequestFault("HELO and the ABI version come first, as in HELO<TAB>1")
        if tag == "AXFR":
            return self._transfer(fields)
        if tag == "CMD":
            from pipebackend.cli import backendcmd

            return (
                "".join(f"{line}\n" for line in backendcmd.answer(self._backend, " ".join(fields[1:]))).encode() + END
            )
        raise RequestFault(f"unknown request {tag[:40]!r}; known are HELO, Q, AXFR and CMD")

    def _hello(self, fields: list[str]) -> bytes:
        """The banner. FAIL on a wrong ABI, and the process stays: leaving would be a relaunch per question."""
        if fields[1:] and fields[1] in ABIS:
            self._abi = int(fields[1])
            self._addresses = _ADDRESSES[self._abi]
            self._state = self._abi, None
            self._remember(f"HELO\t{self._abi}".encode())
            return f"OK\tpipebackend {VERSION}, {len(self._backend.registry.zones)} zones\n".encode()
        asked = " ".join(fields[1:])[:40]
        fault = f"PIPE ABI {asked!r} is not supported; set pipe-abi-version to one of {', '.join(ABIS)}"
        logs.error(fault)
        raise RequestFault(fault)

    def _question(self, fields: list[str]) -> bytes:
        needed = _QUESTION_FIELDS + self._addresses
        if len(fields) < needed:
            raise RequestFault(f"Q has {len(fields)} fields; ABI {self._abi} has {needed}")
        _, qname, qclass, qtype, zone_id, *addresses = fields
        ident = _integer(zone_id, "id")
        if qclass != "IN":
            return END
        answer = self._backend.lookup(qname, qtype, Client(*addresses[:3]), ident)
        self.keeps = answer.keep
        return self.written(answer)

    def _transfer(self, fields: list[str]) -> bytes:
        """AXFR names the zone from ABI 4 on, before that only its id."""
        if len(fields) < 2:
            raise RequestFault("AXFR needs the zone's id")
        apex = fields[2] if self._abi >= 4 and len(fields) > 2 else None
        ident, records = self._backend.transfer(apex, _integer(fields[1], "id"))
        lines = [self._data(record, ident) for record in self._backend.as_read(records) if record.type != ENT]
        return "".join([*lines, "END\n"]).encode("ascii")

    def _data(self, record: Record, ident: int) -> str:
        if record.type == ENT:
            type_, content = _ENT if self._backend.registry.powerdns.has_ents else _ENT_BEFORE_5_1
            record = record._replace(type=type_, content=content)
        elif "\n" in record.content:
            if record.type == "LUA":
                return self._lua(record, ident)
            fault = "PIPE has no way to say that code has several lines; use REMOTE"
            raise RecordFault(f"{record.owner} {record.type}: {fault}")
        line = datalines.line(record, ident)
        return line if self._abi >= 3 else "DATA\t" + line.split("\t", 3)[3]  # without scope and auth

    def _lua(self, record: Record, ident: int) -> str:
        """Code in several lines, of which PowerDNS's API makes a stored record: on one, or not at all."""
        from pipebackend.dnsdata import rdtext

        code = rdtext.on_one_line(record.content)
        return "" if code is None else self._data(record._replace(content=code), ident)


def main() -> None:
    """The command ``pipebackend``: answers PIPE lines from stdin on stdout until the end of input."""
    purpose = "Answers PowerDNS's PIPE protocol on stdin and stdout; launch it with pipe-command."
    launch.run("pipebackend", purpose, _new_session, refusal)


def refusal(request: bytes) -> bytes:
    """The answer to a request that took the process down; empty for HELO, without which no other could go on."""
    if request.rstrip(b"\r").partition(b"\t")[0] not in (b"Q", b"AXFR", b"CMD"):
        return b""
    return _failure("the process that answers died over this request; the log of PowerDNS has more", request)


def _new_session(backend: Backend | None, remember: Callable[[bytes | None], None]) -> PipeSession:
    return PipeSession(backend or open_as_owner(None), remember)


def _integer(text: str, what: str) -> int:
    if text.removeprefix("-").isdigit() and len(text) <= _MAX_ID_DIGITS:
        return int(text)
    raise RequestFault(f"{what} {text[:40]!r} is not a whole number")


def _failure(reason: str, request: bytes) -> bytes:
    """The answer that leaves PowerDNS in step with us, and the reason where it will show it.

    Of HELO it reads one line (rule P-4), of CMD all lines up to END (P-9), and after a SOA question's FAIL it
    waits for an END (P-15).
    """
    fields = request.rstrip(b"\r").split(b"\t")
    if fields[0] == b"HELO":
        return FAIL
    said = names.printable(reason)
    if fields[0] == b"CMD":
        return f"{said}\n".encode() + END
    is_soa = fields[0] == b"Q" and fields[3:4] == [b"SOA"]
    return f"LOG\t{said}\n".encode() + FAIL + (END if is_soa else b"")
