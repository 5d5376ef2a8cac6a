"""zoneutil key: what an operator does with keys, and everything that must be refused with the store as it was."""

from __future__ import annotations

import base64
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipebackend.backend.keyring import MAX_KEYS
from pipebackend.dnsdata import names
from pipebackend.keys import algorithms, bindfile, keyfiles, keypair
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.keypair import KSK, ZSK
from pipebackend.store import open_store

ZONE = "cities.example"
QUOTED = r"0/25\.x.example"
TIMED = "Created: 20261122000154\nPublish: 20261123000154\n"


def pair_of(algorithm="ecdsap256sha256", flags=KSK):
    pair = keypair.generate(algorithms.from_text(algorithm), flags)
    return pair, PrivateText(pair.algorithm, pair.private)


def key_files(folder, zone=ZONE, flags=KSK, algorithm="ecdsap256sha256"):
    """The .private file of a new key, whose .key file is beside it."""
    pair, text = pair_of(algorithm, flags)
    private, _public = keyfiles.save(keyfiles.exported(names.from_text(zone), pair, text), str(folder))
    return private


def lone_file(folder, name="some.private", **kind):
    """A .private file whose name tells nothing, and nothing beside it."""
    path = folder / name
    path.write_text(bindfile.write(pair_of(**kind)[1]))
    return path


def ids(zoneutil, zone=ZONE):
    return [key["id"] for key in zoneutil.good("key", "list", zone, "--json").json]


def test_a_zone_without_keys_has_an_empty_list(zoneutil):
    assert zoneutil.good("key", "list", ZONE, "--json").json == []
    done = zoneutil.good("key", "list", ZONE)
    assert (done.out, done.err) == ("", f"zone {ZONE} has no keys\n")
    assert not zoneutil.store.exists()  # looking makes nothing


def test_a_new_key_is_a_csk_of_ecdsa_p256_that_signs(zoneutil):
    [key] = [zoneutil.good("key", "generate", ZONE, "--json").json]
    assert 0 <= key.pop("tag") <= 0xFFFF
    assert key == {
        "id": 1,
        "role": "CSK",
        "flags": 257,
        "algorithm": "ecdsap256sha256",
        "bits": 256,
        "active": True,
        "published": True,
        "times": {},
        "fault": None,
    }


def test_the_table_lines_up_and_has_no_escape_codes_in_a_pipe(zoneutil):
    zoneutil.good("key", "generate", ZONE, "--algorithm", "rsasha256")
    zoneutil.good("key", "generate", ZONE, "--algorithm", "ed25519", "--inactive")
    heading, *lines = zoneutil.good("key", "list", ZONE).out.splitlines()
    assert heading.split() == ["id", "role", "flags", "algorithm", "bits", "tag", "active", "published"]
    assert [line.split()[:5] for line in lines] == [
        ["1", "CSK", "257", "rsasha256", "2048"],
        ["2", "CSK", "257", "ed25519", "256"],
    ]
    assert [line.split()[6:] for line in lines] == [["yes", "yes"], ["no", "yes"]]
    for column in ("role", "flags", "algorithm", "bits", "tag", "active", "published"):
        at = heading.index(column)
        assert all(line[at - 1] == " " and line[at] != " " for line in lines)
    assert "\x1b" not in zoneutil.everything


@pytest.mark.parametrize("name", [a.mnemonic for a in algorithms.ALGORITHMS.values() if a.may_generate])
def test_every_algorithm_that_is_still_good_is_made(zoneutil, name):
    key = zoneutil.good("key", "generate", ZONE, "--zsk", "--algorithm", name.upper(), "--json").json
    assert (key["algorithm"], key["flags"]) == (name, 256)


def test_algorithms_go_by_number_too(zoneutil):
    assert zoneutil.good("key", "generate", ZONE, "--algorithm", 15, "--json").json["algorithm"] == "ed25519"


@pytest.mark.parametrize(("name", "why"), [("rsasha1", "too weak"), ("dsa", "is unknown"), ("12", "not supported")])
def test_other_algorithms_are_refused(zoneutil, name, why):
    assert why in zoneutil.refused("key", "generate", ZONE, "--algorithm", name)


