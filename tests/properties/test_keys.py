"""Laws of keys: text round trips, and records equal to those of BIND's and NLnet Labs' own tools."""

import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata import names
from pipebackend.keys import algorithms, bindfile, filename, keypair, publicfile
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.filename import KeyFileName
from pipebackend.keys.keypair import KSK, ZSK

GENERATED = [algorithm for algorithm in algorithms.ALGORITHMS.values() if algorithm.may_generate]
zones = st.lists(st.from_regex(r"[a-z0-9_]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True), min_size=1, max_size=4).map(
    ".".join
)
octet_zones = st.lists(st.binary(min_size=1, max_size=20), max_size=4).map(
    lambda labels: names.from_labels(labels).lower()
)
times = st.dictionaries(
    st.sampled_from(bindfile.TIME_FIELDS),
    st.datetimes(datetime(1970, 1, 1), datetime(2106, 1, 1)).map(lambda t: t.replace(microsecond=0, tzinfo=UTC)),
).map(lambda chosen: tuple((name, chosen[name]) for name in bindfile.TIME_FIELDS if name in chosen))


@st.composite
def key_pairs(draw):
    algorithm = draw(st.sampled_from(GENERATED))
    bits = draw(st.sampled_from((1024, 1280, 2048))) if algorithm.is_rsa else None
    return keypair.generate(algorithm, draw(st.sampled_from((ZSK, KSK))), bits)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@settings(max_examples=40, deadline=None)
@given(key_pairs(), zones, times)
def test_the_text_of_both_files_reads_back_as_the_same_key(key, zone, chosen):
    private = bindfile.read(bindfile.write(PrivateText(key.algorithm, key.private, chosen)))
    public = publicfile.read(publicfile.write(zone, key))
    assert private.times == chosen
    assert public.zone == zone
    assert publicfile.paired(private, public) == key


@settings(max_examples=30, deadline=None)
@given(key_pairs(), zones)
def test_key_tag_and_ds_are_those_of_bind_and_ldns(key, zone):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, filename.to_text(KeyFileName(zone, key.algorithm, key.key_tag)) + ".key")
        path.write_text(publicfile.write(zone, key))
        for digest, bind, ldns in (("sha256", "SHA-256", "-2"), ("sha384", "SHA-384", "-4")):
            ds = f"{zone}. IN DS {key.ds(zone, digest).to_text(chunksize=0)}".lower()
            assert " ".join(run("dnssec-dsfromkey", "-a", bind, str(path)).lower().split()) == ds
            found = run("ldns-key2ds", "-n", "-f", ldns, str(path)).lower().split()
            found.remove("3600")  # a TTL of its own
            assert " ".join(found) == ds


@settings(max_examples=200)
@given(octet_zones, st.sampled_from(sorted(algorithms.ALGORITHMS)), st.integers(0, 0xFFFF))
def test_file_names_read_back_and_stay_in_their_folder(zone, number, tag):
    name = KeyFileName(zone, algorithms.from_number(number), tag)
    text = filename.to_text(name)
    assert Path(text).name == text
    assert filename.from_text(text) == name


@settings(max_examples=300)
@given(st.text() | st.text().map(lambda rest: f"Private-key-format: v1.3\nAlgorithm: 13\nPrivateKey: {rest}"))
def test_any_text_is_read_or_refused(text):
    for read in (bindfile.read, publicfile.read, filename.from_text, algorithms.from_text):
        try:
            read(text)
        except KeyFault as exc:
            assert str(exc)
