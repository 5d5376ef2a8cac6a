"""Any value in any parameter of any method gives one JSON answer, and no traceback in the log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipebackend.backend.opening import open_backend
from remoteshim import methods
from remoteshim.main import RemoteSession

ZONE = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n"
TEXTS = [
    "\ud800",
    "a\ud800b.e.test.",
    "e.test.\udcff",
    "\0",
    "x\0y.e.test.",
    "\xe9.e.test.",
    "*" * 300,
    "." * 300,
    "\\" * 5,
]
NUMBERS = [2**63, 2**31, -(2**70), 1.5, "x", None, [], {}]
RR = {"qname": "x.e.test.", "qtype": "TXT", "qclass": 1, "content": '"a"', "ttl": 60, "auth": True}
USUAL = {
    **dict.fromkeys(("qname", "zonename", "name", "domain", "nameserver"), "e.test."),
    **dict.fromkeys(("id", "trxid", "domain_id", "zone-id", "serial", "maxResults", "times"), 1),
    "qtype": "ANY",
    "kind": "X-A",
    "value": ["v"],
    "algorithm": "hmac-sha256.",
    "content": "YQ==",
    "pattern": "*",
    "ip": "127.0.0.1",
    "account": "a",
    "nsset": [],
    "query": "version",
    "salt": "",
    "narrow": False,
    "nonterm": [],
    "key": {"flags": 257, "active": True, "published": True, "content": "x"},
    "rr": RR,
    "rrset": [RR],
}


@pytest.mark.parametrize("method", sorted(methods.KNOWN))
def test_one_answer_and_no_traceback(tmp_path: Path, method: str, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "e.zone").write_text(ZONE)
    toml = '[store]\nurl = "sqlite:z.db"\n[[zone]]\nname = "e.test"\nkind = "file"\nfile = "e.zone"\n'
    (tmp_path / "p.toml").write_text(toml)
    backend = open_backend(str(tmp_path / "p.toml"))
    session = RemoteSession(open_backend, backend)
    for key, usual in USUAL.items():
        for odd in TEXTS if isinstance(usual, str) else NUMBERS:
            answer = session.answer(json.dumps({"method": method, "parameters": USUAL | {key: odd}}).encode())
            assert answer.endswith(b"\n")
            assert answer.count(b"\n") == 1
            json.loads(answer)
    backend.close()
    assert "Traceback" not in capfd.readouterr().err
