"""Every error of the project, drawn as one tree.

BackendError
 ├── NameFault        a text that is no domain name
 ├── RecordFault      content that its record type does not allow
 ├── ConfigFault      the configuration file; holds every fault of the file
 ├── ZoneFault        a zone's source; holds every fault of the source
 ├── NotListable      a zone that cannot be transferred, and why
 ├── RequestFault     a question that is not well formed
 ├── KeyFault         key material that is wrong or does not fit
 ├── MetadataFault    a metadata kind or value that is refused
 ├── TransferFault    a stored zone must not become what was sent; holds every reason
 └── StoreFault       the store cannot be read or written
      └── SoaFault    a stored zone cannot be served for its SOA
"""

from __future__ import annotations

from pipebackend.base.logs import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BackendError",
    "ConfigFault",
    "KeyFault",
    "MetadataFault",
    "NameFault",
    "NotListable",
    "RecordFault",
    "RequestFault",
    "SoaFault",
    "StoreFault",
    "TransferFault",
    "ZoneFault",
]


class BackendError(Exception):
    """Root of all errors that carry a message for the operator; its text says what is wrong and where.

    The text may quote a file or a request; octets that a terminal would obey are written as escapes.
    """

    def __init__(self, text: str) -> None:
        super().__init__("\n".join(map(shown, text.split("\n"))))


class NameFault(BackendError):
    """A text that is no domain name (RFC 1035 section 2.3.4, presentation form of section 5.1)."""


class RecordFault(BackendError):
    """Record content that its type does not allow."""


class _Faults(BackendError):
    """All faults of one source at once, each a line that names the place."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(map(shown, faults))
        super().__init__("\n".join(self.faults))


class ConfigFault(_Faults):
    """A configuration that cannot be used; ``faults`` has one line for each thing that is wrong."""


class ZoneFault(_Faults):
    """A zone's source that cannot be used; ``faults`` has one line for each thing that is wrong.

    ``sources`` are the files that were read so far: the zone is tried again when one of them changes.
    """

    def __init__(self, faults: Sequence[str], sources: Sequence[str] = ()) -> None:
        super().__init__(faults)
        self.sources = tuple(sources)


class NotListable(BackendError):
    """The zone cannot list its names, so it cannot be transferred."""


class RequestFault(BackendError):
    """A request that is not well formed."""


class KeyFault(BackendError):
    """Key material that is malformed, unsupported or does not fit its zone."""


class MetadataFault(BackendError):
    """A metadata kind or value that is refused."""


class StoreFault(BackendError):
    """The store cannot be read or written."""


class TransferFault(_Faults):
    """A zone must not become what was sent; ``faults`` has one line for each reason, and nothing was changed."""


class SoaFault(StoreFault):
    """A zone of the store cannot be served for what its SOA is; the others can."""
