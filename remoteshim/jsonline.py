"""JSON on one line, read and written by CPython's own C parts.

``import json`` would cost 10 ms of each start for its regular expressions; where the C parts are not there, it is used.
"""

from __future__ import annotations

from pipebackend.base.errors import RequestFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    _scan: Callable[[str, int], tuple[Any, int]]
    _quote: Callable[[str], str]

__all__ = ["dumps", "loads", "quote"]


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is not a JSON value")


try:
    from _json import encode_basestring_ascii as _quote
    from _json import make_scanner

    class _Options:
        """What json.JSONDecoder hands to the C scanner."""

        strict = True
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = staticmethod(_refuse_constant)

    _scan = make_scanner(_Options())  # type: ignore[arg-type]  # the C code reads these names and no more
except ImportError:  # another Python implementation
    import json

    _quote = json.dumps
    _scan = json.JSONDecoder(parse_constant=_refuse_constant).raw_decode

quote = _quote


def loads(text: str) -> Any:
    """The value of one JSON text; raises RequestFault."""
    start = len(text) - len(text.lstrip())
    try:
        value, end = _scan(text, start)
    except StopIteration:
        raise RequestFault("not JSON") from None
    except RecursionError:
        raise RequestFault("not JSON that can be read: too deeply nested") from None
    except ValueError as exc:
        raise RequestFault(f"not JSON: {exc}") from None
    except SystemError:  # the C part takes its exception from json.decoder, and nobody has imported that
        raise RequestFault(f"not JSON: {_complaint(text)}") from None
    if text[end:].strip():
        raise RequestFault(f"not JSON: something follows the value at character {end}")
    return value


def _complaint(text: str) -> str:
    import json

    try:
        json.loads(text)
    except ValueError as exc:
        return str(exc)
    return "it cannot be read"


def dumps(value: Any) -> str:
    """``value`` as JSON without white space, in ASCII; of dicts, lists, strings, whole numbers, booleans and None."""
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{_quote(key)}:{dumps(item)}" for key, item in value.items()]) + "}"
    return "[" + ",".join([dumps(item) for item in value]) + "]"
