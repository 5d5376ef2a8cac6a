"""Which tables a store in SQLite has, and of which version they are."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[[str, tuple[object, ...]], list[tuple[object, ...]]]

__all__ = ["OUR_TABLE", "VERSION", "apex_from", "checked", "is_current", "is_made", "tables"]

OUR_TABLE = "pipebackend_schema"
VERSION = 8  # how many migrations there are


def is_made(names: set[str]) -> bool:
    """Whether the tables of these names are a store, and not a file that nobody wrote to yet."""
    return "domains" in names


def checked(run: Run, path: str) -> tuple[set[str], int]:
    """The names of the tables, and how many migrations were applied.

    StoreFault if they are of another program or of a newer version of this one.
    """
    found = tables(run)
    if found and not is_made(found):
        raise StoreFault(
            f"store {path}: this SQLite database belongs to something else: it has the table {min(found)!r} but no "
            "table 'domains'; name another file in the configuration"
        )
    version = _recorded_version(run) if OUR_TABLE in found else 0
    if version > VERSION:
        raise StoreFault(
            f"store {path}: made by a newer version of this software (schema {version}, this one knows {VERSION}); "
            "install that version, or restore a backup from before"
        )
    return found, version


def is_current(run: Run, path: str) -> bool:
    """Whether nothing is missing; StoreFault as ``checked``."""
    return checked(run, path)[1] == VERSION


def _recorded_version(run: Run) -> int:
    [(version,)] = run(f"SELECT coalesce(max(version), 0) FROM {OUR_TABLE}", ())
    return int(str(version))


def tables(run: Run) -> set[str]:
    """Their names, in lower case."""
    found = run("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'", ())
    return {str(name).lower() for (name,) in found}


def apex_from(name: str) -> str:
    """The canonical name of a zone whose row has this name."""
    return "" if name == "." else name.lower()
