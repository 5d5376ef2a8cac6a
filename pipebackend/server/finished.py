"""Finished answers of whole zones, by name: a question is cut to its name in lower case and looked up.

Behind PowerDNS's caches come mostly names that were not asked for before. Those of small zones of the configuration
are made after the first answer, a few at a time while no question waits, or when they are asked for; those of compiled
and stored zones are read from their file. They are what the session itself writes; property tests hold both equal.
"""

from __future__ import annotations

from time import perf_counter

from pipebackend.backend.lookup import NOTHING
from pipebackend.base.errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipebackend.backend.sessions import KeepingSession
    from pipebackend.dnsdata.records import Plain
    from pipebackend.zones.base import Zone
    from pipebackend.zones.registry import Registry

    ByZone = Mapping[bytes, "ZoneAnswers"]

__all__ = ["MAX_FINISHED_OCTETS", "MAX_READ_OCTETS", "NOBODY", "Finished", "ZoneAnswers", "of_store"]

MAX_FINISHED_OCTETS = 3 << 20  # of names and answers, some 10,000 names; larger zones are compiled
MAX_READ_OCTETS = 2 << 20  # of those that were read from a compiled file or a store
_SLICE_SECONDS = 0.00003  # so long may a question have to wait
_KINDS = ("table", "file")  # whose answers depend on the name alone
_ALL_ZONES = -1  # the id in questions of who knows none
_NONE: ByZone = {}
_PLAIN = b"abcdefghijklmnopqrstuvwxyz0123456789-_*."  # what a name of hosts is written with
_LONGEST_PLAIN = 63  # octets, up to which no label can be too long


class ZoneAnswers:
    """Answers to questions for all records at a name of one zone.

    ``by_name`` has those that are there, by canonical name; where it has none, ``more`` says or finds it, or gives
    None: then the session answers. ``tally`` counts them. ``room`` is how many octets ``keep`` holds at most.
    """

    __slots__ = ("_left", "_room", "by_name", "more", "tally")

    def __init__(self, tally: list[int], more: Callable[[bytes], bytes | None], room: int = 0) -> None:
        self.by_name: dict[bytes, bytes] = {}
        self.tally = tally
        self.more = more
        self._room = self._left = room

    def keep(self, name: bytes, answer: bytes) -> None:
        """Have one more answer; where there is no room for it, all others are forgotten."""
        self._left -= len(name) + len(answer)
        if self._left < 0:
            self.by_name.clear()
            self._left = self._room
        self.by_name[name] = answer


NOBODY = ZoneAnswers([0, 0], lambda _: None)


class Finished:
    """What the sessions of a process share: answers in the form of the first one, from the zones as they are."""

    def __init__(self) -> None:
        self._by_zone: dict[bytes, ZoneAnswers] = {}
        self._form: object = None
        self._registry: Registry | None = None
        self._names: Iterator[tuple[Zone, ZoneAnswers, str]] = iter(())
        self._octets = 0
        self.unfinished = False

    def answers(self, session: KeepingSession) -> ByZone:
        """Those for this session, by the zone's id as a question has it; more come with ``make_some``."""
        backend, form = session.backend, session.form()
        if backend is None or form is None or backend.is_writing:
            return _NONE
        if backend.registry is not self._registry:
            self._registry, self._form = backend.registry, form
            self._by_zone, self._octets = {}, 0
            self._names = self._names_of(session, backend.registry)
            self.unfinished = bool(self._by_zone)
        return self._by_zone if form == self._form else _NONE

    def make_some(self, session: KeepingSession) -> bool:
        """Make a few more; False if they are not for sessions like this one."""
        if self.answers(session) is not self._by_zone:
            return False
        until = perf_counter() + _SLICE_SECONDS
        for zone, answers, name in self._names:
            self._make(session, zone, answers, name)
            if self._octets > MAX_FINISHED_OCTETS:
                break
            if perf_counter() > until:
                return True
        self.unfinished = False
        return True

    def _make(self, session: KeepingSession, zone: Zone, answers: ZoneAnswers, name: str) -> None:
        key = name.encode("ascii")
        if key in answers.by_name or answers.more(key) is not None or session.backend is None:
            return
        try:  # the apex, and names that are written in an odd way
            self._keep(answers, key, session.written(session.backend.answer_at(zone, name)))
        except BackendError:
            return  # for ``session.answer`` to report

    def _keep(self, answers: ZoneAnswers, name: bytes, answer: bytes) -> None:
        if self._octets <= MAX_FINISHED_OCTETS:
            answers.by_name[name] = answer
            self._octets += len(name) + len(answer)

    def _names_of(self, session: KeepingSession, registry: Registry) -> Iterator[tuple[Zone, ZoneAnswers, str]]:
        """All names to make answers for; at first an entry is made for each zone, so that it may have them."""
        to_make = []
        is_alone = len(registry.zones) == 1 and not registry.store_url
        for zone in registry.zones:
            answers = self._entry(session, zone)
            if answers is None:
                continue
            self._by_zone[session.zone_key(zone.ident)] = answers
            if is_alone:
                self._by_zone[session.zone_key(_ALL_ZONES)] = answers
            if zone.kind in _KINDS and hasattr(zone, "names"):
                to_make.append((zone, answers))
        return _all_names(session, to_make)

    def _entry(self, session: KeepingSession, zone: Zone) -> ZoneAnswers | None:
        """The answers of one zone; None if it cannot have them."""
        lines: Callable[[bytes], bytes | None] | None = getattr(zone, "lines", None)
        if lines is not None:
            return _from_file(session, zone, lines)
        return self._from_memory(session, zone) if zone.kind in _KINDS and hasattr(zone, "names") else None

    def _from_memory(self, session: KeepingSession, zone: Zone) -> ZoneAnswers:
        """Those of a small zone, each made when it is first asked for, if not before."""
        backend = session.backend
        assert backend is not None
        plain: Callable[[str], tuple[str, list[Plain]] | None] = getattr(zone, "plain", _nothing)
        written_plain, ident, nothing = session.written_plain, zone.ident, session.written(NOTHING)
        is_below, end = _below(zone), _end(zone)

        def make(name: bytes) -> bytes | None:
            text = name.decode("latin-1")
            row = plain(text) if name.endswith(end) and b"\\" not in name else None
            if row is not None:
                answer = written_plain(*row, ident)
            elif is_below(name):
                try:
                    answer = session.written(backend.answer_at(zone, text))
                except BackendError:
                    return None  # for ``session.answer`` to report
                if answer == nothing:
                    return answer
            else:
                return None
            self._keep(answers, name, answer)
            return answer

        answers = ZoneAnswers(backend.tally_of(zone), make)
        return answers


