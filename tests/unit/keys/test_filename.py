"""Names of key files, as dnssec-keygen makes them."""

import subprocess

import pytest

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata import names
from pipebackend.keys import algorithms, filename
from pipebackend.keys.filename import KeyFileName

ECDSA = algorithms.ALGORITHMS[13]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Kexample.aa.+013+01676", KeyFileName("example.aa", ECDSA, 1676)),
        ("K.+013+56860", KeyFileName("", ECDSA, 56860)),
        ("Ka%20b.c%2Ed.aa.+013+19946", KeyFileName("a\\032b.c\\.d.aa", ECDSA, 19946)),
        ("Ksub%2F1.example.aa.+008+13229", KeyFileName("sub/1.example.aa", algorithms.ALGORITHMS[8], 13229)),
    ],
)
def test_a_name_is_read_and_written(text, name):
    for suffix in ("", ".private", ".key"):
        assert filename.from_text(text + suffix) == name
    assert filename.to_text(name) == text


def test_upper_case_is_the_same_name():
    assert filename.from_text("KExample.AA.+013+01676.key").zone == "example.aa"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kexample.aa.+013+01676.ds",
        "example.aa.+013+01676",
        "Kexample.aa+013+01676",
        "Kexample.aa.+13+01676",
        "Kexample.aa.+013+1676",
        "Kexample.aa.+013+65536",
        "Kexample.aa.+003+01676",
        "K../../etc/passwd.+013+01676",
        "Ka..b.+013+01676",
        "K" + "a" * 64 + ".+013+01676",
        "Ka%zz.+013+01676",
        "Kexample.aa.+013+01676\n",
        "Kexample.aa.+\u0660\u0661\u0663+01676",
    ],
)
def test_any_other_name_is_refused(text):
    with pytest.raises(KeyFault, match="file name"):
        filename.from_text(text)


@pytest.mark.parametrize("zone", ["\\.\\./\\.\\./etc/passwd", "a/b", "~root", "%2F", "\\000\\255", "*.x", "-rf"])
def test_no_zone_name_escapes_its_folder(zone):
    name = KeyFileName(names.from_text(zone), ECDSA, 1)
    text = filename.to_text(name)
    assert not set(text) & set("/\\~\0* ")
    assert ".." not in text
    assert filename.from_text(text) == name


def test_dnssec_keygen_makes_the_same_names(tmp_path):
    for zone in ("Sub/1.Example.aa", "a\\032b.c\\.d.aa", "_tcp.a~b.aa", "."):
        made = subprocess.run(
            ["dnssec-keygen", "-q", "-a", "13", "-K", str(tmp_path), zone], check=True, capture_output=True, text=True
        ).stdout.strip()
        assert filename.to_text(filename.from_text(made)) == made
        assert filename.from_text(made).zone == names.from_text(zone)
