"""Key pairs: what is made of them, compared with the examples of the RFCs, and what is refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from pipebackend.base.errors import KeyFault
from pipebackend.keys import algorithms, bindfile, keypair
from pipebackend.keys.keypair import KSK, ZSK, KeyPair

ECDSA, ED25519 = algorithms.ALGORITHMS[13], algorithms.ALGORITHMS[15]
GENERATED = [algorithm for algorithm in algorithms.ALGORITHMS.values() if algorithm.may_generate]


def pair_from(private, flags=KSK):
    read = bindfile.read(private)
    return KeyPair(read.algorithm, flags, read.private)


def test_the_ecdsa_example_of_rfc_6605_section_6_1():
    key = pair_from(
        "Private-key-format: v1.2\nAlgorithm: 13 (ECDSAP256SHA256)\n"
        "PrivateKey: GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ=\n"
    )
    assert key.key_tag == 55648
    assert key.ds("example.net").to_text() == (
        "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17"
    )


def test_the_ed25519_example_of_rfc_8080_section_6_1():
    key = pair_from(
        "Private-key-format: v1.2\nAlgorithm: 15 (ED25519)\nPrivateKey: ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI=\n"
    )
    assert key.dnskey.to_text(chunksize=0) == "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4="
    assert key.ds("Example.COM.").to_text() == (
        "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b"
    )


@pytest.mark.parametrize("algorithm", GENERATED, ids=lambda algorithm: algorithm.mnemonic)
def test_a_key_is_generated_with_the_algorithms_size(algorithm):
    key = keypair.generate(algorithm, ZSK)
    assert (key.algorithm, key.flags, key.bits) == (algorithm, ZSK, algorithm.default_bits)
    assert (key.dnskey.flags, key.dnskey.protocol, key.dnskey.algorithm) == (256, 3, algorithm.number)


def test_the_default_is_a_combined_key_of_ecdsap256sha256():
    key = keypair.generate()
    assert (key.algorithm.mnemonic, key.flags) == ("ecdsap256sha256", 257)
    assert key != keypair.generate()


def test_an_rsa_key_has_the_size_that_was_asked_for():
    assert keypair.generate(algorithms.from_text("rsasha256"), ZSK, 1024).bits == 1024


@pytest.mark.parametrize(
    ("algorithm", "bits", "reason"),
    [
        ("rsasha1", None, "too weak for new keys"),
        ("7", 2048, "too weak for new keys"),
        ("rsasha256", 1023, "1024 to 4096 is allowed"),
        ("rsasha512", 8192, "1024 to 4096 is allowed"),
        ("rsasha512", 0, "1024 to 4096 is allowed"),
        ("ed25519", 512, "256 is allowed"),
        ("ed448", 448, "456 is allowed"),
    ],
)
def test_a_key_that_should_not_be_made_is_refused(algorithm, bits, reason):
    with pytest.raises(KeyFault, match=reason):
        keypair.generate(algorithms.from_text(algorithm), KSK, bits)


@pytest.mark.parametrize("flags", [0, 1, 255, 258, 385, 65536])
def test_flags_that_are_no_zone_keys_are_refused(flags):
    with pytest.raises(KeyFault, match=f"flags {flags} are not a zone key's"):
        keypair.generate(ECDSA, flags)


@pytest.mark.parametrize(
    "private",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
        rsa.generate_private_key(65537, 1024),
    ],
    ids=["p384", "ed25519", "rsa"],
)
def test_a_private_key_of_another_algorithm_is_refused(private):
    with pytest.raises(KeyFault, match="the private key is no ecdsap256sha256 key"):
        KeyPair(ECDSA, KSK, private)


def test_the_same_private_key_makes_the_same_pair_and_flags_make_another():
    private = ed25519.Ed25519PrivateKey.generate()
    assert KeyPair(ED25519, KSK, private) == KeyPair(ED25519, KSK, private)
    assert KeyPair(ED25519, KSK, private) != KeyPair(ED25519, ZSK, private)


def test_cds_and_cdnskey_repeat_ds_and_dnskey():
    key = keypair.generate()
    assert key.cdnskey.to_text() == key.dnskey.to_text()
    for digest in keypair.DIGESTS:
        assert key.cds("airports.aa", digest).to_text() == key.ds("AIRPORTS.aa.", digest.upper()).to_text()
    assert key.ds("airports.aa", "sha384").digest_type == 4


@pytest.mark.parametrize("digest", ["sha1", "", "2", "sha512"])
def test_an_unknown_digest_is_refused(digest):
    with pytest.raises(KeyFault, match="use sha256 or sha384"):
        keypair.generate().ds("airports.aa", digest)


def test_the_private_key_is_not_in_the_repr():
    assert "private" not in repr(keypair.generate())
