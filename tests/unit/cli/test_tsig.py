"""zoneutil tsig: keys are made, taken, shown and given to zones; their secrets are printed by export alone."""

from __future__ import annotations

from base64 import b64decode, b64encode

import dns.tsigkeyring
import pytest

from pipebackend.dnsdata import tsig

ZONE = "cities.example"
SECRET = b64encode(b"0123456789abcdef0123456789abcdef").decode()


def test_a_generated_key_has_a_secret_as_long_as_powerdns_makes_it(zoneutil):
    zoneutil.good("tsig", "generate", "Transfer.")
    key = zoneutil.good("tsig", "export", "transfer", "--json").json
    assert (key["name"], key["algorithm"], len(b64decode(key["secret"]))) == ("transfer", "hmac-sha256", 64)


@pytest.mark.parametrize("algorithm", [name for name in tsig.ALGORITHMS if name != "gss-tsig"])
def test_every_hash_is_made_and_taken(zoneutil, algorithm):
    zoneutil.good("tsig", "generate", "a", "--algorithm", algorithm.upper())
    zoneutil.good("tsig", "import", "b", f"{algorithm}.", SECRET)
    assert zoneutil.good("tsig", "list", "--json").json == [
        {"name": "a", "algorithm": algorithm},
        {"name": "b", "algorithm": algorithm},
    ]


def test_the_list_is_a_table_without_secrets(zoneutil):
    zoneutil.good("tsig", "import", "transfer", "hmac-sha512", SECRET)
    assert zoneutil.good("tsig", "list").out == "name      algorithm\ntransfer  hmac-sha512\n"


def test_an_empty_list_prints_nothing(zoneutil):
    assert zoneutil.good("tsig", "list").out == ""
    assert zoneutil.good("tsig", "list", "--json").json == []


def test_an_exported_key_is_a_clause_of_named_conf(zoneutil):
    zoneutil.good("tsig", "import", "my.key", "hmac-sha256", SECRET)
    out = zoneutil.good("tsig", "export", "MY.KEY.").out
    assert out == f'key "my.key" {{\n\talgorithm hmac-sha256;\n\tsecret "{SECRET}";\n}};\n'
    assert dns.tsigkeyring.from_text({"my.key": out.split('"')[3]})


def test_secrets_are_printed_by_export_alone(zoneutil):
    zoneutil.good("tsig", "import", "k", "hmac-sha256", SECRET)
    zoneutil.refused("tsig", "import", "k", "hmac-sha256", SECRET)
    zoneutil.refused("tsig", "import", "other", "hmac-sha256", SECRET[:-1])
    zoneutil.refused("tsig", "import", "other", "hmac-sha257", SECRET)
    zoneutil.good("tsig", "allow", ZONE, "k")
    for words in (
        ("tsig", "list"),
        ("tsig", "list", "--json"),
        ("meta", "list", ZONE),
        ("store", "dump"),
        ("store", "check"),
    ):
        zoneutil.good(*words)
    assert SECRET[:-1] not in zoneutil.everything


@pytest.mark.parametrize("words", [("generate", "K"), ("import", "k.", "hmac-md5", SECRET)])
def test_a_key_in_use_is_not_replaced(zoneutil, words):
    zoneutil.good("tsig", "import", "k", "hmac-sha256", SECRET)
    assert "there is a TSIG key k already; delete it first" in zoneutil.refused("tsig", *words)


def test_a_deleted_key_is_gone(zoneutil):
    zoneutil.good("tsig", "generate", "k")
    zoneutil.good("tsig", "delete", "K.")
    assert zoneutil.good("tsig", "list", "--json").json == []
    assert "there is no TSIG key k" in zoneutil.refused("tsig", "delete", "k")
    assert "there is no TSIG key k" in zoneutil.refused("tsig", "export", "k")


