"""What the responder in C answers behind a real PowerDNS: the very answers of our coprocess, whatever is asked.

A rule fits each line that holds its text, the first that fits counts. Names that exist begin with ``n``, others with
``x``; an answer about one name is given for all.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from scripts.benchmarks import made
from scripts.benchmarks.responders import PIPE, REMOTE, Responder, command_of
from scripts.benchmarks.roundtrip import documented_form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["pipe_rules", "remote_rules"]

Rules = list[tuple[str, bytes]]
_EMPTY = b'{"result":[]}\n'
_A_HASH = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"


def pipe_rules(config: Path, apexes: Sequence[str]) -> Rules:
    """For launch=pipe."""
    rules: Rules = [("HELO\t", b"OK\tconstant\n")]
    with Responder(PIPE, command_of(PIPE, config)).greet() as ours:
        rules += [(f"Q\t{apex}\tIN\tSOA\t", ours.ask(PIPE.lookup(apex, "SOA"))) for apex in apexes]
        rules += [("\tIN\tSOA\t", PIPE.terminator)]
        rules += [(f"Q\t{apex}\t", ours.ask(PIPE.lookup(apex))) for apex in apexes]
        rules += [("Q\tx", PIPE.terminator), ("Q\t*", PIPE.terminator)]
        rules += [(f".{apex}\t", ours.ask(PIPE.lookup(f"{made.name_of(7)}.{apex}"))) for apex in apexes]
    return [*rules, ("", PIPE.terminator)]


def remote_rules(config: Path, apexes: Sequence[str], documented: bool) -> Rules:
    """For launch=remote; lookups in the form of PowerDNS's manual if ``documented``."""
    form = documented_form if documented else bytes
    with Responder(REMOTE, command_of(REMOTE, config)).greet() as ours:
        rules: Rules = [('"initialize"', b'{"result":true}\n')]
        rules += [('"getAllDomains"', ours.ask(_call("getAllDomains", {"include_disabled": True})))]
        for apex in apexes:
            rules += _settings_of(ours, apex)
        rules += [(_question(apex, "SOA"), form(ours.ask(REMOTE.lookup(apex, "SOA")))) for apex in apexes]
        rules += [('"qtype": "SOA"', _EMPTY)]
        rules += [(f'"qname": "{apex}.",', form(ours.ask(REMOTE.lookup(apex)))) for apex in apexes]
        rules += [('"qname": "x', _EMPTY), ('"qname": "*', _EMPTY)]
        for apex in apexes:
            rules += [(f'.{apex}.", "qtype"', form(ours.ask(REMOTE.lookup(f"{made.name_of(7)}.{apex}"))))]
    return [*rules, ("", b'{"result":false}\n')]


def _settings_of(ours: Responder, apex: str) -> Rules:
    """Metadata, keys and denial of one zone."""
    rules: Rules = []
    for method in ("getAllDomainMetadata", "getDomainKeys"):
        call = _call(method, {"name": f"{apex}."})
        rules.append((call.decode().rstrip("}\n"), ours.ask(call)))
    zone_id = json.loads(ours.ask(REMOTE.lookup(apex, "SOA")))["result"][0]["domain_id"]
    label = "x." if apex.startswith("nsec.") else f"{_A_HASH}."
    denial = _call("getBeforeAndAfterNamesAbsolute", {"id": zone_id, "qname": label})
    rules.append((denial.decode().partition(', "qname"')[0], ours.ask(denial)))
    return rules


def _call(method: str, parameters: dict[str, object]) -> bytes:
    return (json.dumps({"method": method, "parameters": parameters}) + "\n").encode()


def _question(apex: str, type_: str) -> str:
    return f'"qname": "{apex}.", "qtype": "{type_}"'
