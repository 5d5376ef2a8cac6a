"""The few options of the two coprocesses, read without ``click``, whose import would double their start."""

from __future__ import annotations

import os
import sys

from pipebackend.values import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Arguments", "parse"]


class Arguments(Value):
    """What the command line said."""

    config: str | None = None


def parse(program: str, purpose: str, version: str, argv: Sequence[str]) -> Arguments:
    """The options in ``argv``; exits with status 0 for ``--help`` and ``--version`` and with 2 for a wrong one."""
    found = Arguments()
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        option, equals, value = word.partition("=")
        if option in ("--help", "-h"):
            _leave(0, f"usage: {program} [--config FILE]\n{purpose}")
        if option == "--version":
            _leave(0, f"{program} {version}")
        if option != "--config":
            _leave(2, f"{program}: unknown option {word!r}; usage: {program} [--config FILE]")
        if not equals and not rest:
            _leave(2, f"{program}: --config needs a file")
        found = found._replace(config=value if equals else rest.pop(0))
    return found


def _leave(status: int, text: str) -> None:
    os.write(2 if status else 1, f"{text}\n".encode())
    sys.exit(status)
