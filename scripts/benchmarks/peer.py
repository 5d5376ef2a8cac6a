"""A coprocess as others write it: the library pdns-remotebackend over a dictionary.

    python -m scripts.benchmarks.peer pipe|remote DATA

DATA is what ``made.write_peer_data`` wrote.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from pdns.remotebackend import Handler, PipeConnector  # type: ignore[import-untyped]

RECORDS: dict[str, list[list[Any]]] = {}


class Peer(Handler):  # type: ignore[misc]
    """Answers ``lookup``; the library does the rest."""

    def do_lookup(self, **given: Any) -> None:
        qtype = given["qtype"]
        found = RECORDS.get(given["qname"].rstrip(".").lower(), ())
        self.result = [
            self.record(given["qname"], type_, content, ttl) for type_, ttl, content in found if qtype in ("ANY", type_)
        ]


if __name__ == "__main__":
    os.closerange(3, 1024)  # else its siblings' pipes keep it alive when PowerDNS has ended (rule L-5)
    with open(sys.argv[2]) as data:
        RECORDS.update(json.load(data))
    PipeConnector(Peer, {"abi": sys.argv[1]}).run()
