"""Where PowerDNS listens: addresses of this machine, ports that nothing else holds, the webserver's callers."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import secrets
import socket
from collections.abc import Iterator

from pipebackend.diagnosis.doctor.case import Case
from pipebackend.diagnosis.doctor.findings import Finding, error, warning
from pipebackend.diagnosis.doctor.pdnsconf import is_yes

__all__ = ["CHECKS"]

_SEPARATORS = re.compile(r"[ ,;\t]+")
_USUAL = "0.0.0.0, ::"
_PORTS = {"local-address": "local-port", "webserver-address": "webserver-port"}
_SOCKETS = "/proc/net"
_ORIGINS = "webserver-cross-origin-request-header"


def ports(case: Case) -> Iterator[Finding]:
    """Bound as PowerDNS binds, and let go; a PowerDNS that runs already holds them by right."""
    for name, address, port in _wanted(case):
        kinds = (socket.SOCK_STREAM,) if name == "webserver-address" else (socket.SOCK_DGRAM, socket.SOCK_STREAM)
        for kind in kinds:
            reason = _refused(address, port, kind)
            if reason is None:
                continue
            if reason == errno.EADDRINUSE:
                yield from _in_use(case, name, address, port, kind)
                break
            if reason == errno.EADDRNOTAVAIL and name == "local-address":
                yield _not_here(case, address)
                break
            if reason == errno.EADDRNOTAVAIL:
                message = f"{name}={address} is not an address of this machine: the webserver does not listen"
                yield error("address-elsewhere", case.place(name), message, f"{name}=127.0.0.1")
                break


def _wanted(case: Case) -> Iterator[tuple[str, str, int]]:
    names = ["local-address"]
    if is_yes(case.conf.value("webserver", "no")) or is_yes(case.conf.value("api", "no")):
        names.append("webserver-address")
    for name in names:
        usual = _USUAL if name == "local-address" else "127.0.0.1"
        port = case.conf.number(_PORTS[name], 53 if name == "local-address" else 8081)
        for word in _SEPARATORS.split(case.conf.value(name) or usual):
            host, own_port = _split(word, port)
            if _is_address(host) and 0 < own_port < 65536:
                yield name, host, own_port


def _split(word: str, port: int) -> tuple[str, int]:
    """``192.0.2.1``, ``192.0.2.1:5300``, ``[2001:db8::1]:5300``."""
    found = re.fullmatch(r"\[(.*)\](?::(\d+))?|([^:]*):(\d+)", word)
    if found is None:
        return word, port
    return found[1] or found[3] or "", int(found[2] or found[4] or port)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _refused(address: str, port: int, kind: int) -> int | None:
    """Why it cannot be bound; None if it can, or if this user or machine cannot say."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as tried:
            if family == socket.AF_INET6:
                tried.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            if kind == socket.SOCK_STREAM:
                tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((address, port))
    except OSError as exc:
        is_without_ipv6 = address == "::" and exc.errno == errno.EADDRNOTAVAIL
        return None if is_without_ipv6 or exc.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL) else exc.errno
    return None


def _in_use(case: Case, name: str, address: str, port: int, kind: int) -> Iterator[Finding]:
    holder = _holder(port, kind)
    if holder is not None and holder[1] == "pdns_server":
        return
    by = f"{holder[1]} (process {holder[0]})" if holder else "another process, which root can see"
    stops = "PowerDNS will not start" if name == "local-address" else "the webserver does not listen"
    place = case.place(_PORTS[name] if _PORTS[name] in case.conf.settings else name)
    do = f"end that process for good, or choose another {name} or {_PORTS[name]}"
    yield error(
        "port-in-use",
        place,
        f"port {port} of {address} is held by {by}: {stops}",
        do=do,
        run=f"kill {holder[0]}" if holder else "",
    )


def _not_here(case: Case, address: str) -> Finding:
    others = [word for word in _SEPARATORS.split(case.conf.value("local-address")) if word and word != address]
    return error(
        "address-elsewhere",
        case.place("local-address"),
        f"{address} is not an address of this machine: PowerDNS will not start",
        f"local-address={','.join(others) or _USUAL}",
        "give the address to this machine, or write local-address-nonexist-fail=no",
    )


def _holder(port: int, kind: int) -> tuple[int, str] | None:
    """The process, with its name, that has this port; None if it cannot be seen."""
    protocol = "udp" if kind == socket.SOCK_DGRAM else "tcp"
    inodes = {inode for table in (protocol, f"{protocol}6") for inode in _inodes(table, port)}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            links = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
        except OSError:  # it has ended, or is another user's
            continue
        if any(f"socket:[{inode}]" in links for inode in inodes):
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                return int(pid), file.read().strip()
    return None


def _inodes(table: str, port: int) -> Iterator[str]:
    """Of sockets that are bound to a port; of TCP those that listen (proc_net(5))."""
    try:
        with open(f"{_SOCKETS}/{table}", encoding="ascii") as file:
            rows = [line.split() for line in file][1:]
    except OSError:
        return
    for row in rows:
        if row[1].endswith(f":{port:04X}") and row[3] in ("07", "0A"):
            yield row[9]


def api(case: Case) -> Iterator[Finding]:
    if is_yes(case.conf.value("api", "no")) and not case.conf.value("api-key"):
        message = "api=yes without an api-key: every call is answered 401"
        yield error("api-key", case.place("api-key"), message, f"api-key={secrets.token_urlsafe(24)}")


def origins(case: Case) -> Iterator[Finding]:
    """4.7 and 4.9 let pages of every site call the API; 5.1 none, unless one is named."""
    allowed = [word for word in _SEPARATORS.split(case.conf.value("webserver-allow-from")) if word]
    is_open = any(_is_address(word.partition("/")[0]) and not _is_loopback(word) for word in allowed)
    is_known = _ORIGINS in case.server.defaults and _ORIGINS not in case.conf.settings
    if is_known and is_open and is_yes(case.conf.value("api", "no")):
        message = f"PowerDNS {case.server.release} lets no page of another site call the API; older ones let every"
        do = f"{_ORIGINS}=https://SITE, if a page of that site calls it"
        yield warning("cross-origin", case.place(_ORIGINS), message, f"{_ORIGINS}=", do)


def _is_loopback(word: str) -> bool:
    return ipaddress.ip_address(word.partition("/")[0]).is_loopback


def views(case: Case) -> Iterator[Finding]:
    """Views are LMDB's; PowerDNS wants its zone cache for them, which PIPE cannot have."""
    if case.coprocesses and is_yes(case.conf.value("views", "no")) and "views" in case.server.defaults:
        stops = case.conf.value("zone-cache-refresh-interval") == "0"
        make = error if stops else warning
        message = "views need the lmdb backend: all clients get the same answers from this program"
        message += "; and PowerDNS does not start with views and without its zone cache" if stops else ""
        yield make("views", case.place("views"), message, "views=no")


CHECKS = (ports, api, origins, views)
