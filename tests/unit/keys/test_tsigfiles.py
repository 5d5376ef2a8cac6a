"""TSIG keys of other programs' files: BIND's, Knot's, NSD's, PowerDNS's and the HMAC key files, old and new."""

import base64
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata.tsig import TsigKey
from pipebackend.keys import tsigfiles

SECRET = base64.b64encode(bytes(range(32))).decode()
SLASHES = base64.b64encode(b"A" + b"\xff" * 32).decode()  # looks like a comment of named.conf
KEY = TsigKey("transfer.example", "hmac-sha256", SECRET)


@pytest.mark.parametrize(
    "text",
    [
        f'key "transfer.example" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n',
        f"key transfer.example. {{ secret {SECRET}; algorithm HMAC-SHA256. ; }};",
        f"key Transfer.Example{{algorithm hmac-sha256;secret {SECRET};}}",
        f'// key "old" {{ secret "x"; }};\n# a key b {{\n/* key c {{ secret d; }}; */\n'
        f'key "transfer.example" {{ algorithm "hmac-sha256"; # today\n secret "{SECRET}"; }};\n'
        'zone "example" { type master; allow-transfer { key transfer.example; }; };\n'
        "server 192.0.2.1 { keys { transfer.example; }; };\n",
        f"key:\n  - id: transfer.example.\n    algorithm: hmac-sha256\n    secret: {SECRET}\n",
        f"# hmac-sha256:transfer.example:{SECRET}\nkey:\n  - id: transfer.example\n    algorithm: hmac-sha256\n"
        f"    secret: {SECRET}\n",
        f"server:\n    listen: 127.0.0.1@53\nkey:\n  - secret: {SECRET}  # mine\n    id: transfer.example\n"
        "    algorithm: hmac-sha256\nzone:\n  - domain: example\n    acl: transfer\n",
        f'key:\n    name: "transfer.example"\n    algorithm: hmac-sha256\n    secret: "{SECRET}"\n',
        f"hmac-sha256:transfer.example:{SECRET}\n",
        f"transfer.example. hmac-sha256. {SECRET}\n",
        f"Create new TSIG key transfer.example hmac-sha256 {SECRET}\n",
        f"transfer.example. IN KEY 512 3 163 {SECRET}\n",
        f"transfer.example.\t3600\tIN\tKEY\t0 3 159 {SECRET[:20]} {SECRET[20:]} ; of ldns-keygen\n",
    ],
)
def test_every_form_is_the_same_key(text):
    assert tsigfiles.read(text) == [KEY]


def test_a_secret_with_slashes_is_not_cut_at_them():
    for text in (f"key a {{ algorithm hmac-sha1; secret {SLASHES}; }};", f"key:\n - id: a\n   secret: {SLASHES}\n"):
        assert tsigfiles.read(text)[0].secret == SLASHES


def test_knot_has_an_algorithm_for_a_key_that_names_none():
    assert tsigfiles.read(f"key:\n  - id: transfer.example\n    secret: {SECRET}\n") == [KEY]


def test_a_file_may_hold_many_keys():
    blocks = "".join(f"key k{n} {{ algorithm hmac-sha512; secret {SECRET}; }};\n" for n in range(3))
    sections = "key:\n" + "".join(f"  - id: k{n}\n    algorithm: hmac-sha512\n    secret: {SECRET}\n" for n in range(3))
    nsd = "".join(f"key:\n  name: k{n}\n  algorithm: hmac-sha512\n  secret: {SECRET}\n" for n in range(3))
    for text in (blocks, sections, nsd):
        assert [key.name for key in tsigfiles.read(text)] == ["k0", "k1", "k2"]


@pytest.mark.parametrize("number", [157, 158, 159, 161, 162, 163, 164, 165])
def test_a_private_file_of_an_hmac_is_named_by_its_file(number, tmp_path):
    path = tmp_path / f"Ktransfer.example.+{number}+12345.private"
    path.write_text(f"Private-key-format: v1.3\nAlgorithm: {number} (HMAC)\nKey: {SECRET}\nBits: AAA=\n")
    [key] = tsigfiles.load(str(path))
    assert (key.name, key.secret) == ("transfer.example", SECRET)
    other = path.rename(tmp_path / "renamed.private")
    with pytest.raises(KeyFault, match=r"renamed.private: does not tell the key's name; put the .key file beside it"):
        tsigfiles.load(str(other))
    (tmp_path / "renamed.key").write_text(f"transfer.example. IN KEY 512 3 {number} {SECRET}\n")
    assert tsigfiles.load(str(other)) == [key]


@pytest.mark.parametrize("algorithm", ["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_both_files_of_ldns_keygen_are_the_same_key(algorithm, tmp_path):
    words = ["ldns-keygen", "-a", algorithm, "-b", "160", "host.example"]
    base = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.strip()
    [private], [public] = (tsigfiles.load(str(tmp_path / f"{base}.{suffix}")) for suffix in ("private", "key"))
    assert private == public
    assert (private.name, private.algorithm) == ("host.example", algorithm)


def test_named_needs_no_blank_before_a_quote():
    block = f'key"transfer.example"{{algorithm"hmac-sha256";secret"{SECRET}";}};'
    assert tsigfiles.read(block) == [KEY]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_editor_of_windows_may_have_saved_the_file(encoding, tmp_path):
    path = tmp_path / "transfer.key"
    path.write_bytes(
        f'key "transfer.example" {{\r\n algorithm hmac-sha256;\r\n secret "{SECRET}";\r\n}};\r\n'.encode(encoding)
    )
    assert tsigfiles.load(str(path)) == [KEY]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "f: holds no TSIG key; give a file with a key block of named.conf"),
        ("zone example { };", "holds no TSIG key"),
        ("example. IN DNSKEY 257 3 13 AAAA", "holds no TSIG key"),
        (
            "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n",
            "f: holds a DNSSEC key, .*zoneutil key import ZONE f",
        ),
        ("key a { algorithm hmac-sha256; };", "f: TSIG key a has no secret"),
        (f"key a {{ secret {SECRET}; }};", "f: TSIG key a has no algorithm"),
        (f"key a {{ algorithm hmac-sha3; secret {SECRET}; }};", "f: TSIG algorithm 'hmac-sha3' is unknown; use one of"),
        (
            f"key a {{ algorithm hmac-sha256-128; secret {SECRET}; }};",
            "f: TSIG algorithm 'hmac-sha256-128' shortens signatures; PowerDNS cannot: use hmac-sha256 on both servers",
        ),
        ("key a { algorithm hmac-sha256; secret ???; };", "f: TSIG key a: the secret is not base64"),
        (f"key a.. {{ algorithm hmac-sha1; secret {SECRET}; }};", "f: TSIG key 'a..': .*empty label"),
        (
            f"key a {{ algorithm hmac-sha1; secret {SECRET}; }}; key A. {{ algorithm hmac-sha1; secret {SLASHES}; }};",
            "f: TSIG key a is there twice",
        ),
    ],
)
def test_a_fault_names_the_file_the_key_and_what_to_do(text, reason):
    with pytest.raises(KeyFault, match=reason):
        tsigfiles.read(text, "f")


@given(st.text(alphabet=st.sampled_from(list('key:{};"/*# \n-id')) | st.characters(), max_size=80))
def test_any_text_is_keys_or_a_fault(text):
    try:
        assert tsigfiles.read(text)
    except KeyFault:
        pass
