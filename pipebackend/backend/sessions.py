"""What a front end makes of its protocol, without input or output; for type checkers alone."""

from __future__ import annotations

__all__ = ["KeepingSession", "NewSession", "Session"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from pipebackend.backend.backend import Backend
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Plain

    class Session(Protocol):
        """Requests in, answers out."""

        def answer(self, request: bytes) -> bytes:
            """The bytes that answer one request line, given without its line end."""

        def overlong(self) -> bytes:
            """The answer to a line of more than MAX_REQUEST octets."""

        def settle(self) -> None:
            """Called once when the first answer is out: the time for work that nobody should wait for."""

    class KeepingSession(Protocol):
        """A ``Session`` that can tell which of its answers may be given again."""

        keeps: bool
        """Whether the last answer holds for the same question until ``state`` changes."""

        method: str
        """The last call, by REMOTE's name for it."""

        failed: bool
        """Whether the last answer says that there is none."""

        @property
        def backend(self) -> Backend | None:
            """What it answers from; None until it is known which."""

        def answer(self, request: bytes) -> bytes: ...

        def overlong(self) -> bytes: ...

        def settle(self) -> None: ...

        def question(self, request: bytes) -> bytes:
            """The part of a request that decides the answer, without who asks; ``b""`` where nothing is kept."""

        def folded(self, question: bytes) -> bytes:
            """The same with the letters of the name in lower case, which has the same answer (RFC 4343 section 3)."""

        def name_and_zone(self, request: bytes) -> tuple[bytes, bytes]:
            """What a question for all records at a name asks for, the id as ``zone_key`` has it.

            Both are as PowerDNS writes them; something that is not in ``Finished`` for every other request.
            """

        def zone_key(self, zone_id: int) -> bytes:
            """The id of a zone at the end of what ``name_and_zone`` gives."""

        def written(self, answer: Answer) -> bytes:
            """An answer to a lookup, as ``answer`` gives it; raises RecordFault."""

        def written_lines(self, lines: bytes, ident: int) -> bytes | None:
            """The same of ``datalines`` of a zone with that id; None where only ``answer`` can tell."""

        def written_plain(self, owner: str, records: Sequence[Plain], ident: int) -> bytes:
            """The same of plain records."""

        def zone_id(self, key: bytes) -> int:
            """The id that ``zone_key`` gives this key; -1 if there is none."""

        def form(self) -> object:
            """What else than question and zones decides how an answer is written; None if that is not known yet."""

        def state(self) -> object:
            """The same object for as long as no zone can have changed."""

        def call(self, request: bytes) -> str:
            """A request in a few words, without content."""

    NewSession = Callable[[Backend | None, Callable[[bytes | None], None]], KeepingSession]
