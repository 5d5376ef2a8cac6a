"""The shortcut of the serving path: finished answers, kept by question for as long as the zones stay as they are.

All calls are counted here: what is given again by raising the number that was found when the answer was made.

The way without the shortcut is ``session.answer``; a property test holds both equal. Answers that depend on the client
or the moment are never kept.
"""

from __future__ import annotations

from time import monotonic, perf_counter

from pipebackend.base.errors import BackendError
from pipebackend.server.finished import MAX_READ_OCTETS, NOBODY, Finished, ZoneAnswers, of_store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipebackend.backend.sessions import KeepingSession
    from pipebackend.server.finished import ByZone


__all__ = ["MAX_ANSWERS", "Kept"]

MAX_ANSWERS = 16_384  # some 5 MB of answers of 200 octets: what is asked often stays, a flood of names costs no more
MAX_OCTETS = 4096  # of question and answer; larger ones are rare, and few of them would push out all others
MAX_TOTAL = 8 << 20  # octets of all of them, where answers are large as those with ready-made signatures
_MOST_ZONES = 1000  # of a store, whose answers are read without a look at all else
_LONGEST_CALL = 200  # characters of a slow call that are kept


class Kept:
    """A session that gives finished answers again, at most ``most`` of them."""

    def __init__(self, session: KeepingSession, most: int = MAX_ANSWERS, finished: Finished | None = None) -> None:
        """``finished`` is shared by the sessions of a process."""
        self._session = session
        self.finished = Finished() if finished is None else finished
        self._ready: ByZone = {}
        self._read: dict[bytes, ZoneAnswers] = {}  # of zones of the store
        self._is_direct = False  # whether there may be either
        self._question = session.question
        self._name_and_zone = session.name_and_zone
        self._most = most
        self._answers: dict[bytes, tuple[bytes, list[int]]] = {}
        self._older: dict[bytes, tuple[bytes, list[int]]] = {}
        self._octets = 0  # of what was kept since the last generation ended
        self._state: object = None
        self._look_at = 0.0  # when to see next whether a zone has changed: not at each question, which takes as long

    def answer(self, request: bytes) -> bytes:
        """See ``sessions.Session``."""
        if monotonic() >= self._look_at:
            self._look()
        if self._is_direct:
            name, zone = self._name_and_zone(request)
            name = name.lower()
            ready = self._ready.get(zone) or self._read.get(zone) or self._of_store(zone)
            finished = ready.by_name.get(name) or ready.more(name)
            if finished is not None:
                ready.tally[0] += 1
                return finished
        question = self._question(request)
        kept = self._answers.get(question)
        if kept is not None:
            answer, tally = kept
            tally[0] += 1
            return answer
        return self._answer_and_keep(request, question)

    def overlong(self) -> bytes:
        """See ``sessions.Session``."""
        return self._session.overlong()

    def settle(self) -> None:
        """See ``sessions.Session``."""
        self._session.settle()

    def make_some(self) -> bool:
        """Make a few answers that nobody has asked for so far; to be called when nothing is asked. See ``Finished``."""
        return self.finished.make_some(self._session)

    def _look(self) -> None:
        """Forget the answers that may have changed."""
        session = self._session
        state = session.state()
        if state is not self._state:
            self._answers.clear()
            self._older.clear()
            self._octets = 0
            self._state = state
            self._ready = self.finished.answers(session)
            backend = session.backend
            self._is_direct = backend is not None and session.form() is not None and not backend.is_writing
            self._read = {b"": NOBODY}
        self._look_at = monotonic() + (session.backend.patience if session.backend is not None else 0.0)

    def _of_store(self, zone: bytes) -> ZoneAnswers:
        try:
            found = of_store(self._session, zone, MAX_READ_OCTETS if self._most else 0)
        except BackendError:
            return NOBODY  # for the session to report
        if len(self._read) < _MOST_ZONES:
            self._read[zone] = found
        return found

    def _answer_and_keep(self, request: bytes, question: bytes) -> bytes:
        question = self._session.folded(question) if question else b""
        kept = self._answers.get(question)
        if kept is None and question in self._older:
            kept = self._older[question]
            self._keep(question, kept)
        if kept is not None:
            kept[1][0] += 1
            return kept[0]
        session = self._session
        started = perf_counter()
        answer = session.answer(request)
        tally = self._counted(request, perf_counter() - started)
        if not question:
            self._look_at = 0.0  # it may have been a write, which the next question must see
        elif session.keeps and not session.failed and len(question) + len(answer) <= MAX_OCTETS and self._most:
            self._keep(question, (answer, tally))
        return answer

    def _counted(self, request: bytes, seconds: float) -> list[int]:
        session = self._session
        backend = session.backend
        if backend is None:  # a session that was never opened has nobody to ask for its numbers
            return [0, 0]
        tally = backend.tally(session.method)
        tally[0] += 1
        tally[1] += session.failed
        if backend.stats.is_slow(seconds):
            backend.stats.remember(seconds, session.call(request)[:_LONGEST_CALL])
        return tally

    def _keep(self, question: bytes, answer: tuple[bytes, list[int]]) -> None:
        """In two generations: what was not asked for during a whole one is forgotten with it.

        To take the oldest out of a dict one by one would walk over all places that became free before.
        """
        if len(self._answers) >= (self._most + 1) // 2 or self._octets >= MAX_TOTAL // 2:
            self._older, self._answers = self._answers, {}
            self._octets = 0
        self._octets += len(question) + len(answer[0])
        self._answers[question] = answer