def test_allow_adds_to_the_keys_that_may_transfer(zoneutil):
    for key in ("a", "b"):
        zoneutil.good("tsig", "generate", key)
        zoneutil.good("tsig", "allow", "CITIES.example.", f"{key.upper()}.")
    assert zoneutil.good("meta", "get", ZONE, "TSIG-ALLOW-AXFR").out == "a\nb\n"
    assert "there is no TSIG key 'c'" in zoneutil.refused("tsig", "allow", ZONE, "c")
    assert "there is no zone other.example" in zoneutil.refused("tsig", "allow", "other.example", "a")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("generate", "a..b"), "empty label"),
        (("generate", ""), "needs a name"),
        (("generate", "k", "--algorithm", "sha256"), "is unknown; use one of hmac-md5"),
        (("generate", "k", "--algorithm", "gss-tsig"), "no secret to generate"),
        (("import", "k", "hmac-sha256", "???"), "not base64"),
        (("import", "k", "hmac-sha256", ""), "is empty"),
        (("import", "k", "hmac-sha256", "A" * 1_000_000), "1000000 characters"),
        (("import", "x" * 300, "hmac-sha256", SECRET), "longer than"),
    ],
)
def test_bad_keys_are_refused(zoneutil, words, why):
    assert why in zoneutil.refused("tsig", *words)
    assert not zoneutil.store.exists()


def test_a_key_without_secret_cannot_be_exported(zoneutil):
    zoneutil.good("tsig", "import", "k", "gss-tsig", "")
    assert "has no secret to export" in zoneutil.refused("tsig", "export", "k")


BLOCKS = (
    f'key "a" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\nkey b {{ algorithm hmac-md5; secret {SECRET}; }};\n'
)


def test_keys_come_from_a_file(zoneutil, tmp_path):
    (tmp_path / "named.conf").write_text(BLOCKS)
    done = zoneutil.good("tsig", "import", tmp_path / "named.conf")
    assert done.err == "TSIG key a (hmac-sha256) imported\nTSIG key b (hmac-md5) imported\n"
    assert zoneutil.good("tsig", "export", "a", "--json").json["secret"] == SECRET


def test_keys_come_from_standard_input(zoneutil):
    zoneutil.good("tsig", "import", "-", answer=BLOCKS)
    assert [key["name"] for key in zoneutil.good("tsig", "list", "--json").json] == ["a", "b"]


def test_a_secret_comes_from_standard_input(zoneutil):
    zoneutil.good("tsig", "import", "k", "hmac-sha256", answer=f"{SECRET}\n")
    assert zoneutil.good("tsig", "export", "k", "--json").json["secret"] == SECRET
    assert "the secret is empty" in zoneutil.refused("tsig", "import", "other", "hmac-sha256")
    assert SECRET not in zoneutil.good("tsig", "list").out


def test_what_was_exported_is_imported(zoneutil):
    zoneutil.good("tsig", "generate", "k")
    out = zoneutil.good("tsig", "export", "k").out
    zoneutil.good("tsig", "delete", "k")
    zoneutil.good("tsig", "import", "-", answer=out)
    assert zoneutil.good("tsig", "export", "k").out == out


def test_of_a_file_all_keys_are_taken_or_none(zoneutil, tmp_path):
    zoneutil.good("tsig", "generate", "b")
    (tmp_path / "keys").write_text(BLOCKS)
    assert "there is a TSIG key b already" in zoneutil.refused("tsig", "import", tmp_path / "keys")


def test_a_dnssec_key_or_no_file_is_refused_with_what_to_do(zoneutil, tmp_path):
    (tmp_path / "K.private").write_text("Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\nPrivateKey: AAAA\n")
    assert "zoneutil key import ZONE" in zoneutil.refused("tsig", "import", tmp_path / "K.private")
    assert "cannot be read: No such file or directory; give a file with" in zoneutil.refused(
        "tsig", "import", "nothing"
    )
    assert "is not the name of a file" in zoneutil.refused("tsig", "import", "a\0b")
