"""Addresses written as names, and back: host labels in a forward zone, in-addr.arpa and ip6.arpa in a reverse one.

A host label holds the address in one form only, so that a name is one address and an address one name: IPv4 as
``192-0-2-7``, IPv6 as all eight groups of four digits, ``2001-0db8-0000-0000-0000-0000-0000-0007``.
"""

from __future__ import annotations

from pipebackend.base.errors import NameFault
from pipebackend.dnsdata import names
from pipebackend.zones.kinds.arithmetic import start_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network
    Address = tuple[int, int]  # IP version, value

__all__ = ["HostNames", "ReverseNames", "reverse_root"]

PLACEHOLDER = "{address}"
_BITS = {4: 32, 6: 128}
_OCTETS = {str(octet): octet for octet in range(256)}  # only these spellings: 7, never 007
_NIBBLES = "0123456789abcdef"
_LABEL_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")  # RFC 1123 section 2.1
_DIGIT_BITS = {4: 8, 6: 4}  # a digit is an octet of IPv4, a nibble of IPv6
_ROOTS = {"in-addr.arpa": 4, "ip6.arpa": 6}  # RFC 1035 section 3.5, RFC 3596 section 2.5


def reverse_root(apex: str) -> str:
    """``in-addr.arpa`` or ``ip6.arpa`` if the canonical ``apex`` is there or below, else ``""``."""
    for root in _ROOTS:
        if names.is_below(apex, root):
            return root
    return ""


class HostNames:
    """Names ``template`` . ``domain``, such as ``host-{address}`` . ``dyn.example.net``."""

    def __init__(self, template: str, domain: str, versions: set[int]) -> None:
        """``versions`` are the IP versions that will be named; raises NameFault for a template that makes no label."""
        head, found, tail = template.partition(PLACEHOLDER)
        if not found or PLACEHOLDER in tail:
            raise NameFault(f"must hold {PLACEHOLDER} once, as in host-{PLACEHOLDER}, not {template!r}")
        fixed = head + tail
        if not _LABEL_LETTERS.issuperset(fixed.lower()) or head.startswith("-") or tail.endswith("-"):
            raise NameFault(
                f"{template!r} makes no host label: write letters, digits and hyphens, no hyphen at either end,"
                " and what follows a dot as domain"
            )
        self._spelled = head, tail, domain
        self._head, self._tail, self._domain = head.lower(), tail.lower(), domain.lower()
        for version in versions:
            names.spelling(self.name((version, (1 << _BITS[version]) - 1)))

    def name(self, address: Address) -> str:
        """The address's name, in the spelling of template and domain."""
        version, value = address
        head, tail, domain = self._spelled
        if version == 4:
            text = "-".join(map(str, value.to_bytes(4)))
        else:
            digits = f"{value:032x}"
            text = "-".join([digits[i : i + 4] for i in range(0, 32, 4)])
        return names.join(f"{head}{text}{tail}", domain)

    def address(self, name: str) -> Address | None:
        """The address whose canonical name this is."""
        label, _, rest = name.partition(".")
        if rest != self._domain or not label.startswith(self._head) or not label.endswith(self._tail):
            return None
        groups = label[len(self._head) : len(label) - len(self._tail)].split("-")
        if len(groups) == 4:
            return _address(4, [_OCTETS.get(group, -1) for group in groups])
        if len(groups) == 8 and all(len(group) == 4 for group in groups):
            return _address(6, [_NIBBLES.find(nibble) for nibble in "".join(groups)])
        return None

    def key_start(self) -> bytes:
        """What the keys of all the names start with; see ``zones.counted``."""
        return start_below(self._domain) + self._head.encode()

    def digits(self, network: Network) -> Iterator[Sequence[bytes]]:
        """The texts of each digit of the network's names, sorted, as their keys have them."""
        for number, texts in enumerate(_digit_texts(network)):
            last = number == (3 if network.version == 4 else 31)
            hyphen = "-" if network.version == 4 or number % 4 == 3 else ""
            end = f"{self._tail}\0" if last else hyphen
            yield sorted(f"{text}{end}".encode() for text in texts)


class ReverseNames:
    """Names below a zone of in-addr.arpa or ip6.arpa, or one such as ``128-25.2.0.192.in-addr.arpa`` (RFC 2317)."""

    def __init__(self, apex: str) -> None:
        """``apex`` as spelled; raises NameFault if it stands for no prefix."""
        self._spelled, self._apex = apex, apex.lower()
        root = reverse_root(self._apex)
        self._version = _ROOTS[root]
        labels = names.split(names.relative(self._apex, root))[::-1]
        if self._version == 4 and len(labels) == 4 and labels[3] not in _OCTETS:
            labels.pop()  # RFC 2317 section 4: one more label between the /24 and its last octets
        values = [_OCTETS.get(label, -1) if self._version == 4 else _nibble(label) for label in labels]
        width = _DIGIT_BITS[self._version]
        if -1 in values or len(values) * width >= _BITS[self._version]:
            raise NameFault(f"{apex} stands for no prefix; a reverse zone is written as in 2.0.192.{root}")
        self._fixed = values
        self._missing = _BITS[self._version] // width - len(values)

    def covers(self, network: Network) -> bool:
        """Whether all the network's addresses have their names in this zone."""
        bits = len(self._fixed) * _DIGIT_BITS[self._version]
        if network.version != self._version or network.prefixlen < bits:
            return False
        return [texts[0] for texts in _digit_texts(network)][: len(self._fixed)] == [
            str(value) if self._version == 4 else _NIBBLES[value] for value in self._fixed
        ]

    def name(self, address: Address) -> str:
        """The address's name, below the zone as it is spelled."""
        version, value = address
        digits = list(map(str, value.to_bytes(4))) if version == 4 else list(f"{value:032x}")
        return names.join(".".join(reversed(digits[-self._missing :])), self._spelled)

    def address(self, name: str) -> Address | None:
        """The address whose canonical name this is; ``name`` lies in the zone."""
        labels = names.relative(name, self._apex).split(".")
        if len(labels) != self._missing:
            return None
        labels.reverse()
        if self._version == 4:
            return _address(4, [*self._fixed, *(_OCTETS.get(label, -1) for label in labels)])
        return _address(6, [*self._fixed, *map(_nibble, labels)])

    def key_start(self) -> bytes:
        """What the keys of all the names start with; see ``zones.counted``."""
        return start_below(self._apex)

    def digits(self, network: Network) -> Iterator[Sequence[bytes]]:
        """The texts of each digit of the network's names, sorted, as their keys have them."""
        for texts in list(_digit_texts(network))[len(self._fixed) :]:
            yield sorted(f"{text}\0".encode() for text in texts)


def _digit_texts(network: Network) -> Iterator[Sequence[str]]:
    """For each digit of the network's addresses, the highest first, the texts that it takes."""
    width = _DIGIT_BITS[network.version]
    first, last = int(network.network_address), int(network.broadcast_address)
    texts = list(_OCTETS) if network.version == 4 else list(_NIBBLES)
    for shift in range(_BITS[network.version] - width, -1, -width):
        mask = (1 << width) - 1
        yield texts[first >> shift & mask : (last >> shift & mask) + 1]


def _address(version: int, digits: Sequence[int]) -> Address | None:
    """The address made of these digits, None if one is no digit (-1)."""
    value = 0
    for digit in digits:
        if digit < 0:
            return None
        value = value << _DIGIT_BITS[version] | digit
    return version, value


def _nibble(label: str) -> int:
    return _NIBBLES.find(label) if len(label) == 1 else -1
