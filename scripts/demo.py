"""Shows airports.aa in two real PowerDNS servers: over REMOTE on port 5300 and over PIPE on port 5301."""

from __future__ import annotations

import argparse
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.live.servers import HOST, PdnsServer, ServerFailed, pipe_config, program, remote_config

QUESTIONS = (
    ("lax.airports.aa", "TXT"),
    ("lax.airports.aa", "LOC"),
    ("AMS.Airports.aa", "LOC"),
    ("zrh.airports.aa", "TXT"),
)
SERVERS = (
    (
        5300,
        "REMOTE",
        remote_config(timeout=0),
        "timeout=0: PowerDNS reads an answer in one piece, not octet by octet, about six times faster;"
        "\n    # but nobody ends a coprocess that hangs: the cautious take PowerDNS's usual timeout=2000",
    ),
    (5301, "PIPE", pipe_config(abi=5), "PIPE has no list of zones, so the cache of zones must be off"),
)


def main() -> int:
    """Run the servers, show what they answer, and stay until Ctrl-C unless told otherwise."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="stop after showing the answers")
    once = parser.parse_args().once
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="airports-demo-") as scratch, ExitStack() as running:
            for port, protocol, settings, comment in SERVERS:
                require_free(port)
                server = running.enter_context(PdnsServer(settings, Path(scratch), port))
                print(f"\nPowerDNS over {protocol}, with these lines in pdns.conf:\n\n    # {comment}")
                print("".join(f"    {key}={value}\n" for key, value in settings.items()))
                show(server)
            if not once:
                print("\nBoth servers answer until Ctrl-C.", flush=True)
                signal.pause()
    except ServerFailed as exc:
        print(f"demo: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nBoth servers have ended.")
    return 0


def require_free(port: int) -> None:
    """Raises ServerFailed if somebody else has the port."""
    for kind, name in ((socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                probe.bind((HOST, port))
            except OSError as exc:
                raise ServerFailed(
                    f"{name} port {port} of {HOST} is not free ({exc.strerror}); end what uses it"
                ) from exc


def show(server: PdnsServer) -> None:
    """Print, for each question, the command that asks it and its answer."""
    for name, type_ in QUESTIONS:
        command = ["dig", f"@{HOST}", "-p", str(server.port), name, type_, "+short"]
        done = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, check=True)
        if not done.stdout:
            raise ServerFailed(f"no answer to {shlex.join(command)}; the log of the server:\n{server.log}")
        print(f"$ {shlex.join(command)}\n{done.stdout}", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
