"""The pages that are made, and the words in them that no command says."""

from __future__ import annotations

from pathlib import Path

from pipebackend.base.version import VERSION
from pipebackend.cli.main import cli
from scripts.manual import markdown, roff
from scripts.manual.program import Command, commands_of, printed_help

__all__ = ["made"]

HEAD = Path(__file__).with_name("zoneutil-head.md")
FILES = """\
The configuration is what --config names, else the environment variable PIPEBACKEND_CONFIG, else ./pipebackend.toml,
else /etc/powerdns/pipebackend.toml, else a built-in one that serves the zone airports.aa."""
FOR_PIPE = """\
In pdns.conf:

    launch=pipe
    pipe-command=/opt/pipebackend/bin/pipebackend --config /etc/powerdns/pipebackend.toml
    pipe-abi-version=5
    zone-cache-refresh-interval=0

By hand, without PowerDNS:

    printf 'HELO\\t1\\nQ\\tlax.airports.aa\\tIN\\tANY\\t-1\\t127.0.0.1\\n' | pipebackend"""
FOR_REMOTE = """\
In pdns.conf:

    launch=remote
    remote-connection-string=pipe:command=/opt/pipebackend/bin/remoteshim,config=/etc/powerdns/pipebackend.toml
    remote-dnssec=yes

By hand, without PowerDNS:

    echo '{"method":"lookup","parameters":{"qname":"lax.airports.aa.","qtype":"ANY"}}' | remoteshim"""
SERVING_STATUS = """\
0 at the end of input, 2 if an option or the configuration cannot be used; the reason is on stderr, which is PowerDNS's
log."""
UTILITY_STATUS = """\
0 if all is well; 1 if something is wrong, or if there is nothing to print, as the help of a command says; 2 if the
command line is not understood."""


def made() -> dict[str, str]:
    """Path in the project → text of each page."""
    utility = list(commands_of(cli, "zoneutil"))
    return {
        "docs/zoneutil.md": markdown.page(HEAD.read_text(encoding="utf-8"), utility),
        "man/zoneutil.1": _utility(utility),
        "man/pipebackend.1": _coprocess("pipebackend", "serve zones to PowerDNS over its PIPE protocol", FOR_PIPE),
        "man/remoteshim.1": _coprocess("remoteshim", "serve zones to PowerDNS over its REMOTE protocol", FOR_REMOTE),
    }


def _utility(commands: list[Command]) -> str:
    sections = [
        ("FILES", FILES),
        ("EXIT STATUS", UTILITY_STATUS),
        ("SEE ALSO", "pipebackend(1), remoteshim(1), pdnsutil(1)"),
    ]
    purpose = "look at the zones behind PowerDNS and change them"
    return roff.page(commands[0], purpose, VERSION, commands[1:], sections)


def _coprocess(program: str, purpose: str, examples: str) -> str:
    other = "remoteshim" if program == "pipebackend" else "pipebackend"
    sections = [
        ("FILES", FILES),
        ("EXIT STATUS", SERVING_STATUS),
        ("EXAMPLES", examples),
        ("SEE ALSO", f"{other}(1), zoneutil(1), pdns_server(1)"),
    ]
    return roff.page(printed_help(program), purpose, VERSION, (), sections)
