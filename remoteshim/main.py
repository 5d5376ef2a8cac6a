"""The REMOTE front end: one line of JSON in, one line of JSON out (docs/powerdns-behaviour.md, R-1 and following)."""

from __future__ import annotations

from pipebackend.backend.opening import open_as_owner
from pipebackend.base import logs
from pipebackend.base.errors import BackendError, ConfigFault, NameFault, RequestFault
from pipebackend.dnsdata import datalines, names
from pipebackend.server import launch
from pipebackend.server.framing import MAX_REQUEST
from remoteshim import jsonline, methods, plainlookup
from remoteshim.params import Params

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipebackend.backend.backend import Backend
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Plain
    from pipebackend.server.arguments import Arguments
    from pipebackend.server.httpconnection import Translate
    from remoteshim.plainlookup import Asked

__all__ = ["RemoteSession", "main"]

_KEPT = (plainlookup.DENIAL, *(f'{{"method": "{method}", '.encode() for method in methods.STEADY))
_BOUNDARIES = frozenset(("initialize", "commitTransaction", "abortTransaction"))  # no transaction is open after these
# A question for all records as PowerDNS writes it
_NAME, _ALL, _ZONE = b'", "qname": "', b'.", "qtype": "ANY", "real-remote": "', b'"zone-id": '
FALSE = "false"
NULL = "null"


class RemoteSession:
    """One PowerDNS at the other end; gives one JSON line for each line, whatever it holds."""

    def __init__(
        self,
        open_with: Callable[[str | None], Backend],
        backend: Backend | None = None,
        remember: Callable[[bytes | None], None] = lambda _: None,
    ) -> None:
        """``open_with`` gets the ``config`` of initialize; it is called when the first request needs a backend.

        ``remember`` gets the request that brings a new session into the state of this one; None within a transaction,
        whose writes end with this process.
        """
        self._open_with = open_with
        self._backend = backend
        self._remember = remember
        self._initialized_by = b""
        self.keeps = False
        self.method = ""
        self.failed = False

    @property
    def backend(self) -> Backend | None:
        """See ``sessions.KeepingSession``."""
        return self._backend

    def answer(self, request: bytes) -> bytes:
        """See ``sessions.Session``."""
        self.keeps = self.failed = False
        self.method = "unknown"
        asked = plainlookup.read(request)
        try:
            if asked is None:
                denied = plainlookup.read_denial(request)
                if denied is not None:
                    return self._neighbours(*denied)
                method, params = _parsed(request)
                if method in methods.KNOWN:
                    self.method = method
                if method != "lookup":
                    return self._answer_other(method, params, request)
                asked = plainlookup.of_params(params)
            self.method = "lookup"
            result, self.keeps = methods.lookup(self._opened(), asked)
            return _written(result)
        except ConfigFault:
            raise
        except (RequestFault, NameFault) as exc:
            self.failed = True
            return _no(str(exc), NULL if self.method == methods.NEIGHBOURS else FALSE)
        except BackendError as exc:
            self.failed = True
            logs.error_of_question(str(exc))
            return _failed(self.method, asked, str(exc))
        except Exception:  # the edge: one failed answer, never a dead process
            self.failed = True
            from pipebackend.dnsdata import shown

            logs.traceback(f"answering {shown.request(request)} failed")
            return _failed(self.method, asked, "internal error; stderr has the traceback")

    def overlong(self) -> bytes:
        """See ``sessions.Session``."""
        return _no(f"a line of more than {MAX_REQUEST} octets")

    def settle(self) -> None:
        """See ``sessions.Session``."""
        if self._backend is not None:
            self._backend.start_watching()

    def question(self, request: bytes) -> bytes:
        """See ``sessions.KeepingSession``: name, type and zone id of a lookup as PowerDNS writes it, keys in order.

        Keys and settings are asked for with each question where PowerDNS does not keep them, and of its questions for
        the neighbours of a name one comes again with each name: that of the wildcard.

        Quotes inside a JSON string have a backslash before them, so nothing in a name can look like these keys.
        """
        if not request.startswith(plainlookup.LOOKUP):
            return request if request.startswith(_KEPT) else b""
        start = request.find(b'"qname": ')
        end = request.find(b', "real-remote": ', start)
        return request[start:end] + request[request.rfind(b'"zone-id": ') :] if 0 < start < end else b""

    def folded(self, question: bytes) -> bytes:
        """See ``sessions.KeepingSession``."""
        name, between, rest = question.partition(b'", "qtype": ')
        if not between or b"\\" in name:  # no lookup, or JSON's escapes, whose letters have one case
            return question
        return name.lower() + between + rest

    def name_and_zone(self, request: bytes) -> tuple[bytes, bytes]:
        """See ``sessions.KeepingSession``."""
        before, _, rest = request.partition(_ALL)
        head, _, name = before.rpartition(_NAME)
        if not head.startswith(plainlookup.LOOKUP):
            return b"", b""
        return name, rest.rpartition(_ZONE)[2]

    def zone_key(self, zone_id: int) -> bytes:
        """See ``sessions.KeepingSession``."""
        return b"%d}}" % zone_id

    def written(self, answer: Answer) -> bytes:
        """See ``sessions.KeepingSession``."""
        return _written(methods.records_json(answer.fields(), answer.ident))

    def written_lines(self, lines: bytes, ident: int) -> bytes | None:
        """See ``sessions.KeepingSession``."""
        plain = datalines.plain(lines)
        if plain is not None:
            return _written(methods.plain_json(*plain))
        return _written(methods.records_json(datalines.fields(lines), ident))

    def written_plain(self, owner: str, records: Sequence[Plain], ident: int) -> bytes:
        """See ``sessions.KeepingSession``."""
        return _written(methods.plain_json(owner, records))

    def zone_id(self, key: bytes) -> int:
        """See ``sessions.KeepingSession``."""
        digits = key[:-2]
        return int(digits) if digits.isdigit() and digits[:1] != b"0" and key == b"%s}}" % digits else -1

    def form(self) -> object:
        """See ``sessions.KeepingSession``: there is one."""
        return "json"

    def state(self) -> object:
        """See ``sessions.KeepingSession``."""
        return self._backend.state() if self._backend is not None else None

    def call(self, request: bytes) -> str:
        """See ``sessions.KeepingSession``."""
        try:
            _, params = _parsed(request)
            words = [params.text(key, "") for key in ("qname", "name", "zonename", "qtype", "kind")]
        except RequestFault:
            words = []
        return names.printable(" ".join([self.method, *filter(None, words)]))

    def _neighbours(self, zone_id: int, qname: str) -> bytes:
        self.method = methods.NEIGHBOURS
        result, self.keeps = methods.neighbours(self._opened(), zone_id, qname)
        return _written(result)

    def _answer_other(self, method: str, params: Params, request: bytes) -> bytes:
        if method == methods.NEIGHBOURS:
            return self._neighbours(params.number("id"), params.text("qname"))
        if method in _BOUNDARIES:
            self._initialized_by = request if method == "initialize" else self._initialized_by
            self._remember(self._initialized_by)
        answer = f'{{"result":{self._result(method, params)}}}\n'.encode("ascii")
        if method == "startTransaction":
            self._remember(None)
        return answer

    def _result(self, method: str, params: Params) -> str:
        if method == "initialize":
            self._initialize(params)
            return "true"
        if method in methods.RENDERED:
            return methods.RENDERED[method](self._opened(), params)
        if method in methods.METHODS:
            result = jsonline.dumps(methods.METHODS[method](self._opened(), params))
            if method in methods.STEADY:
                self.keeps = self._opened().is_steady(params.text("name"))
            return result
        raise RequestFault(f"unknown method {names.printable(method[:60])!r}")

    def _initialize(self, params: Params) -> None:
        """Options of the connection string; all but ``config`` are PowerDNS's own."""
        given = params.text("config", "") or None
        if self._backend is None:
            self._backend = self._open_with(given)

    def _opened(self) -> Backend:
        if self._backend is None:  # a person's request, without initialize
            self._backend = self._open_with(None)
        return self._backend


