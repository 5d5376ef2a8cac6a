"""Settings with which it works, but slowly, or dies when it need not: timeouts, caches, threads."""

from __future__ import annotations

from collections.abc import Iterator

from pipebackend.diagnosis.doctor import needs
from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import Setting

__all__ = ["CHECKS", "processes", "with_timeout"]

_USUAL = 2000  # milliseconds
_SHORTEST = 500
_MANY = 9  # processes
# Seconds that PowerDNS keeps things by default, and what it asks again and again without
_CACHES = {
    "cache-ttl": (20, "no answer is kept"),
    "query-cache-ttl": (20, "each query costs several questions"),
    "negquery-cache-ttl": (60, "what does not exist is asked again"),
    "dnssec-key-cache-ttl": (30, "each query asks for the keys"),
    "zone-metadata-cache-ttl": (60, "each query asks for the zone's settings"),
}


def timeouts(case: Case) -> Iterator[Finding]:
    for coprocess in case.coprocesses:
        setting, value = _timeout(case, coprocess)
        if setting is None or value is None:
            continue
        is_http = coprocess.connector == "http"  # which counts in seconds: see ``http``
        fixed = with_timeout(coprocess, _USUAL)
        if not value.isascii() or not value.isdigit():
            yield error("timeout-unknown", setting, f"timeout {value!r} is not a number of milliseconds", fixed)
        elif int(value) == 0 and not is_http:
            yield warning(
                "timeout-none",
                setting,
                "timeout 0 is several times faster, but PowerDNS then waits for ever for an answer that does not come",
                fixed,
            )
        elif int(value) < _SHORTEST and not is_http:
            yield warning(
                "timeout",
                setting,
                f"timeout {value} is in milliseconds: PowerDNS kills the process whenever an answer takes longer, also "
                "at its start",
                fixed,
            )


def _timeout(case: Case, coprocess: Coprocess) -> tuple[Setting | None, str | None]:
    if coprocess.protocol == "pipe":
        setting = case.conf.settings.get(coprocess.launched.setting("timeout"))
        return setting, setting.value if setting else None
    return coprocess.setting, coprocess.options.get("timeout")


def with_timeout(coprocess: Coprocess, value: int) -> str:
    """The line that has the timeout, with this one."""
    if coprocess.protocol == "pipe":
        return f"{coprocess.launched.setting('timeout')}={value}"
    others = [piece for piece in coprocess.pieces if not piece.startswith("timeout=")]
    return f"{coprocess.setting_name}={coprocess.connector}:{','.join([*others, f'timeout={value}'])}"


def caches(case: Case) -> Iterator[Finding]:
    """Where answers depend on the client they must be off: see ``needs``."""
    by_client = any(served.contents.by_client for served in case.served.values())
    for name, (usual, cost) in _CACHES.items() if case.coprocesses else ():
        if case.conf.value(name) == "0" and not (by_client and name in needs.CACHES):
            yield warning("cache", case.place(name), f"{name} is 0: {cost}", f"{name}={usual}")


def zone_cache_off(case: Case) -> Iterator[Finding]:
    """REMOTE tells PowerDNS its zones; PIPE cannot, nor can others be known to."""
    name = "zone-cache-refresh-interval"
    protocols = {launched.module for launched in case.conf.launched}
    if protocols == {"remote"} and case.conf.value(name) == "0":
        yield warning(
            "zone-cache-off",
            case.place(name),
            f"{name} is 0: each query asks for the SOA of each parent",
            f"{name}=300",
        )


def keys_kept(case: Case) -> Iterator[Finding]:
    """Keys and settings may be old when an answer is made, and the answer is then kept (rule C-1)."""
    sources = ("dnssec-key-cache-ttl", "zone-metadata-cache-ttl")
    longest = max(sources, key=lambda name: case.conf.number(name, _CACHES[name][0]))
    kept = sum(case.conf.number(name, _CACHES[name][0]) for name in (longest, "cache-ttl"))
    for served in case.served.values() if case.coprocesses else ():
        for policy, server_cache in served.server_caches.items():
            if server_cache < kept:
                yield error(
                    "server-cache",
                    case.place(longest),
                    f"PowerDNS may answer with old keys for {kept} s ({longest} and then cache-ttl), but policy "
                    f"{policy!r} waits {server_cache} s for it, so that a roll-over can make answers bogus",
                    do=f"in {served.path}: server_cache = {kept}",
                )


def processes(case: Case) -> int:
    """How many coprocesses PowerDNS launches: one for each distributor of each receiver, and one for TCP (rule L-6)."""
    return case.conf.number("distributor-threads", 3) * case.conf.number("receiver-threads", 1) + 1


def threads(case: Case) -> Iterator[Finding]:
    name, count = "distributor-threads", processes(case)
    for coprocess in case.coprocesses:
        if coprocess.command and count > _MANY:
            place = case.place(name) if name in case.conf.settings else case.place("receiver-threads")
            yield warning(
                "threads",
                place,
                f"PowerDNS will start {count} processes, each with the zones in memory of its own",
                f"{name}=3",
                "use one server on a socket: zoneutil pdns conf --protocol remote-unix",
            )


CHECKS = (timeouts, caches, zone_cache_off, keys_kept, threads)
