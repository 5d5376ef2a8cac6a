"""A file that is written while it is read gives the rows, the notes or the errors of one that is collected first."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pipebackend.admin import inorder, zoneimport
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import BackendError
from pipebackend.dnsdata import names
from pipebackend.store.zonedata import columns
from pipebackend.zones.text import lexer
from tests.properties.test_stored import order_tables

APEX = "example.org"
HEAD = f"$ORIGIN {APEX}.\n$TTL 60\n@ SOA ns1 host 1 2 3 4 5\n"
OWNERS = st.sampled_from(["@", "a", "A", "b", "b.a", "c.b.a", "x.e", "*", "\\000.d", "d", "_t._u", "z", "z" * 63])
RECORDS = st.sampled_from(
    [
        *("A 192.0.2.1", "A 192.0.2.2", "300 A 192.0.2.1", 'TXT "x"', "MX 10 a", "SRV 1 2 3 a", "CNAME a", "NS b.a"),
        *("DNAME a", "DNAME b"),
        *("DS 1 8 2 00", "CAA 0 issue x", "NSEC3PARAM 1 0 0 -", "NSEC a A", "A 1", "AAAA 2001:db8::1"),
        "RRSIG A 13 2 60 20300101000000 20200101000000 1 example.org. AAAA",
    ]
)
LINES = st.lists(st.tuples(OWNERS, RECORDS).map(" ".join), max_size=12)


def key(line):
    owner = line.split()[0]
    return names.order_key("" if owner == "@" else owner)


def imported(folder, lines, *, large):
    """What an import says, and the tables after it; the zone was there before."""
    Path(folder, "p.toml").write_text('[store]\nurl = "sqlite:zones.db"\n')
    file = Path(folder, "zone")
    backend = open_backend(str(Path(folder, "p.toml")))
    backend.store.init()
    backend.store._db.connection().execute("PRAGMA synchronous = OFF")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zoneimport, "_LARGE", 0 if large else 1 << 30)
        file.write_text(HEAD + "old A 192.0.2.9\n")
        zoneimport.import_file(backend, APEX, str(file), lambda what, count: None)
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines))
        try:
            done = zoneimport.import_file(backend, APEX, str(file), lambda what, count: None)
        except BackendError as exc:
            done = str(exc)
    connection = sqlite3.connect(Path(folder, "zones.db"))
    tables = order_tables(connection)
    assert connection.execute("SELECT * FROM pipebackend_stale").fetchall() == []
    connection.close()
    backend.close()
    return done, tables


@settings(max_examples=150)
@given(LINES, st.booleans(), st.sampled_from([0, 2, 1000]), st.integers(1, 4), st.integers(0, 3))
def test_written_while_it_is_read_or_collected(lines, in_order, head, block, most_slow):
    if in_order:
        lines.sort(key=key)
    gave_up = []

    class Stream(inorder.Stream):
        def finish(self):
            super().finish()
            gave_up.append(False)

    with pytest.MonkeyPatch.context() as patch, TemporaryDirectory() as one, TemporaryDirectory() as other:
        patch.setattr(lexer, "BLOCK", block)
        patch.setattr(columns, "_ROWS", block)
        patch.setattr(inorder, "_HEAD", head)
        patch.setattr(inorder, "_MOST_SLOW", most_slow * 4)
        patch.setattr(zoneimport, "Stream", Stream)
        streamed, streamed_tables = imported(one, lines, large=True)
        collected, collected_tables = imported(other, lines, large=False)
    event(f"written while it was read: {len(gave_up)}")
    if isinstance(streamed, str):
        assert streamed.replace(one, "") == collected.replace(other, "")
    else:
        assert (streamed.records, streamed.serial, streamed.nsec3) == (
            collected.records,
            collected.serial,
            collected.nsec3,
        )
        assert [note.replace(one, "") for note in streamed.left_out] == [
            note.replace(other, "") for note in collected.left_out
        ]
    assert streamed_tables == collected_tables