def _nothing(name: str) -> None:
    """What zones have that have no rows."""


def _from_file(session: KeepingSession, zone: Zone, lines: Callable[[bytes], bytes | None]) -> ZoneAnswers:
    """Those of a compiled zone, of which ``lines`` reads what it has; see ``CompiledZone``."""
    assert session.backend is not None
    absent, written, ident = _denier(session, zone), session.written_lines, zone.ident

    def read(name: bytes) -> bytes | None:
        found = lines(name)
        if not found:
            return None if found is None else absent(name)
        answer = written(found, ident)
        if answer is not None:
            answers.keep(name, answer)
        return answer

    answers = ZoneAnswers(session.backend.tally_of(zone), read, MAX_READ_OCTETS)
    return answers


def of_store(session: KeepingSession, key: bytes, room: int) -> ZoneAnswers:
    """Those of a stored zone, read row by row, of which ``room`` octets are kept; for as long as no zone has changed.

    ``key`` is its id in the question. For other zones it has nothing.
    """
    backend, ident = session.backend, session.zone_id(key)
    zone = backend.zones.with_id(ident) if backend is not None and ident >= 0 else None
    if backend is None or zone is None or zone.kind != "stored":
        return NOBODY
    plain, is_below, written, nothing = zone.plain, _below(zone), session.written_plain, session.written(NOTHING)  # type: ignore[attr-defined]

    def read(name: bytes) -> bytes | None:
        if not is_below(name):
            return None
        owner = name.decode("ascii")
        try:
            found = plain(owner)
        except BackendError:
            return None  # for ``session.answer`` to report
        if found is None:
            return None
        answer = written(owner, found, ident) if found else nothing
        if found or name[:1] == b"*":  # asked for with each name that is not there
            answers.keep(name, answer)
        return answer

    answers = ZoneAnswers(backend.tally_of(zone), read, room)
    return answers


def _denier(session: KeepingSession, zone: Zone) -> Callable[[bytes], bytes | None]:
    """Gives the answer for names that are not in the zone; None where a closer look is needed at how one is written."""
    nothing, is_below = session.written(NOTHING), _below(zone)
    return lambda name: nothing if is_below(name) else None


def _end(zone: Zone) -> bytes:
    """What names below the zone's apex end with."""
    return b"." + zone.apex.encode("ascii") if zone.apex else b""


def _below(zone: Zone) -> Callable[[bytes], bool]:
    """Whether a name in lower case is one of a host, written in the one way that there is, below the zone's apex."""
    end = _end(zone)

    def is_below(name: bytes) -> bool:
        return (
            name.endswith(end)
            and not name.translate(None, _PLAIN)
            and len(name) <= _LONGEST_PLAIN
            and b".." not in name
            and name[:1] != b"."
            and name[-1:] not in (b".", b"")
        )

    return is_below


def _all_names(
    session: KeepingSession, zones: Iterable[tuple[Zone, ZoneAnswers]]
) -> Iterator[tuple[Zone, ZoneAnswers, str]]:
    for zone, answers in zones:
        names: Iterable[str] = zone.names()  # type: ignore[attr-defined]
        for name in names:
            if "\\" not in name:  # whose letters may be written in several ways
                yield zone, answers, name
        answers.more = _denier(session, zone)