def test_roles_are_what_powerdns_uses_the_keys_for(zoneutil):
    """A key is a CSK unless the zone has active keys of both kinds with its algorithm, as `pdnsutil list-keys` says."""

    def roles():
        return [key["role"] for key in zoneutil.good("key", "list", ZONE, "--json").json]

    zoneutil.good("key", "generate", ZONE, "--ksk")
    assert roles() == ["CSK"]
    zoneutil.good("key", "generate", ZONE, "--zsk", "--inactive")
    assert roles() == ["CSK", "CSK"]
    zoneutil.good("key", "activate", ZONE, 2)
    assert roles() == ["KSK", "ZSK"]
    zoneutil.good("key", "generate", ZONE, "--zsk", "--algorithm", "ed25519")
    assert roles() == ["KSK", "ZSK", "CSK"]
    zoneutil.good("key", "deactivate", ZONE, 1)
    assert roles() == ["CSK", "CSK", "CSK"]


@pytest.mark.parametrize(
    ("command", "column", "value"),
    [("deactivate", "active", False), ("unpublish", "published", False)],
)
def test_keys_are_switched_off_and_on(zoneutil, command, column, value):
    zoneutil.good("key", "generate", ZONE)
    assert zoneutil.good("key", command, ZONE, 1, "--json").json[column] is value
    assert zoneutil.good("key", command.replace("de", "").replace("un", ""), ZONE, 1, "--json").json[column] is True


