"""The address of a PostgreSQL database: what libpq takes, and what a message may show of it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["SCHEMES", "hosts", "is_address", "rotated", "shown"]

SCHEMES = ("postgresql://", "postgres://")
_SECRETS = ("password", "sslpassword")
_LISTS = ("host", "hostaddr", "port")  # of several hosts, with commas between them


def is_address(url: str) -> bool:
    """Whether it is one of PostgreSQL."""
    return url.startswith(SCHEMES)


def shown(url: str) -> str:
    """The address without passwords."""
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    authority, slash, database = place.partition("/")
    user, at, server = authority.rpartition("@")
    options = [option for option in query.split("&") if option.partition("=")[0].lower() not in _SECRETS]
    query = "&".join(options)
    return f"{scheme}://{user.partition(':')[0]}{at}{server}{slash}{database}{mark if query else ''}{query}"


def hosts(options: dict[str, Any]) -> int:
    """How many hosts the options name."""
    return max((str(options[name]).count(",") + 1 for name in ("host", "hostaddr") if options.get(name)), default=1)


def rotated(options: dict[str, Any], turns: int) -> dict[str, Any]:
    """The same with another one of the hosts first: libpq does not leave one that never answers by itself."""
    found = dict(options)
    for name in _LISTS:
        values = str(options.get(name) or "").split(",")
        if len(values) > 1:
            start = turns % len(values)
            found[name] = ",".join(values[start:] + values[:start])
    return found
