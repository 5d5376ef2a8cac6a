"""The PowerDNS that the live tests run with, as a configuration names it."""

from __future__ import annotations

from tests.live.servers import pdns_version

__all__ = ["VERSION", "powerdns_line"]

VERSION = pdns_version()


def powerdns_line() -> str:
    """The line of a configuration that names it."""
    return f'powerdns = "{VERSION[0]}.{VERSION[1]}"\n'
