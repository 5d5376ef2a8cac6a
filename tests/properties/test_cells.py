"""Any cell in any column of a stored zone gives a well-formed answer or a named fault, over PIPE and REMOTE."""

from __future__ import annotations

import json
import sqlite3
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from pipebackend.base.errors import RecordFault
from pipebackend.pipe import PipeSession
from remoteshim.main import RemoteSession
from tests.properties.test_pipe import check_answer

APEX = "example.org"
# As SQLite can hold them, and more often those that programs write
cell = st.one_of(
    st.none(),
    st.sampled_from(
        ["", "A", "MX", "TXT", "SOA", "LUA", "60", "1h", "10 mail.example.net", '"x', "192.0.2.1", -1, 2**40]
    ),
    st.text(max_size=12),
    st.binary(max_size=12),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
)
rows = st.lists(st.tuples(cell, cell, cell, cell, cell), max_size=4)
raw = st.lists(st.binary(max_size=6), max_size=2)  # text that is no UTF-8


def written(folder, found, octets):
    config = Path(folder, "pipebackend.toml")
    config.write_text("")
    backend = open_backend(str(config))
    backend.store.create_domain(APEX, 7)
    backend.close()
    connection = sqlite3.connect(backend.store.path)
    insert = "INSERT INTO records (domain_id, name, type, content, ttl, prio, auth) VALUES (7, ?, ?, ?, ?, ?, ?)"
    soa = (APEX, "SOA", f"ns1.{APEX} hostmaster.{APEX} 1 2 3 4 5", 60, 0, 1)
    connection.executemany(insert, [soa, *((f"x.{APEX}", *row) for row in found)])
    text = insert.replace("?, ?, ?, ?, ?, ?", "?, 'TXT', CAST(? AS TEXT), 60, 0, 1")
    connection.executemany(text, [(f"y.{APEX}", content) for content in octets])
    connection.commit()
    connection.close()
    return backend


def check_json(answer):
    value = json.loads(answer)
    for record in value["result"] or ():
        assert isinstance(record["qtype"], str)
        assert isinstance(record["content"], str)
        assert type(record["ttl"]) is int
        assert 0 <= record["ttl"] < 2**31


@given(rows, raw)
def test_any_cell_gives_a_well_formed_answer_or_a_named_fault(found, octets):
    with tempfile.TemporaryDirectory() as folder:
        backend = written(folder, found, octets)
        pipe, remote = PipeSession(backend), RemoteSession(lambda _: backend)
        pipe.answer(b"HELO\t5")
        for name in (APEX, f"x.{APEX}", f"y.{APEX}"):
            for type_ in ("ANY", "SOA"):
                question = f"Q\t{name}\tIN\t{type_}\t7\t192.0.2.1\t192.0.2.2\t192.0.2.3/32".encode()
                check_answer(pipe.answer(question), question, 5)
                asked = {"method": "lookup", "parameters": {"qname": f"{name}.", "qtype": type_, "zone-id": 7}}
                check_json(remote.answer(json.dumps(asked).encode()))
        for row in Operator(backend).examined(APEX):
            assert not isinstance(row, RecordFault) or APEX in str(row)
        assert isinstance(Operator(backend).zone_faults(APEX), list)
        assert isinstance(backend.store.check(), list)
        backend.close()
