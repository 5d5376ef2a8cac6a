"""TSIG keys: names and algorithms in any form PowerDNS sends, secrets checked and never shown."""

import base64
import subprocess

import pytest

from pipebackend.base.errors import KeyFault
from pipebackend.dnsdata import tsig
from pipebackend.dnsdata.tsig import TsigKey
from tests.making import pdnsutil_of_gsqlite3

SECRET = base64.b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("name", ["Transfer.Example.", "transfer.example", "TRANSFER.EXAMPLE"])
@pytest.mark.parametrize("algorithm", ["hmac-sha256.", "HMAC-SHA256", "hmac-sha256"])
def test_names_and_algorithms_are_normalised(name, algorithm):
    assert tsig.checked(name, algorithm, SECRET) == TsigKey("transfer.example", "hmac-sha256", SECRET)


@pytest.mark.parametrize("algorithm", ["hmac-md5", "hmac-md5.sig-alg.reg.int.", "HMAC-MD5.SIG-ALG.REG.INT"])
def test_md5_has_two_names_and_powerdns_stores_the_short_one(algorithm):
    assert tsig.algorithm_from_text(algorithm) == "hmac-md5"


def test_an_unknown_algorithm_is_refused_with_the_choices():
    with pytest.raises(KeyFault, match=r"'hmac-sha3' is unknown; use one of hmac-md5, .*gss-tsig"):
        tsig.checked("k", "hmac-sha3", SECRET)


def test_blanks_in_a_secret_are_left_out():
    assert tsig.checked("k", "hmac-sha1", f" {SECRET[:20]} {SECRET[20:]}\n").secret == SECRET


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        ("", "the secret is empty"),
        ("   ", "the secret is empty"),
        ("not%%base", "not base64"),
        ("YWJj=", "not base64"),
        ("YWJ", "not base64"),
        ("YWJjé", "not base64"),
        ("A" * 256, "256 characters; 255 are the most"),
    ],
)
def test_a_bad_secret_is_refused_and_names_the_key(secret, reason):
    with pytest.raises(KeyFault, match=f"TSIG key transfer: .*{reason}") as caught:
        tsig.checked("Transfer.", "hmac-sha256", secret)
    assert "not%%base" not in str(caught.value)


@pytest.mark.parametrize("name", ["", ".", "a..b", "a" * 64])
def test_a_bad_name_is_refused(name):
    with pytest.raises(KeyFault, match="TSIG key"):
        tsig.checked(name, "hmac-sha256", SECRET)


def test_a_gss_key_is_a_name_without_secret():
    assert tsig.checked("host.example.", "gss-tsig.", "ignored") == TsigKey("host.example", "gss-tsig", "")
    with pytest.raises(KeyFault, match="has no secret to generate"):
        tsig.generate("host.example", "gss-tsig")


@pytest.mark.parametrize("algorithm", [name for name in tsig.ALGORITHMS if name != "gss-tsig"])
def test_a_generated_key_is_as_long_as_pdnsutils_and_never_the_same(algorithm):
    key, other = tsig.generate("K.", algorithm), tsig.generate("k", algorithm)
    assert (key.name, key.algorithm) == ("k", algorithm)
    assert len(base64.b64decode(key.secret)) == tsig.ALGORITHMS[algorithm]
    assert key.secret != other.secret
    assert tsig.checked(*key) == key


def test_the_secret_is_not_in_the_repr():
    assert SECRET not in repr(tsig.checked("k", "hmac-sha256", SECRET))


def test_pdnsutil_makes_secrets_of_the_same_length(tmp_path):
    """The lengths in the table are PowerDNS's own."""
    pdnsutil = pdnsutil_of_gsqlite3(tmp_path)
    for algorithm in ("hmac-md5", "hmac-sha224", "hmac-sha256", "hmac-sha512"):
        made = subprocess.run(
            [*pdnsutil, "generate-tsig-key", "k", algorithm], check=True, capture_output=True, text=True
        )
        assert len(base64.b64decode(made.stdout.split()[-1])) == tsig.ALGORITHMS[algorithm]
