"""Custom zones: a class of your own answers, in a few lines of Python.

    [[zone]]
    name = "clock.example.net"
    kind = "custom"
    object = "my_zones:Clock"            # module:class
    path = "python"                      # the folder of the module; the configuration's folder if left out
    options = { zone = "UTC" }           # given to the class as keyword arguments
    ttl = 1                              # seconds, of records that say none; 3600 if left out
    soa = { mname = "ns1.example.net", rname = "hostmaster.example.net" }
    ns = ["ns1.example.net"]
    records = ["www A 192.0.2.1"]

The class has a method ``lookup(name, client)``. ``name`` is relative to the zone and in lower case, ``""`` is the zone
itself; ``client`` is a ``Client``. It returns the records of the name: tuples ``(type, content)``, ``(type, content,
ttl)`` or ``(type, content, ttl, scope)``, which ``RR`` makes with names for the fields. No records at all means that
the name exists without data, None that it does not exist. A second method, ``names()``, may list the names: then the
zone can be transferred, and a denial names its neighbours; without it, signed zones need NSEC3 narrow.
"""

from __future__ import annotations

import os

from pipebackend.base import logs
from pipebackend.base.errors import BackendError, NameFault, NotListable, RecordFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import charstrings, names, records
from pipebackend.dnsdata.occlusion import hider, marked
from pipebackend.dnsdata.records import Record
from pipebackend.zones import apex as apex_records
from pipebackend.zones.kinds import loader
from pipebackend.zones.ring import TreeRing
from pipebackend.zones.tree import Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from typing import Any, TypeVar

    from pipebackend.config.configuration import Section

    T = TypeVar("T")

__all__ = ["RR", "Client", "CustomZone", "load"]

MAX_SCOPE = 128  # bits of an IPv6 address


class RR(Value):
    """One record of an answer, without its owner.

    TXT content is the text itself, of any length; other content is written as in a zone file, and A and AAAA may be
    ``ipaddress`` objects. ``ttl`` is in seconds, None the zone's. ``scope`` is how many bits of the client's subnet
    the answer holds for (RFC 7871), 0 for everyone.
    """

    type: str
    content: object
    ttl: int | None = None
    scope: int = 0


class Client:
    """Who asks. All is None where PowerDNS does not say, as when a zone is listed."""

    __slots__ = ("_asked",)

    def __init__(self, asked: records.Client) -> None:
        self._asked = asked

    @property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The address that the question came from, most often a resolver's."""
        return _address(self._asked.remote)

    @property
    def local(self) -> IPv4Address | IPv6Address | None:
        """Our address, which the question came to."""
        return _address(self._asked.local)

    @property
    def subnet(self) -> IPv4Network | IPv6Network | None:
        """The network of the client behind the resolver (RFC 7871); just ``address`` if the resolver does not say.

        A resolver that sends 0.0.0.0/0 does not want to say (section 7.1.2): that is ``address``, too.
        """
        from ipaddress import ip_network

        try:
            network = ip_network(self._asked.subnet, strict=False)
        except ValueError:
            network = None
        if network is not None and network.prefixlen:
            return network
        address = self.address
        return None if address is None else ip_network(address)


