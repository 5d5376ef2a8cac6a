"""Part j: round trips over HTTP, service and asker on one CPU, beside a responder in C; and the services of part b."""

from __future__ import annotations

import json
import socket
import subprocess
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from scripts.benchmarks.figures import AT_LEAST, Goal
from scripts.benchmarks.responders import REMOTE, Responder, ResponderFailed, command_of, pinned, write_rules
from scripts.benchmarks.roundtrip import LIMIT, POSITIVE, REPEATED, micro, zone_id
from tests.live.servers import HOST, PATIENCE, free_port, listens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from scripts.benchmarks.figures import Run
    from scripts.benchmarks.setup import Setup

__all__ = ["listening", "measure"]

GOAL = 0.5  # with repeated names
_ACCEPT = "Accept: application/json\r\nConnection: Keep-Alive\r\n"
_AGENT = "Host: 127.0.0.1\r\nUser-Agent: YaHTTP v1.0\r\n"
_CONNECTED = 10.0  # seconds for one answer


def _as_json(name: str, ident: int) -> bytes:
    """A lookup as PowerDNS writes it with post_json."""
    body = REMOTE.lookup(name, "ANY", ident).rstrip(b"\n")
    head = f"POST /dns HTTP/1.1\r\n{_ACCEPT}Content-Length: {len(body)}\r\n"
    return f"{head}Content-Type: text/javascript; charset=utf-8\r\n{_AGENT}\r\n".encode() + body


def _as_form(name: str, ident: int) -> bytes:
    """A lookup as PowerDNS writes it with post."""
    parameters = REMOTE.lookup(name, "ANY", ident).partition(b'"parameters": ')[2].rstrip(b"\n")[:-1]
    body = f"parameters={_encoded(parameters.decode())}"
    head = f"POST /dns/lookup HTTP/1.1\r\n{_ACCEPT}Content-Length: {len(body)}\r\n"
    return f"{head}Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n{_AGENT}\r\n{body}".encode()


def _as_rest(name: str, ident: int) -> bytes:
    """A lookup as PowerDNS writes it without options."""
    client = f"Local: {HOST}\r\nX-Remotebackend-Real-Remote: {HOST}/32\r\nX-Remotebackend-Remote: {HOST}"
    head = f"GET /dns/lookup/{_encoded(name)}%2e/ANY HTTP/1.1\r\n{_ACCEPT}{_AGENT}"
    return f"{head}X-Remotebackend-{client}\r\nX-Remotebackend-Zone-Id: {ident}\r\n\r\n".encode()


def _encoded(text: str) -> str:
    """Each octet but letters and digits (rule W-1)."""
    return "".join(sign if sign.isalnum() else f"%{ord(sign):02x}" for sign in text)


FORMS: dict[str, Callable[[str, int], bytes]] = {"post_json": _as_json, "post": _as_form, "REST": _as_rest}


def listening(running: ExitStack, command: Sequence[str], path: str = "/dns") -> str:
    """The URL of a service, ours or that of ``constant.c``, until ``running`` ends."""
    port = free_port()
    url = f"http://{HOST}:{port}{path}"
    words = [*command, "--listen", url] if "--config" in command else [*command, f"http:{port}"]
    process = subprocess.Popen(words)
    running.callback(process.wait, PATIENCE)
    running.callback(process.terminate)
    deadline = time.monotonic() + PATIENCE
    while not listens(port):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ResponderFailed(f"{words!r} does not listen")
        time.sleep(0.02)
    return url


def measure(setup: Setup, run: Run) -> None:
    """Each form, for names that come again and for others, of a table."""
    if setup.native is None:
        run.skip("part j", "there is no C compiler (cc)")
        return
    zone = setup.zone("table", setup.scale.names)
    command = command_of(REMOTE, zone.config)
    with Responder(REMOTE, command, setup.native).greet() as responder:
        ident = zone_id(responder, zone.apex)
    few = list(zone.names(REPEATED, 1, in_mixed_case=False))
    count = (setup.scale.rounds + 1) * setup.scale.questions
    names: dict[str, Callable[[], Iterator[str]]] = {
        POSITIVE[0]: lambda: (few[number % REPEATED] for number in range(count)),
        POSITIVE[1]: lambda: zone.names(count, 2, in_mixed_case=True),
    }
    with pinned([setup.cpu]), ExitStack() as running:
        ours = listening(running, [*command, "--workers=1"])
        answer = _asked(ours, _as_json(few[0], ident))
        rules = write_rules(setup.new_path("rules"), [("", answer)])
        limit = listening(running, [str(setup.native.constant), str(rules)])
        all_seconds = {}
        for form, written in FORMS.items():
            for case, drawn in names.items():
                requests = _write(setup.new_path("requests"), (written(name, ident) for name in drawn()))
                all_seconds[form, case] = _seconds(setup, running, requests, ours, limit)
    for (form, case), (own, least) in all_seconds.items():
        goals = [Goal(AT_LEAST, GOAL)] if case == POSITIVE[0] else []
        run.add("j", f"{form}, {case}", "µs", micro(own), micro(least), LIMIT, inverse=True, goals=goals)


def _seconds(setup: Setup, running: ExitStack, requests: Path, *urls: str) -> tuple[list[float], ...]:
    """For each service the seconds of one answer in each round but the first, which warms up; all in turn."""
    assert setup.native is not None
    found: tuple[list[float], ...] = tuple([] for _ in urls)
    clients = [running.enter_context(_connection(url)) for url in urls]
    count = setup.scale.questions
    for number in range(setup.scale.rounds + 1):
        for client, seconds in zip(clients, found, strict=True):
            command = [str(setup.native.http_asker), str(requests), str(number * count), str(count)]
            done = subprocess.run(command, stdin=client, stdout=client, stderr=subprocess.PIPE, timeout=120)
            if done.returncode:
                raise ResponderFailed(f"asking over HTTP ended with status {done.returncode}")
            seconds.append(int(done.stderr) / count / 1e9)
    return tuple(seconds[1:] for seconds in found)


def _write(path: Path, requests: Iterator[bytes]) -> Path:
    """The file that httpasker.c reads."""
    path.write_bytes(b"".join(b"%d\n%b" % (len(request), request) for request in requests))
    return path


def _asked(url: str, request: bytes) -> bytes:
    """The body of an answer with records."""
    with _connection(url) as client:
        client.settimeout(_CONNECTED)
        client.sendall(request)
        answer = client.recv(65536).partition(b"\r\n\r\n")[2]
    if not json.loads(answer)["result"]:
        raise ResponderFailed(f"{url} answers {answer[:80]!r}")
    return answer


def _connection(url: str) -> socket.socket:
    client = socket.create_connection((HOST, int(url.split(":")[2].partition("/")[0])))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client
