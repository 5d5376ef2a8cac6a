"""The REMOTE methods (rule R-6): method → parameters → backend call → result.

Each takes the backend and the parameters and returns what stands under ``result``; those that return records return
finished JSON.
"""

from __future__ import annotations

from pipebackend.base.errors import MetadataFault
from remoteshim import plainlookup, zonemethods
from remoteshim.jsonline import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from pipebackend.backend.backend import Backend
    from pipebackend.dnsdata.records import Fields, Plain
    from remoteshim.params import Params
    from remoteshim.plainlookup import Asked

    Method = Callable[[Backend, Params], Any]

__all__ = [
    "KNOWN",
    "METHODS",
    "NEIGHBOURS",
    "NEVER_NO",
    "RENDERED",
    "STEADY",
    "lookup",
    "neighbours",
    "plain_json",
    "records_json",
    "unusable_json",
]

_SET_BY_TRANSFERS = frozenset(("NSEC3NARROW", "NSEC3PARAM", "PRESIGNED"))
_SIGNED_BY_PARENT = frozenset(("DS", "RRSIG"))  # at a cut; the first where PowerDNS does not ask for all types


def lookup(backend: Backend, asked: Asked) -> tuple[str, bool]:
    """The records for one question, and whether the same question gives the same again."""
    answer = backend.lookup(*asked)
    return records_json(answer.fields(), answer.ident), answer.keep


def api_lookup(backend: Backend, params: Params) -> str:
    """The same for PowerDNS's HTTP API."""
    return lookup(backend, plainlookup.of_params(params))[0]


def list_(backend: Backend, params: Params) -> str:
    """All records of a zone. PowerDNS's API and check-zone ask with ``include_disabled``, a transfer does not."""
    ident, records = backend.transfer(
        params.text("zonename"),
        params.number("domain_id", -1),
        with_occluded=params.flag("include_disabled", False),
    )
    return records_json(backend.as_read(records), ident)


def search_records(backend: Backend, params: Params) -> str:
    """Records whose owner or content matches."""
    found = backend.search(params.text("pattern"), params.number("maxResults", 100))
    return "[" + ",".join([record_json(record, ident) for ident, record in found]) + "]"


def get_all_domains(backend: Backend, params: Params) -> list[dict[str, Any]]:
    """Every zone; this saves PowerDNS a walk of SOA questions for each query.

    Its list of zones, which it keeps for minutes, has those without records too: so a new secondary zone is answered as
    soon as it was transferred.
    """
    return [zonemethods.domain_json(info) for info in backend.domains(params.flag("include_disabled", False))]


def get_domain_info(backend: Backend, params: Params) -> Any:
    """One zone."""
    info = backend.domain(params.text("name"))
    return False if info is None else zonemethods.domain_json(info)


def get_domain_keys(backend: Backend, params: Params) -> Any:
    """A zone's keys; "no" where there are none lets PowerDNS ask the next backend (rule H-3)."""
    return [
        {"id": key.id, "flags": key.flags, "active": key.active, "published": key.published, "content": key.content}
        for key in backend.keys(params.text("name"))
    ] or False


def add_domain_key(backend: Backend, params: Params) -> int:
    """Keep a key; its id."""
    key = params.object("key")
    return backend.add_key(
        params.text("name"), key.number("flags"), key.flag("active"), key.flag("published", True), key.text("content")
    )


def remove_domain_key(backend: Backend, params: Params) -> bool:
    """Forget a key."""
    backend.remove_key(params.text("name"), params.number("id"))
    return True


def activate_domain_key(backend: Backend, params: Params) -> bool:
    """Let a key sign."""
    backend.set_key_active(params.text("name"), params.number("id"), True)
    return True


def deactivate_domain_key(backend: Backend, params: Params) -> bool:
    """Let a key sign no more."""
    backend.set_key_active(params.text("name"), params.number("id"), False)
    return True


def publish_domain_key(backend: Backend, params: Params) -> bool:
    """Show a key in the DNSKEY RRset."""
    backend.set_key_published(params.text("name"), params.number("id"), True)
    return True


def unpublish_domain_key(backend: Backend, params: Params) -> bool:
    """Take a key out of the DNSKEY RRset."""
    backend.set_key_published(params.text("name"), params.number("id"), False)
    return True


def neighbours(backend: Backend, zone_id: int, qname: str) -> tuple[str, bool]:
    """A name's neighbours in the order of denial, and whether the same question gives the same again."""
    (unhashed, before, after), keeps = backend.neighbours(zone_id, qname)
    return f'{{"unhashed":{quote(unhashed)},"before":{quote(before)},"after":{quote(after)}}}', keeps


def get_tsig_key(backend: Backend, params: Params) -> Any:
    """One TSIG key."""
    key = backend.tsig_key(params.text("name"))
    return {"algorithm": key.algorithm, "content": key.secret} if key is not None else False


def get_tsig_keys(backend: Backend, params: Params) -> list[dict[str, Any]]:
    """All TSIG keys."""
    return [{"name": key.name, "algorithm": key.algorithm, "content": key.secret} for key in backend.tsig_keys()]


def set_tsig_key(backend: Backend, params: Params) -> bool:
    """Keep a TSIG key."""
    backend.set_tsig_key(params.text("name"), params.text("algorithm"), params.text("content"))
    return True


