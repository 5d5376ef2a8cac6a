"""Where the front ends listen: a socket in the file system, or the one that systemd hands over."""

from __future__ import annotations

import errno
import os
import select
import socket
import stat
from typing import TYPE_CHECKING

from pipebackend.base import logs
from pipebackend.base.errors import ConfigFault
from pipebackend.server.arguments import SYSTEMD

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipebackend.server.arguments import Arguments
    from pipebackend.server.worker import NewTranslate

__all__ = ["WORKER_KEY", "admission", "environ_of_children", "is_closed", "listening", "notify", "remove"]

WORKER_KEY = "PIPEBACKEND_WORKER"  # set for the processes that ``master`` starts: the descriptors they get
_SYSTEMD_FIRST = 3  # sd_listen_fds(3)
_OF_SYSTEMD = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET")
_BACKLOG = 4096
_LONGEST_PATH = 107  # octets of sun_path, unix(7)


def listening(given: Arguments, environ: Mapping[str, str]) -> socket.socket:
    """The socket to accept from; ConfigFault if there is none to be had."""
    assert given.listen is not None
    if given.listen == SYSTEMD:
        return _handed_over(environ)
    if given.address:
        return _at(given)
    path = given.listen
    if len(os.fsencode(path)) > _LONGEST_PATH - len(_new(path)) + len(path):
        raise ConfigFault([f"--listen unix:{path}: a socket's path has at most {_LONGEST_PATH} octets; take a shorter"])
    _refuse_if_alive(path)
    return _made(path, given.mode, *_owner(given.owner))


def admission(listener: socket.socket, given: Arguments, new_translate: NewTranslate | None) -> Callable[[str], bool]:
    """Who may connect, by address: this machine, and the networks of --allow; ConfigFault.

    A socket that others can reach is refused without --allow, for private keys go over it.
    """
    if given.http or listener.family != socket.AF_UNIX:
        _check_http(given, new_translate)
    if listener.family == socket.AF_UNIX:
        return lambda _: True
    from ipaddress import ip_address, ip_network

    try:
        networks = [ip_network(text) for text in given.allow]
    except ValueError as exc:
        raise ConfigFault([f"--allow: {exc}; give networks as in 192.0.2.0/24"]) from exc
    here = ip_address(listener.getsockname()[0])
    if not here.is_loopback and not networks:
        listener.close()
        raise ConfigFault(
            [
                f"--listen http: others can reach {here}, and HTTP hides neither keys nor answers; listen on 127.0.0.1 "
                "behind a proxy with TLS (docs/http.md), or say with --allow which networks may connect"
            ]
        )

    def admits(address: str) -> bool:
        client = ip_address(address.partition("%")[0])
        client = getattr(client, "ipv4_mapped", None) or client
        found = client.is_loopback or any(client in network for network in networks)
        if not found:
            logs.error_of_question(f"HTTP: {client} is not of --allow: closed")
        return found

    return admits


def _check_http(given: Arguments, new_translate: NewTranslate | None) -> None:
    """ConfigFault, once and not by each worker, if HTTP cannot be served."""
    if new_translate is None:
        raise ConfigFault(["--listen http: PowerDNS speaks HTTP with its remote backend alone; take remoteshim"])
    try:
        new_translate(given)
    except ImportError as exc:
        raise ConfigFault([f"--listen http needs {exc.name}: install it with pip install 'pipebackend[http]'"]) from exc


def _at(given: Arguments) -> socket.socket:
    """A socket of TCP."""
    assert given.address is not None
    host, port = given.address
    shown = f"--listen http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, place = found[0]
        made = socket.socket(family, kind | socket.SOCK_CLOEXEC, protocol)
    except OSError as exc:
        raise ConfigFault([f"{shown}: {exc.strerror}"]) from exc
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a restart waits for old connections
        made.bind(place)
        made.listen(_BACKLOG)
    except OSError as exc:
        made.close()
        raise ConfigFault([f"{shown}: {exc.strerror}"]) from exc
    return made


