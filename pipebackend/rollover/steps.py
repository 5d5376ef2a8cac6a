"""The steps that would bring a zone nearer to its goals, the most urgent first; whether one is safe is asked elsewhere.

ZSKs are published before they sign (RFC 6781 section 4.1.1.1), KSKs and CSKs sign the DNSKEY RRset beside the old one
until the parent's DS has changed (section 4.1.2), and a new algorithm signs before its keys are published (4.1.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipebackend.config.policies import Policy
from pipebackend.rollover.moves import Move
from pipebackend.rollover.states import HIDDEN, OMNIPRESENT, Key, Zone, served

__all__ = ["steps"]

ON, SHOWN, UNSHOWN, OFF = (True, True), (False, True), (True, False), (False, False)


def steps(zone: Zone, policy: Policy) -> Iterator[Move]:
    """Each step alone, in the order of preference."""
    coming = [key for key in zone.keys if key.goal == "in" and not key.is_gone]
    going = [key for key in zone.keys if key.goal == "out" and not key.is_gone]
    for algorithm in sorted({key.algorithm for key in coming}):
        yield from _introduce([key for key in coming if key.algorithm == algorithm], zone)
    yield from _submit(coming)
    yield from _withdraw(zone, coming, going, policy)
    yield from _retire(coming, going)
    for key in zone.keys:
        if (key.goal == "out" or key.is_gone) and not (key.active or key.published) and key.is_traceless:
            yield Move(f"delete {_name(key)}", forget=frozenset((key.id,)))


def _introduce(keys: list[Key], zone: Zone) -> Iterator[Move]:
    """Keys of one algorithm that are to sign and do not yet."""
    behind = [key for key in keys if not (key.active and key.published)]
    if not behind:
        return
    others = [key for key in zone.keys if not key.is_gone and key not in behind]
    is_signed = bool(served(zone.keys).zone_rrsig)
    if not is_signed:
        yield _flagged("sign with", behind, ON)
    elif not any(key.algorithm == keys[0].algorithm and (key.active or key.published) for key in others):
        yield from _introduce_algorithm(behind)
    elif any(key.active and not key.published for key in behind):
        yield _flagged("publish", behind, ON)
    else:
        yield from _introduce_beside(behind, others)


def _introduce_algorithm(behind: list[Key]) -> Iterator[Move]:
    """RFC 6781 section 4.1.4: signatures first, for the DNSKEY RRset says which algorithms sign all of the zone."""
    silent = [key for key in behind if not key.active]
    if silent:
        yield _flagged("sign (and do not publish yet) with", behind, UNSHOWN)
    else:
        yield _flagged("publish", behind, ON)


def _introduce_beside(behind: list[Key], others: list[Key]) -> Iterator[Move]:
    for key in behind:
        if key.role != "zsk":
            yield _flagged("publish and sign with", [key], ON)
        elif not key.published:
            yield _flagged("publish", [key], SHOWN)
        else:
            old = [one for one in others if one.role == "zsk" and one.goal == "out" and one.active]
            old = [one for one in old if one.algorithm == key.algorithm]
            text = f"sign with {_name(key)}" + (f" instead of {_names(old)}" if old else "")
            yield Move(text, flags={key.id: ON, **{one.id: SHOWN for one in old}})


def _submit(coming: list[Key]) -> Iterator[Move]:
    """The parent is asked for the DS of keys whose DNSKEY and signatures are known everywhere."""
    ready = (OMNIPRESENT, OMNIPRESENT)  # a parent that takes one DS alone removes the old one at once
    entries = [key for key in coming if key.is_entry and (key.dnskey.state, key.key_rrsig.state) == ready]
    new = [key for key in entries if not key.ds.is_in]
    if new:
        yield Move(f"ask the parent for the DS of {_names(new)}", ds_in=_ids(new))


def _withdraw(zone: Zone, coming: list[Key], going: list[Key], policy: Policy) -> Iterator[Move]:
    """The parent is to remove the DS of keys that others have replaced, or all of them where the zone goes insecure."""
    old = [key for key in going if key.ds.is_in]
    follower = any(key.is_entry and key.ds.state == OMNIPRESENT for key in coming)
    if not old or (policy.roles and not follower):
        return
    same = [key for key in old if policy.roles and _has_follower(key, coming)]
    if same:  # PowerDNS makes CDS of all that is active and published (so these go)
        text = f"retire {_names(same)}, and ask the parent to remove the DS"
        yield Move(text, flags={key.id: OFF for key in same}, ds_out=_ids(same))
        yield Move(text, flags={key.id: SHOWN for key in same}, ds_out=_ids(same))
    other = [key for key in old if key not in same]
    if other:
        text = f"ask the parent to remove the DS of {_names(other)}"
        yield Move(text, ds_out=_ids(other), withhold=_ids(other) if policy.roles else frozenset())


def _retire(coming: list[Key], going: list[Key]) -> Iterator[Move]:
    """Keys whose DS nobody asks for leave the zone; those of an algorithm that goes leave together."""
    ready = [
        key for key in going if (key.active or key.published) and not key.ds.is_in and not _is_early(key, coming, going)
    ]
    lone = [key for key in ready if _has_follower(key, coming)]
    for key in sorted(lone, key=lambda key: not key.is_entry):
        yield from _off([key])
    for algorithm in sorted({key.algorithm for key in ready if key not in lone}):
        together = [key for key in going if key.algorithm == algorithm and (key.active or key.published)]
        if not any(key.ds.state != HIDDEN for key in together):
            yield from _off(together)


def _is_early(key: Key, coming: list[Key], going: list[Key]) -> bool:
    """A ZSK that stopped while no other is active would make KSKs sign the zone, new ones and old ones."""
    if key.role != "zsk" or not key.active:
        return False
    same = [one for one in coming if one.algorithm == key.algorithm]
    if not same:
        return False
    followers = [one for one in same if one.role == "zsk"] or same
    old = [one for one in going if one.role == "ksk" and one.algorithm == key.algorithm and one.active]
    return not all(one.active for one in followers) or (bool(old) and followers[0].role != "zsk")


def _off(keys: list[Key]) -> Iterator[Move]:
    if any(key.published for key in keys) and any(key.active for key in keys):
        yield _flagged("retire", keys, OFF)
        yield Move(f"unpublish {_names(keys)}", flags={key.id: (key.active, False) for key in keys})
        yield Move(f"stop signing with {_names(keys)}", flags={key.id: (False, key.published) for key in keys})
    elif any(key.published for key in keys):
        yield _flagged("unpublish", keys, OFF)
    else:
        yield _flagged("stop signing with", keys, OFF)


def _has_follower(key: Key, coming: list[Key]) -> bool:
    return any(one.algorithm == key.algorithm for one in coming)


def _flagged(text: str, keys: Iterable[Key], flags: tuple[bool, bool]) -> Move:
    keys = list(keys)
    return Move(f"{text} {_names(keys)}", flags={key.id: flags for key in keys})


def _names(keys: Iterable[Key]) -> str:
    return " and ".join(map(_name, keys))


def _name(key: Key) -> str:
    return f"{key.role.upper()} {key.tag or '(new)'}"


def _ids(keys: Iterable[Key]) -> frozenset[int]:
    return frozenset(key.id for key in keys)
