"""The table of algorithms: names, numbers, what may be generated."""

import subprocess

import pytest

from pipebackend.base.errors import KeyFault
from pipebackend.keys import algorithms


@pytest.mark.parametrize("algorithm", algorithms.ALGORITHMS.values(), ids=lambda algorithm: algorithm.mnemonic)
def test_an_algorithm_is_found_by_name_in_any_case_and_by_number(algorithm):
    for text in (algorithm.mnemonic, algorithm.mnemonic.upper(), str(algorithm.number), f" {algorithm.number:03d} "):
        assert algorithms.from_text(text) is algorithm
    assert algorithms.from_number(algorithm.number) is algorithm


@pytest.mark.parametrize("text", ["", "dsa", "3", "12", "999", "-13", "1e1", "rsa", "\u0661\u0663", "x" * 1000])
def test_any_other_text_is_refused_with_the_choices(text):
    with pytest.raises(KeyFault, match=r"use one of rsasha1 \(5\), .*ed448 \(16\)") as caught:
        algorithms.from_text(text)
    assert len(str(caught.value)) < 300


def test_sha1_is_only_imported():
    assert [number for number, algorithm in algorithms.ALGORITHMS.items() if not algorithm.may_generate] == [5, 7]


def test_only_rsa_has_a_free_key_size():
    for algorithm in algorithms.ALGORITHMS.values():
        assert algorithm.is_rsa == (algorithm.min_bits < algorithm.max_bits) == (algorithm.number <= 10)
        assert algorithm.min_bits <= algorithm.default_bits <= algorithm.max_bits


def test_numbers_and_names_are_those_of_powerdns(tmp_path):
    (tmp_path / "pdns.conf").write_text("launch=\n")
    listed = subprocess.run(
        ["pdnsutil", f"--config-dir={tmp_path}", "list-algorithms"], check=True, capture_output=True, text=True
    )
    powerdns = dict(line.split(" - ") for line in listed.stdout.splitlines() if " - " in line)
    assert {str(a.number): a.mnemonic.upper() for a in algorithms.ALGORITHMS.values()} == powerdns
