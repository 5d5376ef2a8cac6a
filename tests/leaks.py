"""Looks for private keys and secrets of the tests in all that the programs have said: logs, traces, captured output.

``tests/conftest.py`` asks ``found`` at the end of each test, before pytest removes its folder, and at the end of a run.
The secrets are those in the stores, files of keys, secrets of HTTP and passwords of PostgreSQL in pytest's temporary
folder, and the keys written out in the tests. A piece of 16 characters of one is a finding.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

__all__ = ["found", "of_folder", "of_keys", "of_sources", "pieces", "said_in"]

_PIECE = 16  # characters; a log that is cut off may have no more
_FEWEST_LETTERS = 8  # different ones in a piece; "AAAA…" is in many things that are no secret
_PRIVATE = re.compile(
    r"\b(?:PrivateKey|PrivateExponent|Prime[12]|Exponent[12]|Coefficient|Engine): ?([A-Za-z0-9+/]{16,}={0,2})"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{16,}")
_PASSWORD = re.compile(r"postgres(?:ql)?://[^\s:/@]*:([^\s@/]{16,})@")
_SQLITE = b"SQLite format 3\0"
_TRACE = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z \d+\.\d+ ")
_SECRET = ("secret", "pgpass")
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


def found(folder: Path, output: Mapping[str, str], known: set[str]) -> list[str]:
    """A line for each place where a secret was said: a file below ``folder``, or ``output`` by its title.

    ``known`` are the secrets.
    """
    known = pieces(known)
    texts = ((str(path), _text(path)) for path in _files(folder) if _is_log(path))
    return [
        f"{title} has {piece!r} of a private key or secret"
        for title, text in (*output.items(), *texts)
        if (piece := said_in(text, known))
    ]


def of_folder(folder: Path) -> set[str]:
    """The secrets in the files below a folder."""
    return {secret for path in _files(folder) for secret in _of_file(path)}


def of_keys(content: str) -> list[str]:
    """The secrets in what a store keeps of a key."""
    return _PRIVATE.findall(content) if "\n" in content or ": " in content else [content]


def _of_file(path: Path) -> Iterable[str]:
    if _start(path).startswith(_SQLITE):
        return _of_store(path)
    text = _text(path) if path.suffix in (".private", ".toml") or path.name in _SECRET else ""
    if path.name == "pgpass":
        return [line.rpartition(":")[2] for line in text.splitlines()]
    if path.name == "secret":
        return [text.strip()]
    return [*_PRIVATE.findall(text), *_PASSWORD.findall(text)]


def _is_log(path: Path) -> bool:
    return "log" in path.name or path.suffix == ".err" or bool(_TRACE.match(_start(path)))


def _start(path: Path) -> bytes:
    with suppress(FileNotFoundError), path.open("rb") as file:  # a process of the test may be ending
        return file.read(64)
    return b""


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text(errors="replace")
    return ""


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        with suppress(OSError):  # a process of the test may be ending
            if path.is_file() and not path.is_symlink() and path.stat().st_size < _LARGEST:
                yield path


def _of_store(path: Path) -> Iterator[str]:
    """The secrets in a database with PowerDNS's tables; one that a test has damaged may have none."""
    with (
        suppress(sqlite3.OperationalError),  # it has gone
        closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db,
    ):
        db.text_factory = lambda octets: octets.decode("utf-8", "replace")
        for query in ("SELECT content FROM cryptokeys", "SELECT secret FROM tsigkeys"):
            try:
                for (content,) in db.execute(query):
                    yield from of_keys(str(content))
            except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError):
                continue
