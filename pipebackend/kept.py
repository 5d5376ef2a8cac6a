"""The shortcut of the serving path: finished answers, kept by question for as long as the zones stay as they are.

The way without the shortcut is ``session.answer``; a property test holds both equal. Answers that depend on the client
or the moment are never kept.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from pipebackend.backend import Backend

    class KeepingSession(Protocol):
        """A ``streams.Session`` that can tell which of its answers may be given again."""

        keeps: bool
        """Whether the last answer holds for the same question until ``state`` changes."""

        @property
        def backend(self) -> Backend | None:
            """What it answers from; None until it is known which."""

        def answer(self, request: bytes) -> bytes: ...

        def overlong(self) -> bytes: ...

        def settle(self) -> None: ...

        def question(self, request: bytes) -> bytes:
            """The part of a request that decides the answer, without who asks; ``b""`` where nothing is kept."""

        def state(self) -> object:
            """Differs from what it was whenever a zone may have changed."""

        def repeated(self) -> None:
            """Called when a kept answer is given."""


__all__ = ["Kept"]

MAX_ANSWERS = 16_384  # some 5 MB of answers of 200 octets: what is asked often stays, a flood of names costs no more
MAX_OCTETS = 4096  # larger answers are rare and would make that bound meaningless


class Kept:
    """A session that gives finished answers again."""

    def __init__(self, session: KeepingSession) -> None:
        self._session = session
        self._answers: dict[bytes, bytes] = {}
        self._state: object = None

    def answer(self, request: bytes) -> bytes:
        """See ``streams.Session``."""
        session = self._session
        state = session.state()
        if state != self._state:
            self._answers.clear()
            self._state = state
        question = session.question(request)
        kept = self._answers.get(question)
        if kept is not None:
            session.repeated()
            return kept
        answer = session.answer(request)
        if question and session.keeps and len(answer) <= MAX_OCTETS:
            self._keep(question, answer)
        return answer

    def overlong(self) -> bytes:
        """See ``streams.Session``."""
        return self._session.overlong()

    def settle(self) -> None:
        """See ``streams.Session``."""
        self._session.settle()

    def _keep(self, question: bytes, answer: bytes) -> None:
        if len(self._answers) >= MAX_ANSWERS:
            del self._answers[next(iter(self._answers))]  # the oldest: cheaper than knowing the least used
        self._answers[question] = answer
