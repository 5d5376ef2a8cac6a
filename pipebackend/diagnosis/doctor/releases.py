"""Settings that got another name, went or came, as the releases of PowerDNS have it.

Which of them a server knows it says itself; here is what to write instead. tests/live/test_doctor_settings.py holds
this to 4.7.3, 4.9.18 and 5.1.5.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ADDED_TO", "CAME_WITH", "RENAMED", "WENT", "other_name"]

_SQL = ("gsqlite3", "gmysql", "gpgsql", "godbc")
_SQL_NAMES = {
    "supermaster-add": "autoprimary-add",
    "supermaster-name-to-ips": "autoprimary-name-to-ips",
    "supermaster-query": "autoprimary-query",
    "info-all-master-query": "info-all-primary-query",
    "info-all-slaves-query": "info-all-secondaries-query",
    "update-master-query": "update-primary-query",
}
# Old and new name for the same thing
RENAMED: Mapping[str, str] = {
    "master": "primary",
    "slave": "secondary",
    "superslave": "autosecondary",
    "slave-cycle-interval": "xfr-cycle-interval",
    "slave-renotify": "secondary-do-renotify",
    "allow-unsigned-supermaster": "allow-unsigned-autoprimary",
    "bind-supermaster-config": "bind-autoprimary-config",
    "bind-supermaster-destdir": "bind-autoprimary-destdir",
    "bind-supermasters": "bind-autoprimaries",
    "domain-metadata-cache-ttl": "zone-metadata-cache-ttl",
    "default-ksk-algorithms": "default-ksk-algorithm",
    "default-zsk-algorithms": "default-zsk-algorithm",
    "local-ipv6-nonexist-fail": "local-address-nonexist-fail",
    "pipebackend-abi-version": "pipe-abi-version",
    **{f"{module}-{old}": f"{module}-{new}" for module in _SQL for old, new in _SQL_NAMES.items()},
}
# Gone; the value belongs into the list that another setting is
ADDED_TO: Mapping[str, str] = {"local-ipv6": "local-address", "query-local-address6": "query-local-address"}
# Gone, and what does the same now
_SOA = "default-soa-content holds the whole SOA of zones that have none"
_RECURSION = "since 4.1 it does not recurse; dnsdist or PowerDNS Recursor in front of it does"
WENT: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "default-soa-mail",
            "default-soa-name",
            "soa-expire-default",
            "soa-minimum-ttl",
            "soa-refresh-default",
            "soa-retry-default",
        ),
        _SOA,
    ),
    **dict.fromkeys(
        ("allow-recursion", "allow-recursion-override", "lazy-recursion", "recursive-cache-ttl"), _RECURSION
    ),
    "recursor": "for ALIAS records it is resolver=ADDRESS now; " + _RECURSION,
    "out-of-zone-additional-processing": "it never adds what is outside the zone of the answer",
    "disable-tcp": "TCP is always on (RFC 7766)",
    "send-root-referral": "questions for names of no zone are refused",
    "do-ipv6-additional-processing": "AAAA records are always added",
}
# The first of 4.7, 4.9 and 5.1 that knows it
CAME_WITH: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "default-catalog-zone",
            "delay-notifications",
            "loglevel-show",
            "lua-consistent-hashes-cleanup-interval",
            "lua-consistent-hashes-expire-delay",
            "lua-records-insert-whitespace",
            "max-pointers-per-name",
            "max-pointers-per-packet-byte",
            "max-pointers-to-pointers",
            "webserver-connection-timeout",
            "workaround-11804",
        ),
        "4.9",
    ),
    **dict.fromkeys(
        (
            "default-soa-edit-api",
            "direct-dnskey-signature",
            "dnsproxy-udp-port-range",
            "dnsupdate-require-tsig",
            "enable-lua-record-updates",
            "gsqlite3-api-any-id-query",
            "gsqlite3-api-id-query",
            "logging-structured",
            "lua-global-include-dir",
            "member-catalog-group",
            "naptr-additional-processing",
            "protobuf-servers",
            "resolve-across-zones",
            "rrsig-expiry-extend",
            "soa-edit-spread",
            "views",
            "webserver-cross-origin-request-header",
            "webserver-max-concurrent-connections",
        ),
        "5.1",
    ),
}


def other_name(name: str, known: Mapping[str, str] | frozenset[str]) -> str:
    """The name by which this server knows the setting; empty if it is unknown by any."""
    candidates = [RENAMED.get(name, ""), *(old for old, new in RENAMED.items() if new == name)]
    return next((candidate for candidate in candidates if candidate in known), "")
