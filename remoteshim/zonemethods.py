"""The REMOTE methods that write zones or the state of their replication (rules T-1 to T-12)."""

from __future__ import annotations

import time

from pipebackend.base.errors import RequestFault
from pipebackend.dnsdata.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pipebackend.backend.backend import Backend
    from pipebackend.backend.domaininfo import DomainInfo
    from remoteshim.params import Params

__all__ = ["METHODS", "domain_json"]

_KINDS = {"NATIVE": "native", "MASTER": "master", "SLAVE": "slave"}  # the store's words and the protocol's


def start_transaction(backend: Backend, params: Params) -> bool:
    """Hold back what is written until the commit; with an id the zone is replaced (rule T-1)."""
    backend.writer.start(params.text("domain"), params.number("domain_id", -1))
    return True


def commit_transaction(backend: Backend, params: Params) -> bool:
    """Keep what was written since the start.

    A commit that kept nothing has no result, since PowerDNS takes ``false`` for success in most places (see
    ``methods.NEVER_NO``); so has one whose start this process did not see (rule T-3).
    """
    backend.writer.commit(int(time.time()))
    return True


def abort_transaction(backend: Backend, params: Params) -> bool:
    """Forget what was written since the start."""
    return backend.writer.abort()


def feed_record(backend: Backend, params: Params) -> bool:
    """Add a record; its ``auth`` and ``ordername`` are not needed, since they follow from the zone.

    PowerDNS ignores "no" here, but logs the reason, which it does not with the commit that is refused then.
    """
    fault = backend.writer.feed(_record(params.object("rr")))
    if fault:
        raise RequestFault(fault)
    return True


def feed_ents(backend: Backend, params: Params) -> bool:
    """The sender's empty non-terminals, which follow from the records too."""
    backend.writer.feed_ents()
    return True


def replace_rrset(backend: Backend, params: Params) -> bool:
    """Put records in place of those of a type at a name; none delete them."""
    rrset = [_record(item) for item in params.objects("rrset")]
    backend.writer.replace_rrset(params.number("domain_id", -1), params.text("qname"), params.text("qtype"), rrset)
    return True


def set_notified(backend: Backend, params: Params) -> bool:
    """The secondaries were told of this serial."""
    return backend.writer.set_notified(params.number("id"), params.number("serial"))


def set_fresh(backend: Backend, params: Params) -> bool:
    """The secondary zone is as its primary has it."""
    return backend.writer.set_checked(params.number("id"), int(time.time()))


def set_stale(backend: Backend, params: Params) -> bool:
    """The secondary zone must be asked for again."""
    return backend.writer.set_checked(params.number("id"), None)


def get_updated_masters(backend: Backend, params: Params) -> list[dict[str, Any]]:
    """Primary zones with a serial that the secondaries were not told."""
    return [domain_json(info) for info in backend.updated()]


def get_unfresh_slave_infos(backend: Backend, params: Params) -> list[dict[str, Any]]:
    """Secondary zones whose refresh time is over."""
    return [domain_json(info) for info in backend.unfresh(int(time.time()))]


def super_master_backend(backend: Backend, params: Params) -> Any:
    """Whether a zone may be made for a primary that announces it; both words are required."""
    nameservers = [item.text("content") for item in params.objects("nsset")]
    found = backend.writer.autoprimary(params.text("ip"), nameservers)
    return {"nameserver": found[0], "account": found[1]} if found is not None else False


def create_slave_domain(backend: Backend, params: Params) -> bool:
    """Make a secondary zone."""
    backend.create_secondary(params.text("domain"), params.text("ip"), params.text("account", ""))
    return True


def domain_json(info: DomainInfo) -> dict[str, Any]:
    """What the protocol calls domaininfo."""
    found = {"zone": info.zone or ".", "id": info.ident, "kind": _KINDS.get(info.kind, "native"), "serial": info.serial}
    if info.kind in ("MASTER", "SLAVE"):
        found["masters"] = list(info.primaries)
        found |= {"notified_serial": info.notified_serial, "last_check": info.last_check}
    return found


def _record(params: Params) -> Record:
    return Record(params.text("qname").rstrip("."), params.text("qtype"), params.number("ttl"), params.text("content"))


METHODS = {
    "abortTransaction": abort_transaction,
    "commitTransaction": commit_transaction,
    "createSlaveDomain": create_slave_domain,
    "feedEnts": feed_ents,
    "feedEnts3": feed_ents,
    "feedRecord": feed_record,
    "getUnfreshSlaveInfos": get_unfresh_slave_infos,
    "getUpdatedMasters": get_updated_masters,
    "replaceRRSet": replace_rrset,
    "setFresh": set_fresh,
    "setNotified": set_notified,
    "setStale": set_stale,
    "startTransaction": start_transaction,
    "superMasterBackend": super_master_backend,
}
