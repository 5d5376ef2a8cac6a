"""Finished answers for each name of the small zones of the configuration, made while nothing is asked.

Behind PowerDNS's caches come mostly names that were not asked for before. With these, a first question costs as much as
a repeated one: it is cut to the name and looked up. They are what the session itself answers, so nothing is rendered
in two ways; ``answercache`` gives them, and a property test holds both equal.
"""

from __future__ import annotations

from time import perf_counter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pipebackend.backend.sessions import KeepingSession
    from pipebackend.zones.base import Zone
    from pipebackend.zones.registry import Registry

    Answers = Mapping[bytes, tuple[bytes, list[int]]]

__all__ = ["MAX_FINISHED_OCTETS", "Finished"]

MAX_FINISHED_OCTETS = 3 << 20  # of questions and answers, some 10,000 names; larger zones are compiled
_SLICE_SECONDS = 0.0003  # so long may a question have to wait for it
_KINDS = ("table", "file")  # whose answers depend on the name alone
_ALL_ZONES = -1  # the id in questions of who knows none
_NONE: Answers = {}


class Finished:
    """What the sessions of a process share: answers in the form of the first one, from the zones as they are."""

    def __init__(self) -> None:
        self._answers: dict[bytes, tuple[bytes, list[int]]] = {}
        self._form: object = None
        self._registry: Registry | None = None
        self._names: Iterator[tuple[Zone, str]] = iter(())
        self._octets = 0
        self.unfinished = False

    def answers(self, session: KeepingSession) -> Answers:
        """Those for this session, by folded question; more come with ``make_some``."""
        backend, form = session.backend, session.form()
        if backend is None or form is None or not backend.patience:  # one who writes looks at each question
            return _NONE
        if backend.registry is not self._registry:
            self._registry, self._form = backend.registry, form
            self._answers, self._octets = {}, 0
            self._names = _names_of(backend.registry)
            self.unfinished = True
        return self._answers if form == self._form else _NONE

    def make_some(self, session: KeepingSession) -> bool:
        """Make a few more; False if they are not for sessions like this one."""
        if self.answers(session) is not self._answers:
            return False
        until = perf_counter() + _SLICE_SECONDS
        for zone, name in self._names:
            self._make(session, zone, name)
            if self._octets > MAX_FINISHED_OCTETS:
                break
            if perf_counter() > until:
                return True
        self.unfinished = False
        return True

    def _make(self, session: KeepingSession, zone: Zone, name: str) -> None:
        request = session.request_for(name, zone.ident)
        answer, backend = session.answer(request), session.backend
        if not session.keeps or session.failed or backend is None or self._registry is None:
            return
        kept = answer, backend.tally(session.method)
        key = session.folded(session.question(request))
        self._answers[key] = kept
        self._octets += len(key) + len(answer)
        if not self._registry.store_url and self._registry.zone_of(name) is zone:
            key = session.folded(session.question(session.request_for(name, _ALL_ZONES)))
            self._answers[key] = kept
            self._octets += len(key)


def _names_of(registry: Registry) -> Iterator[tuple[Zone, str]]:
    for zone in registry.zones:
        names: Callable[[], Iterable[str]] | None = getattr(zone, "names", None)  # a compiled zone has none
        for name in names() if names is not None and zone.kind in _KINDS else ():
            if "\\" not in name:  # whose letters may be written in several ways
                yield zone, name