def main() -> None:
    """The command ``remoteshim``: answers REMOTE's JSON lines from stdin on stdout until the end of input."""
    purpose = (
        "Answers PowerDNS's REMOTE protocol on stdin and stdout; launch it with remote-connection-string=pipe:command=…"
    )
    launch.run(
        "remoteshim",
        purpose,
        lambda backend, remember: RemoteSession(open_as_owner, backend, remember),
        new_translate=_translate,
    )


def _translate(given: Arguments) -> Translate:
    from remoteshim.httpforms import Forms, read_secret

    return Forms(given.path, read_secret(given.secret) if given.secret else "").line


def _parsed(request: bytes) -> tuple[str, Params]:
    value = jsonline.loads(request.decode("utf-8", "surrogateescape"))
    if not isinstance(value, dict) or not isinstance(value.get("method"), str):
        raise RequestFault('a request is an object with "method" and "parameters"')
    return value["method"], Params(value["method"], value.get("parameters", {}))


def _written(result: str) -> bytes:
    return f'{{"result":{result}}}\n'.encode("ascii")


def _failed(method: str, asked: Asked | None, reason: str) -> bytes:
    """The answer to a well-formed request that could not be met, so that PowerDNS takes it for nothing else."""
    if asked is not None:
        record = methods.unusable_json(asked.qname, names.printable(reason))
        return f'{{"result":{record}}}\n'.encode("ascii")
    return _no(reason, NULL if method in methods.NEVER_NO else FALSE)


def _no(reason: str, result: str = FALSE) -> bytes:
    return f'{{"result":{result},"log":[{jsonline.quote(names.printable(reason))}]}}\n'.encode("ascii")
