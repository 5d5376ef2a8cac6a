"""TOML as configurations are written, without ``tomllib``, whose import takes as long as a Python that does nothing.

What is not plainly right here is left to ``tomllib``, which knows all of TOML and says what is wrong: escapes, dates,
floats, dotted keys, strings of many lines, tables that come about by a table inside them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Table = dict[str, Any]

__all__ = ["read"]

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_BLANK = " \t"
_WORDS = {"true": True, "false": False}
_MAX_DIGITS = 18


class _NotPlain(Exception):
    """Whether the text is TOML is not for this module to say."""


def read(text: str) -> Table | None:
    """What ``tomllib.loads`` gives for ``text``; None if it is not plain, faulty texts among them."""
    if not text.replace("\n", "").replace("\t", "").isprintable():  # few others are allowed, and not everywhere
        return None
    try:
        return _Reader(text).document()
    except (_NotPlain, RecursionError):
        return None


class _Reader:
    """A text and how far it was read."""

    def __init__(self, text: str) -> None:
        self._text = text + "\n"  # so that there is a character after every other one
        self._at = 0
        self._defined: dict[int, object] = {}  # by id: tables and lists of tables that a header may go on with

    def document(self) -> Table:
        """The whole text."""
        root: Table = {}
        table = root
        while self._skip(_BLANK + "\n") < len(self._text):
            if self._text[self._at] == "[":
                table = self._header(root)
            elif self._text[self._at] != "#":
                self._pair(table)
            self._end_line()
        return root

    def _skip(self, characters: str) -> int:
        text, at = self._text, self._at
        while at < len(text) and text[at] in characters:
            at += 1
        self._at = at
        return at

    def _end_line(self) -> None:
        if self._text[self._skip(_BLANK)] == "#":
            self._at = self._text.index("\n", self._at)
        self._expect("\n")

    def _expect(self, characters: str) -> None:
        if not self._text.startswith(characters, self._at):
            raise _NotPlain
        self._at += len(characters)

    def _header(self, root: Table) -> Table:
        """The new table of a line ``[table]`` or ``[[list of tables]]``."""
        is_item = self._text.startswith("[[", self._at)
        self._at += 1 + is_item
        table, key = root, self._key()
        while self._text[self._at] == ".":
            self._at += 1
            table, key = self._inside(table, key), self._key()
        self._expect("]]" if is_item else "]")
        fresh: Table = self._made({})
        if not is_item:
            _add(table, key, fresh)
            return fresh
        if key not in table:
            table[key] = self._made([])
        self._checked(table[key], list).append(fresh)
        return fresh

    def _inside(self, table: Table, key: str) -> Table:
        """The table, or the last of the tables, that a header made under ``key``."""
        found = table.get(key)
        inside: Table = self._checked(found[-1] if isinstance(found, list) and found else found, dict)
        return inside

    def _made(self, value: Any) -> Any:
        self._defined[id(value)] = value
        return value

    def _checked(self, value: Any, type_: type) -> Any:
        if not isinstance(value, type_) or id(value) not in self._defined:
            raise _NotPlain
        return value

    def _pair(self, table: Table) -> None:
        key = self._key()
        self._skip(_BLANK)
        self._expect("=")
        self._skip(_BLANK)
        _add(table, key, self._value())

    def _key(self) -> str:
        first = self._text[self._at]
        return self._string(first) if first in "\"'" else self._word()

    def _word(self) -> str:
        text, start = self._text, self._at
        at = start
        while text[at] in _BARE:
            at += 1
        if at == start:
            raise _NotPlain
        self._at = at
        return text[start:at]

    def _value(self) -> object:
        first = self._text[self._at]
        if first in "\"'":
            return self._string(first)
        if first == "[":
            return self._array()
        if first == "{":
            return self._inline_table()
        word = self._word()
        if word in _WORDS:
            return _WORDS[word]
        if not word.isdigit() or len(word) > _MAX_DIGITS or (word[0] == "0" and word != "0"):
            raise _NotPlain
        return int(word)

    def _string(self, quote: str) -> str:
        start = self._at + 1
        end = self._text.find(quote, start)
        found = self._text[start:end]
        is_many_lined = not found and self._text[end + 1] == quote
        if end < 0 or is_many_lined or "\n" in found or (quote == '"' and "\\" in found):
            raise _NotPlain
        self._at = end + 1
        return found

    def _array(self) -> list[object]:
        found: list[object] = []
        self._at += 1
        while self._next_item() != "]":
            found.append(self._value())
            if self._next_item() != "]":
                self._expect(",")
        self._at += 1
        return found

    def _next_item(self) -> str:
        """What comes after white space and comments, which may be anywhere in an array."""
        while self._skip(_BLANK + "\n") < len(self._text) and self._text[self._at] == "#":
            self._at = self._text.index("\n", self._at)
        if self._at == len(self._text):
            raise _NotPlain
        return self._text[self._at]

    def _inline_table(self) -> Table:
        found: Table = {}
        self._at += 1
        if self._text[self._skip(_BLANK)] != "}":
            self._pair(found)
            while self._text[self._skip(_BLANK)] == ",":
                self._at += 1
                self._skip(_BLANK)
                self._pair(found)
        self._expect("}")
        return found


def _add(table: Table, key: str, value: object) -> None:
    if key in table:
        raise _NotPlain
    table[key] = value
