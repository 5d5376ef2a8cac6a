"""Shows airports.aa in real servers: over REMOTE on port 5300, over PIPE on port 5301, and signed on port 5302.

The resolver Unbound on port 5303 validates what the third one says. With --port they begin at another one.
"""

from __future__ import annotations

import argparse
import itertools
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.live.servers import (
    HOST,
    PdnsServer,
    ServerFailed,
    Unbound,
    installed_command,
    pipe_config,
    program,
    remote_config,
)

ZONE = "airports.aa"
TOP = Path(__file__).parents[1]
FIRST_PORT = 5300
TRIES = 30  # of two seconds

QUESTIONS = (
    ("lax.airports.aa", "TXT"),
    ("lax.airports.aa", "LOC"),
    ("AMS.Airports.aa", "LOC"),
    ("zrh.airports.aa", "TXT"),
)
SERVERS = (
    (
        "REMOTE",
        remote_config(timeout=0),
        "timeout=0: PowerDNS reads an answer in one piece, not octet by octet, about six times faster;"
        "\n    # but nobody ends a coprocess that hangs: the cautious take PowerDNS's usual timeout=2000",
    ),
    ("PIPE", pipe_config(abi=5), "PIPE has no list of zones, so the cache of zones must be off"),
)


def main() -> int:
    """Run the servers, show what they answer, and stay until Ctrl-C unless told otherwise."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after showing the answers")
    parser.add_argument("--port", type=int, default=FIRST_PORT, help="the first of the four ports")
    options = parser.parse_args()
    ports = itertools.count(options.port)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="airports-demo-") as scratch, ExitStack() as running:
            for protocol, settings, comment in SERVERS:
                server = running.enter_context(PdnsServer(settings, Path(scratch), free(next(ports))))
                print(f"\nPowerDNS over {protocol}, with these lines in pdns.conf:\n\n    # {comment}")
                print("".join(f"    {key}={value}\n" for key, value in settings.items()))
                show(server)
            show_signed(Path(scratch), free(next(ports)), free(next(ports)), running)
            if not options.once:
                print("\nAll servers answer until Ctrl-C.", flush=True)
                signal.pause()
    except ServerFailed as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nAll servers have ended.")
    return 0


def free(port: int) -> int:
    """The port; raises ServerFailed if somebody else has it."""
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                probe.bind((HOST, port))
            except OSError as exc:
                raise ServerFailed(
                    f"{name} port {port} of {HOST} is not free ({exc.strerror}); end what uses it, or take --port"
                ) from exc
    return port


def warm(server: PdnsServer) -> None:
    """Wait for the first answer: PowerDNS drops a question that waits too long for a coprocess to start."""
    query = dns.message.make_query(*QUESTIONS[0])
    for _ in range(TRIES):
        try:
            dns.query.udp(query, HOST, 2, server.port)
            return
        except dns.exception.Timeout:
            continue
    raise ServerFailed(f"no answer; the log of the server:\n{server.log}")


def show(server: PdnsServer) -> None:
    """Print, for each question, the command that asks it and its answer."""
    warm(server)
    for name, type_ in QUESTIONS:
        if not run("dig", f"@{HOST}", "-p", str(server.port), name, type_, "+short"):
            raise ServerFailed(f"no answer; the log of the server:\n{server.log}")


def show_signed(scratch: Path, port: int, resolver_port: int, running: ExitStack) -> None:
    """Sign the zone, and print the DS for its parent and an answer that Unbound, which trusts the DS, has validated."""
    config = scratch / "pipebackend.toml"
    config.write_text((TOP / "README.md").read_text("utf-8").split("```toml\n")[1].split("```")[0], "utf-8")
    (scratch / "airports.tsv").symlink_to(TOP / "airports.tsv")
    print(f"\nSigned: with the README's configuration in {config}, and remote-dnssec=yes in pdns.conf\n")
    zoneutil = ("zoneutil", "--config", str(config), "key")
    run(*zoneutil, "secure", ZONE)
    anchors = run(*zoneutil, "ds", ZONE).splitlines()
    server = running.enter_context(PdnsServer(remote_config(config, dnssec=True), scratch, port))
    warm(server)
    resolver = running.enter_context(Unbound({ZONE: server.port}, scratch, anchors, port=resolver_port))
    print("\nUnbound has this DS as trust anchor; the flag ad says that it has validated the answer:\n")
    name, type_ = QUESTIONS[0]
    said = run("dig", f"@{HOST}", "-p", str(resolver_port), name, type_, "+noall", "+comments", "+answer")
    flags = next((line for line in said.splitlines() if line.startswith(";; flags:")), "")
    if "ad" not in flags.partition(";; flags:")[2].partition(";")[0].split():
        raise ServerFailed(f"Unbound did not validate the answer; its log:\n{resolver.log}")


def run(command: str, *words: str) -> str:
    """Print a command and what it says, which is returned."""
    print(f"$ {shlex.join((command, *words))}", flush=True)
    path = installed_command(command) if command == "zoneutil" else program(command)
    done = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise ServerFailed(f"{command} failed: {done.stderr}")
    print(done.stdout, end="", flush=True)
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
