"""What SQLite's errors mean to the operator."""

from __future__ import annotations

from pipebackend.base.errors import StoreFault

__all__ = ["BUSY_SECONDS", "OTHERS", "code", "is_of_text", "lacks_column", "of", "of_database"]

OTHERS = (OverflowError, UnicodeError, MemoryError)  # that the sqlite3 module raises beside its own
BUSY_SECONDS = 10  # how long a write waits for the writers before it

# By primary result code (https://www.sqlite.org/rescode.html): what is wrong; what to do
_MEANINGS = {
    "BUSY": f"another process has been writing for more than {BUSY_SECONDS} s; try again when it is done",
    "LOCKED": f"another process has been writing for more than {BUSY_SECONDS} s; try again when it is done",
    "NOTADB": "not an SQLite database; name another file in the configuration, or move this one away",
    "CORRUPT": "the database is damaged; restore a backup",
    "FULL": "the disk is full; nothing was changed; make room and try again",
    "READONLY": "not writable; let this user write to the file and to its directory",
    "PERM": "not accessible; let this user read and write the file and its directory",
    "CANTOPEN": "cannot be opened; let this user read and write the file and its directory",
    "IOERR": "reading or writing failed; nothing was changed; look for a full or failing disk",
    "NOLFS": "the file is too large for this file system; nothing was changed",
    "TOOBIG": "a value is too large to be stored; nothing was changed",
}


def code(fault: StoreFault) -> str:
    """SQLite's primary result code behind the fault, without its prefix, such as ``BUSY``; empty if there is none."""
    return _primary_code(fault.__cause__)


def is_of_text(fault: StoreFault) -> bool:
    """Whether a cell has text that is not UTF-8, as other programs may write it."""
    return "Could not decode to UTF-8" in str(fault.__cause__)


def lacks_column(fault: StoreFault, column: str) -> bool:
    """Whether a table of an older schema has no such column."""
    return f"no such column: {column}" in str(fault.__cause__)


def of(path: str, exc: Exception) -> StoreFault:
    """What a statement may raise, besides SQLite's own errors one of OTHERS, as a fault that names the file."""
    if isinstance(exc, OverflowError | UnicodeEncodeError):  # a number of more than 64 bits, a text that is no Unicode
        return StoreFault(f"store {path}: a value cannot be stored: {exc}; nothing was changed")
    if isinstance(exc, OTHERS):  # of a damaged file: SQLite's own words are no text, or a size is one no memory has
        return StoreFault(f"store {path}: {_MEANINGS['CORRUPT']} ({type(exc).__name__})")
    return of_database(path, exc)


def of_database(path: str, exc: Exception) -> StoreFault:
    """The error as one that names the file, what is wrong and what to do."""
    text = str(exc)
    if "no such column" in text or "no such table" in text:
        return StoreFault(
            f"store {path}: the tables are not those of PowerDNS 4.7 ({text}); "
            "apply the schema upgrades that PowerDNS ships"
        )
    meaning = _MEANINGS.get(_primary_code(exc), "")
    return StoreFault(f"store {path}: {meaning} ({text})" if meaning else f"store {path}: {text}")


def _primary_code(exc: BaseException | None) -> str:
    name = getattr(exc, "sqlite_errorname", "") or ""
    return str(name).removeprefix("SQLITE_").partition("_")[0]