def test_who_deactivates_the_last_active_key_is_told_what_that_means(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    zoneutil.good("key", "generate", ZONE)
    assert zoneutil.good("key", "deactivate", ZONE, 1).err == ""
    assert "no active key left" in zoneutil.good("key", "deactivate", ZONE, 2).err


@pytest.mark.parametrize("spelling", ["CITIES.example", "cities.example.", r"c\105ties.Example", r"\099ities.example."])
def test_names_may_be_written_in_any_way(zoneutil, spelling):
    zoneutil.good("key", "secure", spelling)
    assert ids(zoneutil) == [1]


def test_deleting_one_of_two_active_keys_does_not_ask(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    zoneutil.good("key", "generate", ZONE)
    zoneutil.good("key", "delete", ZONE, 1)
    assert ids(zoneutil) == [2]


@pytest.mark.parametrize("answer", ["", "n\n", "\n"])
def test_deleting_the_last_key_asks_and_no_is_the_default(zoneutil, answer):
    zoneutil.good("key", "generate", ZONE, "--inactive")
    assert "the last key" in zoneutil.refused("key", "delete", ZONE, 1, answer=answer)


def test_deleting_the_last_active_key_asks(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    zoneutil.good("key", "generate", ZONE, "--inactive")
    assert "the last active key" in zoneutil.refused("key", "delete", ZONE, 1, answer="n\n")
    zoneutil.good("key", "delete", ZONE, 1, answer="y\n")
    zoneutil.good("key", "delete", ZONE, 2, "--yes")
    assert ids(zoneutil) == []


def test_secure_makes_one_key_and_nsec(zoneutil):
    key = zoneutil.good("key", "secure", ZONE, "--json").json
    assert (key["role"], key["algorithm"], key["active"], key["published"]) == ("CSK", "ecdsap256sha256", True, True)
    assert zoneutil.good("meta", "list", ZONE, "--json").json == {}


def test_a_zone_is_secured_once(zoneutil):
    zoneutil.good("key", "secure", ZONE)
    assert f"zone {ZONE} has keys already" in zoneutil.refused("key", "secure", ZONE)


def test_a_zone_that_was_signed_elsewhere_is_not_secured(zoneutil):
    zoneutil.good("meta", "set", ZONE, "PRESIGNED", 1)
    assert "PRESIGNED" in zoneutil.refused("key", "secure", ZONE)


def test_unsecure_asks_and_then_leaves_nothing_of_signing(zoneutil):
    zoneutil.good("key", "secure", ZONE)
    zoneutil.good("key", "generate", ZONE, "--inactive")
    zoneutil.good("zone", "nsec3", ZONE, "--narrow")
    zoneutil.good("meta", "set", ZONE, "ALSO-NOTIFY", "192.0.2.1")
    assert "has 2 keys" in zoneutil.refused("key", "unsecure", ZONE)
    zoneutil.good("key", "unsecure", ZONE, "--yes")
    assert ids(zoneutil) == []
    assert zoneutil.good("meta", "list", ZONE, "--json").json == {"ALSO-NOTIFY": ["192.0.2.1"]}


def test_unsecure_of_an_unsigned_zone_does_nothing(zoneutil):
    zoneutil.good("key", "unsecure", ZONE)
    assert not zoneutil.store.exists()


def test_ds_is_of_the_active_keys_that_sign_keys_in_both_digests(zoneutil):
    zoneutil.good("key", "generate", ZONE, "--ksk")
    zoneutil.good("key", "generate", ZONE, "--zsk")
    zoneutil.good("key", "generate", ZONE, "--ksk", "--inactive")
    exported = zoneutil.good("key", "export", ZONE, 1).out
    text = bindfile.read(exported)
    pair = keypair.KeyPair(text.algorithm, KSK, text.private)
    lines = zoneutil.good("key", "ds", ZONE).out.splitlines()
    assert lines == [f"{ZONE}. IN DS {pair.ds(ZONE, digest)}" for digest in ("sha256", "sha384")]
    found = zoneutil.good("key", "ds", ZONE, "--json").json
    assert [(ds["zone"], ds["key"], ds["tag"], ds["algorithm"], ds["digest_type"]) for ds in found] == [
        (f"{ZONE}.", 1, pair.key_tag, 13, 2),
        (f"{ZONE}.", 1, pair.key_tag, 13, 4),
    ]
    assert [ds["digest"] for ds in found] == [line.split()[-1] for line in lines]


@pytest.mark.parametrize("words", [(), ("--inactive",)])
def test_without_an_active_key_there_is_no_ds(zoneutil, words):
    if words:
        zoneutil.good("key", "generate", ZONE, *words)
    assert "no active KSK or CSK" in zoneutil.refused("key", "ds", ZONE)
    assert zoneutil("key", "ds", ZONE, "--json")[:2] == (1, "[]\n")


def test_an_exported_key_comes_back_the_same(zoneutil):
    for words in (["--zsk", "--algorithm", "rsasha512"], ["--ksk"]):
        zoneutil.good("key", "generate", ZONE, *words)
    before = zoneutil.good("key", "list", ZONE, "--json").json
    paths = [zoneutil.good("key", "export", ZONE, n, "--directory", zoneutil.folder, "--json").json for n in (1, 2)]
    zoneutil.good("key", "unsecure", ZONE, "--yes")
    for private, _public in paths:
        zoneutil.good("key", "import", ZONE, private)
    after = zoneutil.good("key", "list", ZONE, "--json").json
    assert [key | {"id": 0} for key in after] == [key | {"id": 0} for key in before]


def test_exported_files_are_private_and_never_overwrite(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    private, public = zoneutil.good("key", "export", ZONE, 1, "--directory", zoneutil.folder).out.splitlines()
    assert stat.S_IMODE(os.stat(private).st_mode) == 0o600
    assert f"{ZONE}. IN DNSKEY 257 3 13 " in Path(public).read_text()
    assert "File exists" in zoneutil.refused("key", "export", ZONE, 1, "--directory", zoneutil.folder)
    os.unlink(private)
    assert "File exists" in zoneutil.refused("key", "export", ZONE, 1, "--directory", zoneutil.folder)
    assert not os.path.exists(private)  # both files or none


def test_a_folder_that_is_not_there_is_told(zoneutil):
    zoneutil.good("key", "generate", ZONE)
    assert "No such file" in zoneutil.refused("key", "export", ZONE, 1, "--directory", zoneutil.folder / "none")


def test_a_zone_name_with_a_slash_stays_in_the_folder(zoneutil):
    zoneutil.good("key", "secure", QUOTED)
    private, public = zoneutil.good("key", "export", QUOTED, 1, "--directory", zoneutil.folder, "--json").json
    assert os.path.dirname(private) == str(zoneutil.folder)
    assert os.path.basename(private).startswith("K0%2F25%2Ex.example.+013+")
    before = zoneutil.good("key", "list", QUOTED, "--json").json
    zoneutil.good("key", "unsecure", QUOTED, "--yes")
    [after] = [zoneutil.good("key", "import", QUOTED, private, "--json").json]
    assert [after | {"id": 1}] == before
    assert os.path.exists(public)


@pytest.mark.parametrize("flags", [KSK, ZSK])
@pytest.mark.parametrize("has_public", [True, False])
def test_the_kind_of_an_imported_key_is_found_out(zoneutil, flags, has_public):
    """From the .key file, or from the tag in the name of the file."""
    path = key_files(zoneutil.folder, flags=flags)
    if not has_public:
        os.unlink(path.removesuffix("private") + "key")
    assert zoneutil.good("key", "import", ZONE, path, "--json").json["flags"] == flags
    zoneutil.good("key", "unsecure", ZONE, "--yes")
    wrong, right = ("--zsk", "KSK") if flags == KSK else ("--ksk", "ZSK")
    assert f"was made as a {right}" in zoneutil.refused("key", "import", ZONE, path, wrong)


@pytest.mark.parametrize(("words", "flags"), [((), 257), (("--ksk",), 257), (("--zsk",), 256)])
def test_the_kind_of_a_key_that_does_not_tell_is_given(zoneutil, words, flags):
    path = lone_file(zoneutil.folder)
    assert zoneutil.good("key", "import", ZONE, path, *words, "--json").json["flags"] == flags


def test_imported_keys_may_wait(zoneutil):
    path = lone_file(zoneutil.folder)
    key = zoneutil.good("key", "import", ZONE, path, "--inactive", "--unpublished", "--json").json
    assert (key["active"], key["published"]) == (False, False)


def test_times_of_imported_keys_are_kept_and_shown(zoneutil):
    path = zoneutil.folder / "timed"
    path.write_text(bindfile.write(pair_of()[1]).replace("v1.2", "v1.3") + TIMED)
    key = zoneutil.good("key", "import", ZONE, path, "--json").json
    assert key["times"] == {"Created": "2026-11-22T00:01:54Z", "Publish": "2026-11-23T00:01:54Z"}
    assert "Publish 2026-11-23T00:01:54Z" in zoneutil.good("key", "list", ZONE).out
    assert zoneutil.good("key", "export", ZONE, 1).out == path.read_text()


def test_sha1_keys_are_still_imported(zoneutil):
    path = zoneutil.folder / "old"
    text = bindfile.write(pair_of("rsasha256")[1])
    path.write_text(text.replace("8 (RSASHA256)", "5 (RSASHA1)"))
    assert zoneutil.good("key", "import", ZONE, path, "--json").json["algorithm"] == "rsasha1"


def test_a_key_is_imported_once(zoneutil):
    path = lone_file(zoneutil.folder)
    zoneutil.good("key", "import", ZONE, path)
    assert f"{path}: zone {ZONE} has this key already, with the id 1" in zoneutil.refused("key", "import", ZONE, path)


def test_a_private_key_that_does_not_fit_its_dnskey_is_refused(zoneutil):
    path = key_files(zoneutil.folder)
    lone_file(zoneutil.folder, os.path.basename(path))
    assert f"{path.removesuffix('private')}key: the private key does not fit" in zoneutil.refused(
        "key", "import", ZONE, path
    )
    os.unlink(path.removesuffix("private") + "key")
    assert f"{path}: the key is not the one" in zoneutil.refused("key", "import", ZONE, path)


def test_a_private_key_that_does_not_fit_its_algorithm_is_refused(zoneutil):
    path = zoneutil.folder / "bad.private"
    path.write_text(bindfile.write(pair_of("ed25519")[1]).replace("15 (ED25519)", "16 (ED448)"))
    assert f"{path}, line 3: PrivateKey has 32 octets" in zoneutil.refused("key", "import", ZONE, path)
    path.write_text(bindfile.write(pair_of("ed25519")[1]).replace("15 (ED25519)", "8 (RSASHA256)"))
    assert f"{path}: Modulus is missing" in zoneutil.refused("key", "import", ZONE, path)


@pytest.mark.parametrize("algorithm", ["rsasha256", "ecdsap384sha384"])
def test_a_file_that_was_cut_short_anywhere_is_refused_or_whole(zoneutil, algorithm):
    text = bindfile.write(pair_of(algorithm)[1])
    path = zoneutil.folder / "cut.private"
    for size in range(0, len(text) - 1, 97):
        path.write_text(text[:size])
        assert f"zoneutil: {path}" in zoneutil.refused("key", "import", ZONE, path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\0" * 200_000, b"", b"not a key", b"a: b\n" * 50_000])
def test_files_that_are_no_key_are_refused(zoneutil, content):
    path = zoneutil.folder / "noise"
    path.write_bytes(content)
    assert f"zoneutil: {path}" in zoneutil.refused("key", "import", ZONE, path)


@pytest.mark.parametrize(("name", "why"), [("none", "No such file"), (".", "Is a directory")])
def test_files_that_cannot_be_read_are_named(zoneutil, name, why):
    path = zoneutil.folder / name
    assert f"{path}: cannot be read: {why}" in zoneutil.refused("key", "import", ZONE, path)


@pytest.mark.parametrize("has_public", [True, False])
def test_a_key_of_another_zone_is_refused(zoneutil, has_public):
    path = key_files(zoneutil.folder, "other.example")
    if not has_public:
        os.unlink(path.removesuffix("private") + "key")
    assert f"a key of zone other.example, not of {ZONE}" in zoneutil.refused("key", "import", ZONE, path)


@pytest.mark.parametrize(
    "words",
    [
        ("list",),
        ("generate",),
        ("secure",),
        ("unsecure", "--yes"),
        ("ds",),
        ("delete", "1", "--yes"),
        ("export", "1"),
        ("activate", "1"),
    ],
)
@pytest.mark.parametrize(
    "zone", ["other.example", "example", "sub.cities.example", "", "a/b", "../../etc/passwd", "a..b"]
)
def test_a_zone_that_is_not_ours_is_refused(zoneutil, words, zone):
    command, *rest = words
    message = zoneutil.refused("key", command, zone, *rest)
    if ".." in zone:
        assert f"name {zone!r} has an empty label" in message
    else:
        assert f"there is no zone {zone}" in message
        assert "pdnsutil" in message
    assert not zoneutil.store.exists()


@pytest.mark.parametrize("command", ["export", "activate", "deactivate", "publish", "unpublish", "delete"])
@pytest.mark.parametrize("key_id", [0, 2, 99, -1, 2**31, 10**30])
def test_ids_that_do_not_exist_are_refused(zoneutil, command, key_id):
    zoneutil.good("key", "generate", ZONE)
    message = zoneutil.refused("key", command, ZONE, "--", key_id)
    assert message == f"zoneutil: zone {ZONE} has no key with the id {key_id}; its keys have the ids 1\n"


def test_ids_of_other_zones_are_refused(zoneutil):
    zoneutil.good("key", "secure", ZONE)
    assert "it has no keys" in zoneutil.refused("key", "delete", QUOTED, 1, "--yes")


def test_two_hundred_keys_are_too_many(zoneutil):
    """More would not fit the largest DNS message; the limit is told, and what to do."""
    content = bindfile.write(pair_of()[1])
    store = open_store("sqlite:zones.db", zoneutil.folder)
    store.begin()
    for _ in range(MAX_KEYS):
        store.add_key(ZONE, 7, 257, True, True, content)
    store.commit()
    store.close()
    expected = f"zoneutil: zone {ZONE} has {MAX_KEYS} keys; delete old ones first\n"
    assert zoneutil.refused("key", "generate", ZONE) == expected
    assert zoneutil.refused("key", "import", ZONE, lone_file(zoneutil.folder)) == expected


def test_a_stored_text_that_is_no_key_is_shown_and_can_be_deleted(zoneutil):
    """Other programs write the same tables: such a row must not hide the others."""
    store = open_store("sqlite:zones.db", zoneutil.folder)
    store.add_key(ZONE, 7, 257, True, True, "Private-key-format: v1.2\nAlgorithm: 99\n")
    store.add_key(ZONE, 7, 1, True, True, bindfile.write(pair_of()[1]))
    store.close()
    zoneutil.good("key", "generate", ZONE)
    done = zoneutil.good("key", "list", ZONE)
    assert [line.split()[1] for line in done.out.splitlines()[1:]] == ["-", "-", "CSK"]
    assert f"zone {ZONE}, key 1, line 2: Algorithm: " in done.err
    assert f"zone {ZONE}, key 2: flags 1 are not" in done.err
    assert f"zone {ZONE}, key 1, line 2" in zoneutil.refused("key", "export", ZONE, 1)
    assert len(zoneutil.good("key", "ds", ZONE).out.splitlines()) == 2
    zoneutil.good("key", "delete", ZONE, 1)
    zoneutil.good("key", "delete", ZONE, 2)
    assert ids(zoneutil) == [3]


def test_private_keys_are_printed_by_export_alone(zoneutil):
    path = key_files(zoneutil.folder, algorithm="rsasha256")
    zoneutil.good("key", "import", ZONE, path)
    zoneutil("key", "import", ZONE, path)
    for words in (
        ("key", "list", ZONE),
        ("key", "list", ZONE, "--json"),
        ("key", "ds", ZONE),
        ("key", "deactivate", ZONE, 1),
        ("key", "export", ZONE, 1, "--directory", zoneutil.folder / "none"),
        ("key", "delete", ZONE, 1),
        ("meta", "list", ZONE),
        ("store", "dump"),
        ("store", "dump", "--json"),
        ("store", "check"),
    ):
        zoneutil(*words)
    lines = Path(path).read_text().splitlines()
    secret = [line.partition(": ")[2] for line in lines if not line.startswith(("Private-key", "Algorithm", "Pub"))]
    assert len(secret) == 7
    assert not [value for value in secret if value in zoneutil.everything]
    assert all(value in zoneutil.good("key", "export", ZONE, 1).out for value in secret)


def test_exported_keys_hide_their_private_part_in_a_traceback():
    pair, text = pair_of()
    exported = keyfiles.exported(ZONE, pair, text)
    secret = exported.private.partition("PrivateKey: ")[2].strip()
    assert secret not in repr(exported) + repr(pair) + repr(text)


def test_a_full_disk_leaves_the_store_as_it_was(zoneutil):
    """The limit on the size of files makes every write fail that would let the log of the store grow."""
    zoneutil.good("key", "secure", ZONE)
    before = zoneutil.contents()
    program = (
        "import resource, sys; from pipebackend.cli.main import main;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv[0] = 'zoneutil'; main()"
    )
    words = ["--config", zoneutil.folder / "pipebackend.toml", "key", "generate", ZONE, "--algorithm", "rsasha256"]
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"zoneutil: store {zoneutil.store}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert zoneutil.contents() == before
    zoneutil.good("key", "generate", ZONE)


HMAC_FILES = {
    "key block": ('key "k" {\n\talgorithm hmac-sha256;\n\tsecret "AAAA";\n};\n', "zoneutil tsig import"),
    "knot": ("key:\n  - id: k\n    algorithm: hmac-sha256\n    secret: AAAA\n", "zoneutil tsig import"),
    "KEY": ("k. IN KEY 512 3 157 AAAA\n", "zoneutil tsig import"),
    "private": ("Private-key-format: v1.2\nAlgorithm: 157 (HMAC_MD5)\nKey: AAAA\nBits: AAA=\n", "zoneutil tsig import"),
    "dnskey": ("example. IN DNSKEY 257 3 13 AAAA\n", "give the .private file of a key"),
    "certificate": ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "PEM with no private key"),
    "encrypted": ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n", "openssl pkey"),
    "broken pem": ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "copy the file again"),
}


@pytest.mark.parametrize("kind", HMAC_FILES)
def test_another_kind_of_key_says_what_to_do_instead(zoneutil, tmp_path, kind):
    text, advice = HMAC_FILES[kind]
    (tmp_path / "some.file").write_text(text)
    assert advice in zoneutil.refused("key", "import", ZONE, tmp_path / "some.file")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_key_saved_by_an_editor_of_windows_is_read(zoneutil, tmp_path, encoding):
    path = lone_file(tmp_path)
    text = path.read_text()
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    zoneutil.good("key", "import", ZONE, path)
    assert zoneutil.good("key", "export", ZONE, 1).out == text


def test_a_key_without_its_leading_zeros_is_taken_if_the_public_key_proves_it(zoneutil, tmp_path):
    """Old BIND, ldns and PowerDNS write a number without its leading zeros; a text cut short looks the same."""
    private = keypair.KeyPair(algorithms.from_number(13), KSK, ec.derive_private_key(0xF00D << 216, ec.SECP256R1()))
    files = keyfiles.exported(ZONE, private, PrivateText(private.algorithm, private.private))
    whole = files.private.partition("PrivateKey: ")[2].strip()
    octets = base64.b64decode(whole)
    short = files.private.replace(whole, base64.b64encode(octets.lstrip(b"\0")).decode())
    assert (len(octets), len(octets.lstrip(b"\0"))) == (32, 29)
    (tmp_path / "lone.private").write_text(short)
    assert "put the .key file of the key beside it" in zoneutil.refused(
        "key", "import", ZONE, tmp_path / "lone.private"
    )
    (tmp_path / "lone.key").write_text(files.public)
    assert zoneutil.good("key", "import", ZONE, tmp_path / "lone.private", "--json").json["tag"] == private.key_tag
    zoneutil.good("key", "delete", ZONE, 1, "--yes")
    (tmp_path / f"{files.name}.private").write_text(short)
    zoneutil.good("key", "import", ZONE, tmp_path / f"{files.name}.private")
    assert zoneutil.good("key", "export", ZONE, 1).out == files.private


PEM_FORMS = {
    "pkcs8": serialization.PrivateFormat.PKCS8,
    "traditional": serialization.PrivateFormat.TraditionalOpenSSL,
}


@pytest.mark.parametrize("form", PEM_FORMS)
@pytest.mark.parametrize("name", [a.mnemonic for a in algorithms.ALGORITHMS.values() if a.may_generate])
def test_a_key_in_pem_is_the_same_key(zoneutil, tmp_path, name, form):
    pair, text = pair_of(name)
    is_edwards = name.startswith("ed")
    kind = PEM_FORMS["pkcs8" if is_edwards else form]
    pem = pair.private.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    before = (
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"  # openssl ecparam -genkey
    )
    (tmp_path / "key.pem").write_bytes(before + pem if form == "traditional" else pem)
    words = ["--algorithm", name] if name == "rsasha512" else []
    key = zoneutil.good("key", "import", ZONE, tmp_path / "key.pem", *words, "--json").json
    assert (key["tag"], key["algorithm"], key["flags"]) == (pair.key_tag, name, 257)
    assert zoneutil.good("key", "export", ZONE, key["id"]).out == bindfile.write(text)


@pytest.mark.parametrize("curve", [ec.SECP256K1(), ec.SECP521R1()], ids=lambda curve: curve.name)
def test_a_pem_key_of_no_algorithm_of_dnssec_is_refused(zoneutil, tmp_path, curve):
    pem = ec.generate_private_key(curve).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(pem)
    assert f"no algorithm for the curve {curve.name}" in zoneutil.refused("key", "import", ZONE, tmp_path / "key.pem")


def test_an_algorithm_that_the_key_is_not_of_is_refused(zoneutil, tmp_path):
    (tmp_path / "key.pem").write_text(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIDgyMjYwMzg0NjI4MDgwMTIyNjQ1MTkwMjA0MTQyMjYy\n"
        "-----END PRIVATE KEY-----\n"
    )  # of Ed25519, its seed in digits
    refused = zoneutil.refused("key", "import", ZONE, tmp_path / "key.pem", "--algorithm", "rsasha256")
    assert "this is a key of ed25519, not of rsasha256; leave out --algorithm" in refused
    refused = zoneutil.refused("key", "import", ZONE, lone_file(tmp_path), "--algorithm", "rsasha256")
    assert "this is a key of ecdsap256sha256; leave out --algorithm" in refused


@pytest.mark.parametrize(("curve", "size"), [(ec.SECP256R1(), 32), (ec.SECP384R1(), 48)], ids=["P-256", "P-384"])
@pytest.mark.parametrize("length", [-1, 0, 1])
def test_a_pem_key_of_gnutls_may_have_a_zero_too_many(zoneutil, tmp_path, curve, size, length):
    """Knot's keymgr writes half of its ECDSA keys so; OpenSSL reads them, cryptography does not."""
    number = (0x5A << 8 * (size - 2)) + 7
    octets = number.to_bytes(size + length)
    oid = bytes.fromhex("06082a8648ce3d030107" if size == 32 else "06052b81040022")
    inner = b"\x02\x01\x01\x04" + bytes([len(octets)]) + octets
    inner = b"\x30" + bytes([len(inner)]) + inner
    kind = bytes.fromhex("06072a8648ce3d0201") + oid
    body = b"\x02\x01\x00\x30" + bytes([len(kind)]) + kind + b"\x04" + bytes([len(inner)]) + inner
    der = base64.b64encode(b"\x30" + bytes([len(body)]) + body).decode()
    (tmp_path / "key.pem").write_text(f"-----BEGIN PRIVATE KEY-----\n{der}\n-----END PRIVATE KEY-----\n")
    zoneutil.good("key", "import", ZONE, tmp_path / "key.pem")
    assert base64.b64encode(number.to_bytes(size)).decode() in zoneutil.good("key", "export", ZONE, 1).out