def delete_tsig_key(backend: Backend, params: Params) -> bool:
    """Forget a TSIG key."""
    backend.remove_tsig_key(params.text("name"))
    return True


def set_domain_metadata(backend: Backend, params: Params) -> bool:
    """Replace the settings of one kind; PowerDNS wants ``true`` to the letter.

    In a PUT of its API it ignores any other answer. In transfers these are settings of the sender, without which the
    zone may be served all the same.
    """
    kind = params.text("kind")
    try:
        backend.set_metadata(params.text("name"), kind, params.texts("value"))
    except MetadataFault as exc:
        if kind not in _SET_BY_TRANSFERS:
            backend.writer.refuse(str(exc))
        raise
    return True


def get_all_domain_metadata(backend: Backend, params: Params) -> Any:
    """All settings of a zone."""
    return {kind: list(values) for kind, values in backend.metadata(params.text("name")).items()}


def get_domain_metadata(backend: Backend, params: Params) -> Any:
    """The settings of one kind."""
    return list(backend.metadata(params.text("name")).get(params.text("kind"), ())) or False


def direct_backend_cmd(backend: Backend, params: Params) -> str:
    """A command of ``pdnsutil backend-cmd``; its lines as one text."""
    from pipebackend.cli import backendcmd

    return "\n".join(backendcmd.answer(backend, params.text("query"))) + "\n"


def records_json(records: Iterable[Fields], ident: int) -> str:
    """Records as a JSON list; with the id of their zone where PowerDNS takes it from them.

    It asks for neighbours with that of the SOA (rule D-1). And for a ready-made signature with that of the
    last record that was found at the name: without it, that of a zone cut would be the child's if both zones are here.
    """
    found = list(records)
    is_signed = any(each[1] in _SIGNED_BY_PARENT for each in found)
    return "[" + ",".join([record_json(each, ident if is_signed or each[1] == "SOA" else -1) for each in found]) + "]"


def record_json(record: Fields, ident: int) -> str:
    """One record; what equals PowerDNS's default is left out, for it reads each byte by itself.

    These are domain_id -1, auth 1, scopeMask 0. ``auth`` is a number, since PowerDNS takes JSON's false for
    authoritative (rule R-9).
    """
    owner, type_, ttl, content, auth, scope = record
    rest = "" if ident < 0 else f',"domain_id":{ident}'
    if not auth or scope:
        rest += ("" if auth else ',"auth":0') + (f',"scopeMask":{scope}' if scope else "")
    return f'{{"qname":{quote(owner or ".")},"qtype":"{type_}","content":{quote(content)},"ttl":{ttl}{rest}}}'


def plain_json(owner: str, records: Iterable[Plain | tuple[str, str, str]]) -> str:
    """What ``records_json`` makes of plain records, none of them an SOA, in half the time."""
    name = f'{{"qname":{quote(owner)},"qtype":"'
    return (
        "["
        + ",".join([f'{name}{type_}","content":{quote(content)},"ttl":{ttl}}}' for type_, ttl, content in records])
        + "]"
    )


def unusable_json(qname: str, reason: str) -> str:
    """A record that PowerDNS cannot parse: it answers SERVFAIL, logs the reason and keeps this process.

    "No" would be NXDOMAIN, and an answer without a result would have this process replaced (rule R-7).
    """
    return f'[{{"qname":{quote(qname)},"qtype":"A","content":{quote(reason)},"ttl":0}}]'


NEIGHBOURS = "getBeforeAndAfterNamesAbsolute"
RENDERED: dict[str, Callable[[Backend, Params], str]] = {
    "APILookup": api_lookup,
    "list": list_,
    "searchRecords": search_records,
}
METHODS: dict[str, Method] = {
    **zonemethods.METHODS,
    "activateDomainKey": activate_domain_key,
    "addDomainKey": add_domain_key,
    "deactivateDomainKey": deactivate_domain_key,
    "deleteTSIGKey": delete_tsig_key,
    "directBackendCmd": direct_backend_cmd,
    "getAllDomainMetadata": get_all_domain_metadata,
    "getAllDomains": get_all_domains,
    "getDomainInfo": get_domain_info,
    "getDomainKeys": get_domain_keys,
    "getDomainMetadata": get_domain_metadata,
    "getTSIGKey": get_tsig_key,
    "getTSIGKeys": get_tsig_keys,
    "publishDomainKey": publish_domain_key,
    "removeDomainKey": remove_domain_key,
    "setDomainMetadata": set_domain_metadata,
    "setTSIGKey": set_tsig_key,
    "unpublishDomainKey": unpublish_domain_key,
}
KNOWN = frozenset(("initialize", "lookup", NEIGHBOURS, *RENDERED, *METHODS))
STEADY = frozenset(("getAllDomainMetadata", "getDomainKeys", "getDomainMetadata"))  # the same until the store changes
# Where "no" would be taken for "nothing": an unsigned zone, a name that does not exist, a denial of everything
# (rule D-4). A failure of these has no result, which PowerDNS answers with SERVFAIL (rule R-7). Of transactions it
# ignores "no" in half of its commands, and says that all was kept (docs/writes.md).
NEVER_NO = frozenset(
    (
        "commitTransaction",
        "getAllDomainMetadata",
        "getAllDomains",
        NEIGHBOURS,
        "getDomainInfo",
        "getDomainKeys",
        "getDomainMetadata",
        "getTSIGKey",
        "startTransaction",
    )
)
