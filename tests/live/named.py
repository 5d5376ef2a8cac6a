"""BIND's named on loopback, as the server that is neither PowerDNS nor NSD."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.live.servers import HOST, Server, program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["Named"]


class Named(Server):
    """A ``named`` that is the primary of zones in files, by their names."""

    title = "named"

    def __init__(self, files: Mapping[str, Path], folder: Path) -> None:
        super().__init__(folder)
        options = [
            f'directory "{self.folder}"',
            f"listen-on port {self.port} {{ {HOST}; }}",
            "listen-on-v6 { none; }",
            "pid-file none",
            'session-keyfile "session.key"',
            "recursion no",
            "notify no",
            "dnssec-validation no",
            "allow-transfer { 127.0.0.0/8; }",
        ]
        clauses = ["options { " + "; ".join(options) + "; };", "controls { };"]
        clauses += [f'zone "{apex}" {{ type primary; file "{file}"; }};' for apex, file in files.items()]
        (self.folder / "named.conf").write_text("\n".join(clauses) + "\n")

    def arguments(self) -> Sequence[str]:
        return [program("named"), "-g", "-n", "1", "-c", str(self.folder / "named.conf")]
