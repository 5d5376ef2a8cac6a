"""``[[policy]]``: how keys roll over, as an operator writes it.

[[policy]]
name = "usual"
keys = "ksk+zsk"
zsk_lifetime = "90d"
parent_check = "resolver"
"""

from __future__ import annotations

from pipebackend.base.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipebackend.config.configuration import Config, Section

__all__ = ["ALGORITHMS", "BY_HAND", "KEYS", "LATE_STATUS", "RESOLVER", "Policy", "endpoint", "of", "read", "seconds"]

KEYS = {"csk": ("csk",), "ksk+zsk": ("ksk", "zsk"), "none": ()}
ALGORITHMS = {  # for new keys; keys/algorithms.py has all, and is not read at start
    "rsasha256": 8,
    "rsasha512": 10,
    "ecdsap256sha256": 13,
    "ecdsap384sha384": 14,
    "ed25519": 15,
    "ed448": 16,
}
RESOLVER, BY_HAND = "resolver", "by hand"
LATE_STATUS = 3  # the exit status of commands if a parent is waited for longer than parent_patience
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_UNITS = {"s": 1, "m": _MINUTE, "h": _HOUR, "d": _DAY, "w": 7 * _DAY, "y": 365 * _DAY}
_WORDS = {
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("week", "weeks"), "w"),
    **dict.fromkeys(("year", "years"), "y"),
}
_MOST = 100 * 365 * _DAY
_MAX_TTL = 2**31 - 1  # RFC 2181 section 8


class Policy(Value):
    """A policy; times are in seconds.

    ``roles`` are those of the keys that a zone is to have; a lifetime of 0 means that its keys roll by command alone.
    ``server_cache`` is how long PowerDNS may answer with keys that were changed; ``max_zone_ttl`` 0 means the largest
    TTL that is found in the zone. ``parent_check`` has addresses of the parent's servers, or RESOLVER, or BY_HAND.
    """

    name: str
    roles: tuple[str, ...] = ("csk",)
    algorithm: int = 13
    ksk_lifetime: int = 0
    zsk_lifetime: int = 0
    propagation_delay: int = 5 * _MINUTE
    server_cache: int = 80  # zone-metadata-cache-ttl (60) and then cache-ttl (20), rule C-1
    publish_safety: int = _HOUR
    retire_safety: int = _HOUR
    parent_ds_ttl: int = _DAY
    max_zone_ttl: int = 0
    parent_patience: int = 7 * _DAY
    parent_check: tuple[str, ...] | str = BY_HAND
    cds: bool = True
    nsec3: bool | None = None  # None: as it is

    def lifetime(self, role: str) -> int:
        """How long a key of this role is used before it is replaced; 0: until a command says so."""
        return self.zsk_lifetime if role == "zsk" else self.ksk_lifetime


def read(root: Section) -> dict[str, Policy]:
    """The policies by name; faults are noted in the section."""
    found: dict[str, Policy] = {}
    for section in root.sections("policy"):
        policy = _policy(section)
        if policy.name in found:
            section.fault("name", f"there is a policy {policy.name!r} already")
        found[policy.name] = policy
        section.finish()
    return found


def of(config: Config) -> Mapping[str, Policy]:
    """The policies of a configuration that was loaded before, and so has no faults."""
    from pipebackend.config.configuration import Section

    return read(Section(config, config.table, "", []))


def seconds(text: str) -> int | None:
    """The seconds of a duration as people write it (``90d``, ``1h 30m``, ``2 weeks``, ``P90D``); None if it is not."""
    word = text.strip().lower()
    if word.isascii() and word.isdigit() and len(word) <= 10:
        return int(word)
    if word.startswith("p"):  # ISO 8601, as BIND and Knot take it, without months, of which M would be one
        date, _, time = word[1:].partition("t")
        if "m" in date or "h" in date or "s" in date or "d" in time or "w" in time or "y" in time:
            return None
        word = date + time
    return _added(word)


def _added(word: str) -> int | None:
    total, digits, unit, seen = 0, "", "", False
    for character in word + "\0":
        if unit and not character.isalpha():
            scale = _UNITS.get(_WORDS.get(unit, unit))
            if scale is None or not digits:
                return None
            total, digits, unit, seen = total + int(digits) * scale, "", "", True
        if character.isascii() and character.isdigit() and len(digits) < 10:
            digits += character
        elif character.isalpha():
            unit += character
        elif character not in " \0":
            return None
    return total if seen and not digits else None


def _policy(section: Section) -> Policy:
    usual = Policy("")
    keys = section.text("keys", "csk")
    if keys not in KEYS:
        section.fault("keys", f"must be one of {', '.join(map(repr, KEYS))}, not {keys[:40]!r}")
    algorithm = section.text("algorithm", "ecdsap256sha256").lower()
    if algorithm not in ALGORITHMS:
        section.fault("algorithm", f"must be one of {', '.join(ALGORITHMS)}, not {algorithm[:40]!r}")
    return Policy(
        section.text("name"),
        KEYS.get(keys, ()),
        ALGORITHMS.get(algorithm, 0),
        _duration(section, "ksk_lifetime", usual.ksk_lifetime),
        _duration(section, "zsk_lifetime", usual.zsk_lifetime),
        _duration(section, "propagation_delay", usual.propagation_delay),
        _duration(section, "server_cache", usual.server_cache),
        _duration(section, "publish_safety", usual.publish_safety),
        _duration(section, "retire_safety", usual.retire_safety),
        _duration(section, "parent_ds_ttl", usual.parent_ds_ttl, _MAX_TTL),
        _duration(section, "max_zone_ttl", usual.max_zone_ttl, _MAX_TTL),
        _duration(section, "parent_patience", usual.parent_patience),
        _parent_check(section),
        section.boolean("cds", usual.cds),
        section.boolean("nsec3", False) if "nsec3" in section.table else usual.nsec3,
    )


def _duration(section: Section, key: str, default: int, most: int = _MOST) -> int:
    value = section.table.get(key)
    if isinstance(value, str):
        found = seconds(section.text(key))
        if found is None:
            section.fault(key, f"must be a duration such as 90d, 1h 30m or 3600 (seconds), not {value[:40]!r}")
            return default
        if found > most:
            section.fault(key, f"must be at most {most} seconds, not {value[:40]!r}")
        return found
    return section.integer(key, default, most=most)


def _parent_check(section: Section) -> tuple[str, ...] | str:
    value = section.table.get("parent_check", BY_HAND)
    if isinstance(value, str):
        text = section.text("parent_check", BY_HAND)
        if text not in (RESOLVER, BY_HAND):
            section.fault(
                "parent_check", f"must be {RESOLVER!r}, {BY_HAND!r} or a list of addresses, not {text[:40]!r}"
            )
        return text
    addresses: Sequence[str] = section.texts("parent_check", [])
    if not addresses:
        section.fault("parent_check", "must have an address of a server of the parent zone")
    for address in addresses:
        if endpoint(address) is None:
            section.fault("parent_check", f"{address[:60]!r} is not an address such as 192.0.2.1 or [2001:db8::1]:5300")
    return tuple(addresses)


def endpoint(text: str) -> tuple[str, int] | None:
    """Address and port of ``192.0.2.1``, ``192.0.2.1:53``, ``2001:db8::1`` or ``[2001:db8::1]:53``; None if neither."""
    from ipaddress import ip_address

    host, port = text, "53"
    if text.startswith("["):
        host, _, port = text[1:].partition("]:")
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        return (str(ip_address(host)), int(port)) if port.isascii() and port.isdigit() and int(port) < 65_536 else None
    except ValueError:
        return None
