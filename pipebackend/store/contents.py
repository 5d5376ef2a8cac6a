"""Content that is kept in another text than PowerDNS's, by earlier releases or other programs, and putting that right.

The octets stay the same, so no answer changes; but PowerDNS compares text where a DNS UPDATE names a value.
"""

from __future__ import annotations

from pipebackend import rdtext
from pipebackend.errors import RecordFault
from pipebackend.versions import NEUTRAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Run = Callable[[str, tuple[object, ...]], Iterable[tuple[object, ...]]]

__all__ = ["other", "rewrite", "rewrite_few"]

_FEW = 2000  # rows that the first write of a newer release rewrites while PowerDNS waits; of more the check tells
# Of these no other text was ever written. That of signatures is never compared, and a zone may have millions.
_SAME = "'A', 'AAAA', 'ALIAS', 'CNAME', 'DNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'"
_ODD = f"SELECT id, type, content FROM records WHERE type IS NOT NULL AND content IS NOT NULL AND type NOT IN ({_SAME})"
_FEW_ODD = f"{_ODD} AND type <> 'RRSIG' LIMIT {_FEW + 1}"


def other(run: Run, query: str = _ODD) -> Iterator[tuple[int, str]]:
    """The ids of the rows whose text is another one, and PowerDNS's."""
    for ident, type_, content in run(query, ()):
        try:
            kept_type, kept = rdtext.kept(str(type_), str(content), NEUTRAL)
        except RecordFault:
            continue
        if kept_type == type_ and kept != content:
            yield int(str(ident)), kept


def rewrite(run: Run) -> int:
    """Gives these rows PowerDNS's text, inside the caller's transaction; how many there were."""
    return _write(run, list(other(run)))


def rewrite_few(run: Run) -> None:
    """The same, if they are few."""
    if len(list(run(_FEW_ODD, ()))) <= _FEW:
        _write(run, list(other(run, _FEW_ODD)))


def _write(run: Run, found: list[tuple[int, str]]) -> int:
    for ident, content in found:
        run("UPDATE records SET content = ? WHERE id = ?", (content, ident))
    return len(found)
