"""A large zone that commands read only when they ask for something of it."""

from __future__ import annotations

from pipebackend.base.errors import ZoneFault
from pipebackend.zones.compiled.target import Target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from pipebackend.dnsdata.records import Client, Record
    from pipebackend.zones.base import Ring, Zone

__all__ = ["Deferred"]


class Deferred:
    """A large zone that is not read before something of it is asked: a command may be about another zone."""

    dynamic = False
    narrow = False

    def __init__(self, target: Target, read: Callable[[], Zone]) -> None:
        """``read`` raises ZoneFault."""
        self.apex = target.apex
        self.ident = target.ident
        self.kind = target.kind
        self.sources: Sequence[str] = (target.source,)
        self._read = read
        self._zone: Zone | None = None

    @property
    def faults(self) -> Sequence[str]:
        """See ``zones.base.Zone``; all faults of a source that is refused, too."""
        try:
            return self._opened().faults
        except ZoneFault as exc:
            return exc.faults

    @property
    def settings(self) -> Mapping[str, Sequence[str]]:
        """See ``presigned``."""
        found: Mapping[str, Sequence[str]] = getattr(self._opened(), "settings", {})
        return found

    def find(self, name: str, client: Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``."""
        return self._opened().find(name, client)

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return self._opened().soa()

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``."""
        return self._opened().listing()

    def ring(self) -> Ring | None:
        """See ``zones.base.Zone``."""
        return self._opened().ring()

    def _opened(self) -> Zone:
        if self._zone is None:
            self._zone = self._read()
            self.sources = self._zone.sources
        return self._zone
