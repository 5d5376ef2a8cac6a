"""Zone files that were signed elsewhere, as by dnssec-signzone or ldns-signzone: what PowerDNS is told of them.

PowerDNS makes NSEC and NSEC3 itself, of the file's parameters, and asks for their signatures (rule S-1). A file is
signed if its SOA has a signature and there is a DNSKEY to check it with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipebackend.base.errors import MetadataFault, ZoneFault
from pipebackend.base.values import Value
from pipebackend.dnsdata import names, nsec3, nsec3param
from pipebackend.dnsdata.occlusion import Hiding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pipebackend.dnsdata.nsec3param import Nsec3Param
    from pipebackend.dnsdata.records import Record
    from pipebackend.zones.text.zonetext import ZoneText

__all__ = ["Signatures", "faults", "of", "parameters"]

_LOOKED_AT = 100  # insecure delegations, to see whether a signer proves them in spite of opt-out
_EXPIRATION, _INCEPTION = 4, 5  # fields of RRSIG content (RFC 4034 section 3.2)


class Signatures(Value):
    """``settings`` is the metadata; ``proves_insecure`` is as for ``Tree``."""

    settings: Mapping[str, Sequence[str]]
    proves_insecure: bool | None = None


def of(text: ZoneText, apex: str) -> Signatures | None:
    """What PowerDNS is told of a file; None for one that is not signed; raises ZoneFault."""
    at_apex = {
        record.content.partition(" ")[0] if record.type == "RRSIG" else f"={record.type}"
        for record in text.records
        if record.type in ("RRSIG", "DNSKEY") and record.owner.lower() == apex
    }
    if not at_apex.issuperset(("SOA", "=DNSKEY")):
        return None
    try:
        param = parameters(text.nsec3)
    except MetadataFault as exc:
        raise ZoneFault([f"{text.sources[0]}: {exc}"], text.sources) from None
    if param is None:
        return Signatures({"PRESIGNED": ["1"]})
    settings = {"PRESIGNED": ["1"], "NSEC3PARAM": [nsec3param.to_text(param)]}
    return Signatures(settings, _proves_insecure(text.records, apex, param) if param.opt_out else None)


def parameters(found: Sequence[str]) -> Nsec3Param | None:
    """Those of a zone's NSEC3 and NSEC3PARAM records, None for NSEC; raises MetadataFault if they differ.

    Opt-out is only said by NSEC3 records (RFC 5155 section 4.1.2).
    """
    params = [nsec3param.from_text(one) for one in found]
    if len({param._replace(flags=0) for param in params}) > 1:
        raise MetadataFault(f"has NSEC3 of different parameters ({'; '.join(found)}); PowerDNS serves one chain")
    return max(params, key=lambda param: param.flags) if params else None


def faults(text: ZoneText, apex: str, *, is_signed: bool, now: int) -> Iterator[str]:
    """A line for each thing that is wrong with the signatures of a file at ``now``, in seconds since 1970."""
    signed = [(record, index) for index, record in enumerate(text.records) if record.type == "RRSIG"]
    if not signed:
        return
    if not is_signed:
        yield (
            f"{text.sources[0]}: {len(signed)} RRSIG records are left out, for the zone is signed in part: its apex "
            "needs a DNSKEY and a signature of its SOA; sign the file as a whole"
        )
        return
    if not text.has_chain:
        yield f"{text.sources[0]}: there is no NSEC and no NSEC3, so nothing can be denied; sign the file as a whole"
    yield from _over(text, signed, now)
    covered = {(record.owner.lower(), record.content.partition(" ")[0]) for record, _ in signed}
    yield from _unsigned(text, apex, covered)


def _over(text: ZoneText, signed: Sequence[tuple[Record, int]], now: int) -> Iterator[str]:
    from time import gmtime, strftime

    moment = strftime("%Y%m%d%H%M%S", gmtime(now))
    for field, what in ((_EXPIRATION, "is over since"), (_INCEPTION, "begins only on")):
        times = [(index, record.content.split(" ")[field]) for record, index in signed]
        found = [(index, at) for index, at in times if (at < moment if field == _EXPIRATION else at > moment)]
        if found:
            index, at = min(found, key=lambda one: one[1])
            record = text.records[index]
            more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
            shown = f"{at[:4]}-{at[4:6]}-{at[6:8]} {at[8:10]}:{at[10:12]} UTC"
            yield (
                f"{text.lines[index]}: the signature of {record.owner or '.'} {record.content.partition(' ')[0]} "
                f"{what} {shown}{more}: validators refuse the zone; sign the file again"
            )


def _unsigned(text: ZoneText, apex: str, covered: set[tuple[str, str]]) -> Iterator[str]:
    """The authoritative RRsets without a signature (RFC 4035 section 2.2)."""
    hiding = Hiding.of(apex, text.records)
    seen: set[tuple[str, str]] = set()
    for index, record in enumerate(text.records):
        owner, rrset = record.owner.lower(), (record.owner.lower(), record.type)
        if record.type == "RRSIG" or rrset in covered or rrset in seen:
            continue
        is_at_cut = owner in hiding.cuts and record.type != "DS"
        if not is_at_cut and not hiding.hides(owner):
            seen.add(rrset)
            yield f"{text.lines[index]}: {owner or '.'} {record.type} has no signature; sign the file again"


def _proves_insecure(records: Sequence[Record], apex: str, param: Nsec3Param) -> bool:
    owners = {record.owner.lower() for record in records if record.type == "RRSIG"}
    secure = {record.owner.lower() for record in records if record.type == "DS"}
    cuts = dict.fromkeys(record.owner.lower() for record in records if record.type == "NS")
    insecure = [cut for cut in cuts if cut != apex and cut not in secure][:_LOOKED_AT]
    return any(names.join(nsec3.hash_label(cut, param.salt, param.iterations), apex) in owners for cut in insecure)
