"""NSEC3 hashes: the vectors of the RFC."""

from __future__ import annotations

from hashlib import sha1

import pytest

from pipebackend.dnsdata.nsec3 import hash_label


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("example", "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"),
        ("a.example", "35mthgpgcu1qg68fab165klnsnk3dpvl"),
        ("ai.example", "gjeqe526plbf1g8mklp59enfd789njgi"),
        ("ns1.example", "2t7b4g4vsa5smi47k61mv5bv1a22bojr"),
        ("*.w.example", "r53bq7cc2uvmubfu5ocmm6pers9tk9en"),
        ("x.y.w.example", "2vptu5timamqttgl4luu9kg21e0aor3s"),
    ],
)
def test_the_hashes_of_the_rfc(name: str, label: str) -> None:
    """RFC 5155 appendix A: salt aabbccdd, 12 iterations."""
    assert hash_label(name, bytes.fromhex("aabbccdd"), 12) == label


def test_the_root_without_salt_and_iterations() -> None:
    digest = sha1(b"\x00", usedforsecurity=False).hexdigest()
    assert int(hash_label("", b"", 0), 32) == int(digest, 16)
    assert len(hash_label("", b"", 0)) == 32