def remove(path: str) -> None:
    """Take a socket out of the file system, unless another process listens there by now."""
    try:
        _refuse_if_alive(path)
        os.unlink(path)
    except (ConfigFault, OSError):
        return


def is_closed(descriptor: int) -> bool:
    """Asked again: within one round of events a descriptor may have been closed and given to another connection."""
    poll = select.poll()
    poll.register(descriptor, 0)
    return bool(poll.poll(0))


def environ_of_children(environ: Mapping[str, str]) -> dict[str, str]:
    """Without what systemd meant for this very process (sd_listen_fds(3), sd_notify(3))."""
    return {key: value for key, value in environ.items() if key not in _OF_SYSTEMD}


def notify(environ: Mapping[str, str], state: str) -> None:
    """Tell systemd, if it wants to know (sd_notify(3))."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as teller:
        teller.sendto(state.encode(), "\0" + address[1:] if address[0] == "@" else address)


def _made(path: str, mode: int, user: int, group: int) -> socket.socket:
    """A socket under a name of its own until all about it is right, then in place of a stale one."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    new = _new(path)
    try:
        before = os.umask(0o777 & ~mode)  # chmod would follow a link that another user has put there by then
        try:
            made.bind(new)
        finally:
            os.umask(before)
        os.chown(new, user, group, follow_symlinks=False)
        made.listen(_BACKLOG)
        os.rename(new, path)
    except OSError as exc:
        made.close()
        if os.path.exists(new):
            os.unlink(new)
        raise ConfigFault([f"--listen unix:{path}: {exc.strerror}"]) from exc
    return made


def _new(path: str) -> str:
    return f"{path}.{os.getpid()}"


def _refuse_if_alive(path: str) -> None:
    """ConfigFault if a process listens there, or if what is there is not a socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            probe.connect(path)
        except OSError as exc:
            if exc.errno in (errno.ENOENT, errno.ENOTDIR):
                return
            if exc.errno == errno.ECONNREFUSED and stat.S_ISSOCK(os.stat(path).st_mode):
                return  # stale
            if exc.errno == errno.ECONNREFUSED:
                raise ConfigFault([f"--listen unix:{path}: there is a file that is not a socket; remove it"]) from exc
            if exc.errno != errno.EAGAIN:  # a queue that is full is alive, too
                raise ConfigFault([f"--listen unix:{path}: {exc.strerror}"]) from exc
    raise ConfigFault([f"--listen unix:{path}: another process listens there; stop it or take another path"])


def _handed_over(environ: Mapping[str, str]) -> socket.socket:
    """sd_listen_fds(3): one socket, meant for this very process."""
    if environ.get("LISTEN_PID") != str(os.getpid()) or environ.get("LISTEN_FDS") != "1":
        found = environ.get("LISTEN_FDS", "none") if environ.get("LISTEN_PID") == str(os.getpid()) else "none"
        raise ConfigFault([f"--listen systemd: systemd must hand over one socket, not {found}; see systemd.socket(5)"])
    handed = socket.socket(fileno=_SYSTEMD_FIRST)
    if handed.family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6) or handed.type != socket.SOCK_STREAM:
        raise ConfigFault(["--listen systemd: the socket must be a stream (ListenStream=/path or ADDRESS:PORT)"])
    handed.set_inheritable(False)
    return handed


def _owner(text: str | None) -> tuple[int, int]:
    """User and group by number, -1 for what is to stay as it is; ConfigFault if there is no such one."""
    import grp
    import pwd

    user, _, group = (text or "").partition(":")
    try:
        return (
            (int(user) if user.isdigit() else pwd.getpwnam(user).pw_uid) if user else -1,
            (int(group) if group.isdigit() else grp.getgrnam(group).gr_gid) if group else -1,
        )
    except KeyError as exc:
        raise ConfigFault([f"--owner {text}: {exc.args[0]}; give USER, USER:GROUP or :GROUP"]) from exc
