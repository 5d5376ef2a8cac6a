"""Asks the backend as PowerDNS does and keeps a list of the calls, each with its answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipebackend.base.errors import BackendError
from pipebackend.dnsdata import names, nsec3, nsec3param, zonelines
from pipebackend.dnsdata.records import ENT, Client

if TYPE_CHECKING:
    from pipebackend.backend import denial
    from pipebackend.backend.backend import Backend
    from pipebackend.backend.lookup import Answer
    from pipebackend.dnsdata.records import Record

__all__ = ["Asking", "Call", "CallFailed"]


class CallFailed(BackendError):
    """A call that PowerDNS gets no answer to: it answers SERVFAIL and asks no more."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the words of a trace, and its answer in lines; no line is "no" or "nothing"."""

    text: str
    answer: Sequence[str]


class Asking:
    """What PowerDNS learns, and in which order; it keeps settings and keys of a zone, and so asks once for them."""

    def __init__(self, backend: Backend, client: Client = Client()) -> None:  # noqa: B008
        """``client`` is who asks PowerDNS; it says so with each question but those for a SOA."""
        self._backend = backend
        self._client = client
        self._settings: dict[str, dict[str, Sequence[str]]] = {}
        self._signed: dict[str, bool] = {}
        self.calls: list[Call] = []

    def lookup(self, name: str, qtype: str, zone_id: int) -> Answer:
        """``lookup``: all records of a name, or its SOA."""
        client = Client() if qtype == "SOA" else self._client
        with self._call(f"lookup {_dotted(name)} {qtype} (zone-id {zone_id})") as lines:
            answer = self._backend.lookup(_dotted(name), qtype, client, zone_id)
            lines += map(_line, answer.records)
        return answer

    def zone_of(self, name: str) -> tuple[str, int] | None:
        """The zone that a name is in, and its id: PowerDNS asks upwards for a SOA (rule Q-1)."""
        for above in (name, *names.ancestors(name)):
            answer = self.lookup(above, "SOA", -1)
            if answer.records:
                return above, answer.ident
        return None

    def settings(self, zone: str) -> dict[str, Sequence[str]]:
        """``getAllDomainMetadata``."""
        if zone not in self._settings:
            with self._call(f"getAllDomainMetadata {_dotted(zone)}") as lines:
                found = dict(self._backend.metadata(zone))
                lines += [f"{kind}: {' | '.join(values)}" for kind, values in found.items()]
            self._settings[zone] = found
        return self._settings[zone]

    def is_signed(self, zone: str) -> bool:
        """``getDomainKeys``, after the settings."""
        self.settings(zone)
        if zone not in self._signed:
            with self._call(f"getDomainKeys {_dotted(zone)}") as lines:
                for key in (keys := self._backend.keys(zone)):
                    state = f"{'' if key.active else 'in'}active, {'' if key.published else 'un'}published"
                    lines.append(f"key {key.id}, flags {key.flags}, {state}")
            self._signed[zone] = any(key.active for key in keys)
        return self._signed[zone]

    def before(self, name: str, zone: str, zone_id: int) -> str:
        """``getBeforeAndAfterNamesAbsolute`` for NSEC: the name that denies what lies between it and its successor."""
        relative = names.relative(name, zone)
        before = self._neighbours(f"{relative}.", zone_id).before
        return names.join(names.from_text(before), zone)

    def hashed(self, name: str, zone: str, zone_id: int) -> str:
        """The same for NSEC3, of the name's hash: the name whose hash is equal or before."""
        parameters = nsec3param.from_text(self.settings(zone)["NSEC3PARAM"][0])
        label = nsec3.hash_label(name, parameters.salt, parameters.iterations)
        return names.from_text(self._neighbours(f"{label}.", zone_id, f"the hash of {_dotted(name)}").unhashed)

    def _neighbours(self, qname: str, zone_id: int, about: str = "") -> denial.Neighbours:
        with self._call(f"getBeforeAndAfterNamesAbsolute {qname} (id {zone_id})") as lines:
            lines += (f"this is {about}",) if about else ()
            found, _ = self._backend.neighbours(zone_id, qname)
            said = [f"{what}: {value or '(the apex)'}" for what, value in found._asdict().items() if value or not about]
            lines += [line for line in said if not line.startswith("unhashed: (")]
        return found

    @contextmanager
    def _call(self, text: str) -> Iterator[list[str]]:
        """Note a call and the lines of its answer; a failure is its last answer, and raises CallFailed."""
        lines: list[str] = []
        try:
            yield lines
        except BackendError as exc:
            lines += [f"failed: {line}" for line in str(exc).split("\n")]
            raise CallFailed(str(exc)) from exc
        finally:
            self.calls.append(Call(text, tuple(lines)))


def _dotted(name: str) -> str:
    return f"{name}."


def _line(record: Record) -> str:
    if record.type == ENT:
        return f"{record.owner}. exists and has no records"
    scope = f" scope={record.scope}" if record.scope else ""
    return f"{zonelines.zone_line(record)}\t; auth={record.auth:d}{scope}".replace("\t", " ")