class CustomZone:
    """A zone that an object of the user's answers; see the module for its configuration."""

    kind = "custom"
    dynamic = True
    faults = ()

    def __init__(self, ident: int, fixed: Tree, target: Any, title: str, ttl: int, sources: Sequence[str]) -> None:
        """``target`` has ``lookup`` and perhaps ``names``; ``title`` is what errors call it."""
        self.apex = fixed.apex
        self.ident = ident
        self.sources = tuple(sources)
        self.narrow = not callable(getattr(target, "names", None))
        self._fixed = fixed
        self._target = target
        self._title = title
        self._ttl = ttl
        self._listed: tuple[list[str], Tree, TreeRing] | None = None

    @property
    def target(self) -> Any:
        """The user's object."""
        return self._target

    @property
    def written(self) -> Tree:
        """The records that are written down."""
        return self._fixed

    def find(self, name: str, client: records.Client) -> Sequence[Record] | None:
        """See ``zones.base.Zone``; raises ZoneFault if the user's object fails."""
        fixed = self._fixed.find(name)
        asked = self._lookup(names.relative(name, self.apex), client)
        if asked is None and fixed is None:
            listed = None if self.narrow else self._tree_and_ring()[0]
            return listed.answer(name) if listed is not None and listed.find(name) == () else None
        found = (*(fixed or ()), *(asked or ()))
        above = self._above(name, client)
        if not found and not above:
            return self._fixed.answer(name) or ()
        return marked(found, is_apex=name == self.apex, above=above) or None

    def soa(self) -> Record:
        """See ``zones.base.Zone``."""
        return self._fixed.nodes[self.apex][0]

    def listing(self) -> Iterator[Record]:
        """See ``zones.base.Zone``; raises ZoneFault if the user's object fails."""
        if self.narrow:
            raise NotListable(f"zone {self.apex}: {self._title} has no method names(), so the zone cannot be listed")
        return self._tree(self._names()).listing()

    def ring(self) -> TreeRing | None:
        """See ``zones.base.Zone``; raises ZoneFault if the user's object fails."""
        return None if self.narrow else self._tree_and_ring()[1]

    def _tree_and_ring(self) -> tuple[Tree, TreeRing]:
        """The names in order, put in order again when ``names()`` gives other ones."""
        listed = self._names()
        if self._listed is None or self._listed[0] != listed:
            tree = self._tree(listed)
            self._listed = listed, tree, TreeRing(tree)
        return self._listed[1:]

    def _tree(self, listed: Sequence[str]) -> Tree:
        found = [record._replace(auth=True) for rrs in self._fixed.nodes.values() for record in rrs]
        for name in listed:
            found += self._lookup(name, records.Client()) or ()
        return Tree(self.apex, found)

    def _names(self) -> list[str]:
        given = self._fenced("names()", lambda: _items(self._target.names()))
        strangers = [name for name in given if not isinstance(name, str)]
        if strangers:
            raise ZoneFault([f"zone {self.apex}: {self._title}.names(): {strangers[0]!r} is no str"])
        try:
            listed = {names.from_text(names.join(name, self.apex)) for name in given}
            return sorted(names.relative(name, self.apex) for name in listed)
        except NameFault as exc:
            raise ZoneFault([f"zone {self.apex}: {self._title}.names(): {exc}"]) from exc

    def _above(self, name: str, client: records.Client) -> str:
        """What hides the name, as ``Hiding.above``."""
        found = ""
        for above in names.ancestors(name) if name != self.apex else ():
            is_apex = above == self.apex
            types = {record.type for record in self._fixed.find(above) or ()}
            if not is_apex:
                types |= {record.type for record in self._lookup(names.relative(above, self.apex), client) or ()}
            found = hider(types, is_apex=is_apex) or found
            if is_apex:
                break
        return found

    def _lookup(self, name: str, client: records.Client) -> list[Record] | None:
        """The user's records at a relative name; raises ZoneFault."""

        def ask() -> list[object] | None:
            answer = self._target.lookup(name, Client(client))
            return None if answer is None else _items(answer)

        given = self._fenced(f"lookup({name!r})", ask)
        if given is None:
            return None
        owner = names.join(name, self.soa().owner)
        return [self._record(owner, item) for item in given]

    def _record(self, owner: str, item: object) -> Record:
        try:
            return _checked(owner, item, self._ttl)
        except BackendError as exc:
            raise ZoneFault([f"zone {self.apex}: {self._title} at {owner}: record {item!r}: {exc}"]) from exc

    def _fenced(self, call: str, ask: Callable[[], T]) -> T:
        """What the user's code gives; all that goes wrong in it is one ZoneFault, and a traceback in the log."""
        try:
            return ask()
        except KeyboardInterrupt:  # a person's Ctrl-C
            raise
        except BaseException as exc:  # sys.exit() too: the user's code must not end the process
            what = f"zone {self.apex}: {self._title}.{call} failed"
            logs.traceback(what)
            raise ZoneFault([f"{what}: {type(exc).__name__}: {exc}; the log has the traceback"]) from exc


def load(section: Section, apex: str, ident: int) -> CustomZone | None:
    """The zone that ``section`` describes, or None after noting faults; raises ZoneFault if the object is unusable."""
    known = len(section.faults)
    text = section.text("object")
    module, _, attribute = text.partition(":")
    if text and not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
        section.fault("object", f"must be written module:class, as in my_zones:Clock, not {text!r}")
    folder = os.path.abspath(os.path.join(section.config.folder, section.text("path", "")))
    if not os.path.isdir(folder):
        section.fault("path", f"there is no folder {folder}")
    ttl = section.integer("ttl", 3600, most=records.MAX_TTL)
    options = section.section("options").table
    fixed = apex_records.read(section, apex, ttl, serial_files=[loader.file_of(text, folder)])
    if len(section.faults) > known:
        return None
    target, sources = loader.load(text, folder, options, ident)
    return CustomZone(ident, Tree(apex, fixed), target, text, ttl, sources)


def _items(answer: Any) -> list[Any]:
    if isinstance(answer, str | bytes):  # iterable, but never meant so
        raise TypeError(f"a list is wanted, not {answer!r}")
    return [*answer]


def _checked(owner: str, item: object, zone_ttl: int) -> Record:
    if not isinstance(item, tuple | list) or not 2 <= len(item) <= 4 or not isinstance(item[0], str):
        raise RecordFault("must be (type, content), (type, content, ttl) or (type, content, ttl, scope)")
    type_, content, ttl, scope = (*item, None, None, None)[:4]
    type_ = type_.upper()
    if type_ in ("SOA", ""):
        raise RecordFault("the SOA record is written in the configuration" if type_ else "has no type")
    ttl = _number("ttl", zone_ttl if ttl is None else ttl, records.MAX_TTL)
    scope = _number("scope", 0 if scope is None else scope, MAX_SCOPE)
    type_, content = _checked_content(type_, content)
    return Record(owner, type_, ttl, content, scope=scope)


def _checked_content(type_: str, content: object) -> tuple[str, str]:
    if type_ in ("A", "AAAA"):
        return type_, records.checked_content(type_, str(content))
    if not isinstance(content, str):
        raise RecordFault(f"content must be str, not {type(content).__name__}")
    if type_ in ("TXT", "SPF"):
        return type_, charstrings.txt_content(content)
    return records.checked(type_, content)


def _number(what: str, value: object, most: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    raise RecordFault(f"{what} must be a whole number from 0 to {most}, not {value!r}")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    from ipaddress import ip_address

    try:
        address = ip_address(text)
    except ValueError:
        return None
    return None if address.is_unspecified else address
