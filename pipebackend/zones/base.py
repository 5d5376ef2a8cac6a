"""What a zone is to the rest: the small protocol that every kind answers."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Protocol

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Client, Record

    class Ring(Protocol):
        """A zone's names in the two orders of denial (RFC 4034 section 6.1, RFC 5155 section 7.1).

        Names are canonical and absolute; a ring is never empty, since the apex is on it.
        """

        def neighbours(self, name: str) -> tuple[str, str]:
            """The greatest name on the NSEC ring that is not after ``name``, and its successor; wraps both ends.

            Below the apex they may be spelled as the zone has them.
            """

        def hashed_neighbours(self, label: str, param: Nsec3Param) -> tuple[str, str, str]:
            """For a lower-case base32hex hash: the name whose hash is ``before``, ``before``, and its successor."""

    class Zone(Protocol):
        """One zone, as loaded; a reload makes a new object, so a question sees the old one or the new one."""

        @property
        def apex(self) -> str:
            """The zone's name, canonical."""

        @property
        def ident(self) -> int:
            """PowerDNS's domain_id, the same in all processes."""

        @property
        def kind(self) -> str:
            """``table``, ``file``, ``ranges``, ``custom`` or ``stored``."""

        @property
        def dynamic(self) -> bool:
            """Whether answers depend on the client or the moment, so that they must not be kept."""

        @property
        def narrow(self) -> bool:
            """Whether NSEC3 must be narrow, since the names' hashes cannot be put in order."""

        @property
        def sources(self) -> Sequence[str]:
            """The files that the zone was read from; a change of one of them makes the zone be loaded again."""

        @property
        def faults(self) -> Sequence[str]:
            """What was left out of the zone and why, a line each with file and line."""

        def find(self, name: str, client: Client) -> Sequence[Record] | None:
            """The records at a canonical name in the zone, ``()`` at an empty non-terminal, None where nothing is.

            An empty non-terminal that only unsigned delegations make is as ``Tree.answer`` has it.
            """

        def soa(self) -> Record:
            """The SOA record."""

        def listing(self) -> Iterator[Record]:
            """All records for a transfer, SOA first, empty non-terminals as type ``""``; raises NotListable."""

        def ring(self) -> Ring | None:
            """The names in order; None where they cannot be listed, so that NSEC3 narrow must be used."""

    class Compilable(Zone, Protocol):
        """A zone in memory that can say what names it has."""

        def names(self) -> Iterable[str]:
            """All canonical names at which something may be found, empty non-terminals included, each once."""


__all__ = ["Compilable", "Ring", "Zone"]
