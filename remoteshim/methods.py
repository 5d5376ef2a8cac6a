"""The REMOTE methods (PROTOCOL.md 2.5): method → parameters → backend call → result.

Each takes the backend and the parameters and returns what stands under ``result``; those that return records return
finished JSON.
"""

from __future__ import annotations

from pipebackend.records import Client
from remoteshim.jsonline import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pipebackend.backend import Backend, DomainInfo
    from pipebackend.records import Record
    from remoteshim.params import Params

    Method = Callable[[Backend, Params], Any]

__all__ = ["METHODS", "RENDERED", "UNANSWERED"]


def lookup(backend: Backend, params: Params) -> str:
    """The records for one question."""
    client = Client(params.text("remote", ""), params.text("local", ""), params.text("real-remote", ""))
    answer = backend.lookup(params.text("qname"), params.text("qtype"), client, params.number("zone-id", -1))
    return records_json(answer.records, answer.ident)


def list_(backend: Backend, params: Params) -> str:
    """All records of a zone."""
    ident, records = backend.transfer(params.text("zonename"), params.number("domain_id", -1))
    return records_json(records, ident)


def search_records(backend: Backend, params: Params) -> str:
    """Records whose owner or content matches."""
    found = backend.search(params.text("pattern"), params.number("maxResults", 100))
    return "[" + ",".join([record_json(record, ident) for ident, record in found]) + "]"


def get_all_domains(backend: Backend, params: Params) -> list[dict[str, Any]]:
    """Every zone; this saves PowerDNS a walk of SOA questions for each query."""
    return [_domain(info) for info in backend.domains()]


def get_domain_info(backend: Backend, params: Params) -> Any:
    """One zone."""
    info = backend.domain(params.text("name"))
    return False if info is None else _domain(info)


def get_all_domain_metadata(backend: Backend, params: Params) -> Any:
    """All settings of a zone."""
    return {kind: list(values) for kind, values in backend.metadata(params.text("name")).items()}


def get_domain_metadata(backend: Backend, params: Params) -> Any:
    """The settings of one kind."""
    return list(backend.metadata(params.text("name")).get(params.text("kind"), ())) or False


def direct_backend_cmd(backend: Backend, params: Params) -> str:
    """A command of ``pdnsutil backend-cmd``; its lines as one text."""
    return "\n".join(backend.command(params.text("query"))) + "\n"


def records_json(records: Iterable[Record], ident: int) -> str:
    """Records as a JSON list."""
    return "[" + ",".join([record_json(record, ident) for record in records]) + "]"


def record_json(record: Record, ident: int) -> str:
    """One record; what equals PowerDNS's default (auth 1, scopeMask 0) is left out, for it reads each byte by itself.

    ``auth`` is a number, since PowerDNS takes JSON's false for authoritative (PROTOCOL.md rule 6).
    """
    owner, type_, ttl, content, auth, scope = record
    rest = ("" if auth else ',"auth":0') + (f',"scopeMask":{scope}' if scope else "")
    return (
        f'{{"qname":{quote(owner or ".")},"qtype":"{type_}","content":{quote(content)},'
        f'"ttl":{ttl},"domain_id":{ident}{rest}}}'
    )


def _domain(info: DomainInfo) -> dict[str, Any]:
    return {"zone": info.zone or ".", "id": info.ident, "kind": info.kind, "serial": info.serial}


RENDERED: dict[str, Callable[[Backend, Params], str]] = {
    "lookup": lookup,
    "APILookup": lookup,
    "list": list_,
    "searchRecords": search_records,
}
METHODS: dict[str, Method] = {
    "getAllDomains": get_all_domains,
    "getDomainInfo": get_domain_info,
    "getAllDomainMetadata": get_all_domain_metadata,
    "getDomainMetadata": get_domain_metadata,
    "directBackendCmd": direct_backend_cmd,
}
# Methods of PowerDNS that these zones have no answer to: "no", as the protocol says it
UNANSWERED = frozenset(
    (
        "abortTransaction",
        "activateDomainKey",
        "addDomainKey",
        "commitTransaction",
        "createSlaveDomain",
        "deactivateDomainKey",
        "deleteTSIGKey",
        "feedEnts",
        "feedEnts3",
        "feedRecord",
        "getBeforeAndAfterNamesAbsolute",
        "getDomainKeys",
        "getTSIGKey",
        "getTSIGKeys",
        "getUnfreshSlaveInfos",
        "getUpdatedMasters",
        "publishDomainKey",
        "removeDomainKey",
        "replaceRRSet",
        "setDomainMetadata",
        "setFresh",
        "setNotified",
        "setStale",
        "setTSIGKey",
        "startTransaction",
        "superMasterBackend",
        "unpublishDomainKey",
    )
)
