"""Content that is kept in another text than PowerDNS's, by earlier releases or other programs, and putting that right.

The octets stay the same, so no answer changes; but PowerDNS compares text where a DNS UPDATE names a value.
"""

from __future__ import annotations

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import rdtext
from pipebackend.dnsdata.versions import OLD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from pipebackend.dnsdata.versions import Dialect

    Run = Callable[[str, tuple[object, ...]], Iterable[tuple[object, ...]]]

__all__ = ["other", "rewrite", "rewrite_few"]

_FEW = 2000  # rows that the first write of a newer release rewrites while PowerDNS waits; of more the check tells
# Of these no other text was ever written. That of signatures is never compared, and a zone may have millions.
_SAME = "'A', 'AAAA', 'ALIAS', 'CNAME', 'DNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'"
_ODD = f"SELECT id, type, content FROM records WHERE type IS NOT NULL AND content IS NOT NULL AND type NOT IN ({_SAME})"
_FEW_ODD = f"{_ODD} AND type <> 'RRSIG' LIMIT {_FEW + 1}"


def other(run: Run, query: str = _ODD, dialect: Dialect | None = None) -> Iterator[tuple[int, str, str]]:
    """The ids of the rows whose text is another one, and PowerDNS's type and text: of this dialect, else of any."""
    for ident, type_, content in run(query, ()):
        try:
            if dialect is None:
                found = rdtext.kept(str(type_), str(content), OLD)
            else:
                found = rdtext.own(str(type_), str(content), dialect)
        except RecordFault:
            continue
        if found != (type_, content) and (dialect is not None or found[0] == type_):
            yield int(str(ident)), *found


def rewrite(run: Run, dialect: Dialect | None) -> int:
    """Gives these rows PowerDNS's text, inside the caller's transaction; how many there were."""
    return _write(run, list(other(run, dialect=dialect)))


def rewrite_few(run: Run) -> None:
    """The same, if they are few."""
    if len(list(run(_FEW_ODD, ()))) <= _FEW:
        _write(run, list(other(run, _FEW_ODD)))


def _write(run: Run, found: list[tuple[int, str, str]]) -> int:
    for ident, type_, content in found:
        run("UPDATE records SET type = ?, content = ? WHERE id = ?", (type_, content, ident))
    return len(found)
