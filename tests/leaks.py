"""Looks for private keys and secrets of the tests in all that the programs have said: logs, traces, captured output.

At the end of a run ``tests/conftest.py`` asks ``found``. The keys are those in the stores and key files that the tests
left in pytest's temporary folder, and those written out in the tests. A piece of 16 characters of one is a finding.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

__all__ = ["found", "of_sources", "pieces", "said_in"]

_PIECE = 16  # characters; a log that is cut off may have no more
_FEWEST_LETTERS = 8  # different ones in a piece; "AAAA…" is in many things that are no secret
_PRIVATE = re.compile(
    r"\b(?:PrivateKey|PrivateExponent|Prime[12]|Exponent[12]|Coefficient|Engine): ?([A-Za-z0-9+/]{16,}={0,2})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")
_SQLITE = b"SQLite format 3\0"
_TRACE = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z \d+\.\d+ ")
_LARGEST = 64 << 20  # octets of a file that is looked at
_ESCAPES = str.maketrans("", "", "\\")  # JSON may write \/ for /


def pieces(secrets: Iterable[str]) -> set[str]:
    """All pieces of the secrets that say something."""
    made = (text[at : at + _PIECE] for text in set(secrets) for at in range(len(text.rstrip("=")) - _PIECE + 1))
    return {piece for piece in made if len(set(piece)) >= _FEWEST_LETTERS}


def said_in(text: str, known: set[str]) -> str | None:
    """The first piece of a secret that a text has."""
    for run in _BASE64.findall(text.translate(_ESCAPES)):
        for at in range(len(run) - _PIECE + 1):
            if run[at : at + _PIECE] in known:
                return str(run[at : at + _PIECE])
    return None


def of_sources(folder: Path) -> set[str]:
    """The private keys that are written out in the tests."""
    texts = (path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    return {secret for text in texts for secret in _PRIVATE.findall(text)}


def found(folder: Path, output: Mapping[str, str], sources: Path) -> list[str]:
    """A line for each place where a secret was said: a file below ``folder``, or ``output`` by its title."""
    secrets, logs = of_sources(sources), []
    for path in _files(folder):
        with path.open("rb") as file:
            start = file.read(64)
        if start.startswith(_SQLITE):
            secrets |= set(_of_store(path))
        elif path.suffix == ".private":
            secrets |= set(_PRIVATE.findall(path.read_text(errors="replace")))
        elif "log" in path.name or path.suffix == ".err" or _TRACE.match(start):
            logs.append(path)
    known = pieces(secrets)
    texts = ((str(path), path.read_text(errors="replace")) for path in logs)
    return [
        f"{title} has {piece!r} of a private key or secret"
        for title, text in (*output.items(), *texts)
        if (piece := said_in(text, known))
    ]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < _LARGEST:
            yield path


def _of_store(path: Path) -> Iterator[str]:
    """The secrets in a database with PowerDNS's tables; one that a test has damaged may have none."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        db.text_factory = lambda octets: octets.decode("utf-8", "replace")
        for query in ("SELECT content FROM cryptokeys", "SELECT secret FROM tsigkeys"):
            try:
                for (content,) in db.execute(query):
                    text = str(content)
                    yield from _PRIVATE.findall(text) if "\n" in text or ": " in text else [text]
            except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError):
                continue
