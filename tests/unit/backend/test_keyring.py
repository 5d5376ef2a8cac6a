"""Keys and settings of a zone: what the store holds, what a kind of zone demands, what stays when the store is lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipebackend.backend.keyring import MAX_KEYS, Keyring
from pipebackend.base.errors import KeyFault, MetadataFault, StoreFault
from pipebackend.keys import bindfile, keypair
from pipebackend.store import open_store

APEX = "airports.aa"


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    store = open_store("sqlite:zones.db", tmp_path)
    yield Keyring(store)
    store.close()


@pytest.fixture(scope="module")
def content() -> str:
    key = keypair.generate()
    return bindfile.write(bindfile.PrivateText(key.algorithm, key.private, ()))


def test_without_a_store_nothing_is_known_and_nothing_can_be_written(content: str) -> None:
    keyring = Keyring(None)
    assert (dict(keyring.metadata(APEX, None)), list(keyring.keys(APEX)), keyring.tsig_key("k")) == ({}, [], None)
    assert not keyring.commit()
    with pytest.raises(StoreFault, match=r"the built-in configuration has no store"):
        keyring.add_key(APEX, 1, 257, True, True, content)


def test_keys_are_added_changed_and_removed(keyring: Keyring, content: str) -> None:
    ident = keyring.add_key(APEX, 10_001, 257, True, True, content)
    keyring.set_key_active(APEX, ident, False)
    keyring.set_key_published(APEX, ident, False)
    (key,) = keyring.keys(APEX)
    assert (key.id, key.flags, key.active, key.published, key.content) == (ident, 257, False, False, content)
    keyring.remove_key(APEX, ident)
    assert list(keyring.keys(APEX)) == []
    with pytest.raises(KeyFault, match=rf"zone {APEX} has no key with the id {ident}"):
        keyring.remove_key(APEX, ident)


@pytest.mark.parametrize(("flags", "text"), [(0, None), (258, None), (257, "nonsense")])
def test_what_is_no_key_is_refused(keyring: Keyring, content: str, flags: int, text: str | None) -> None:
    with pytest.raises(KeyFault, match=APEX):
        keyring.add_key(APEX, 10_001, flags, True, True, text or content)
    assert list(keyring.keys(APEX)) == []


def test_a_zone_has_at_most_so_many_keys(keyring: Keyring, content: str) -> None:
    for _ in range(MAX_KEYS):
        keyring.store.add_key(APEX, 10_001, 256, False, False, content)
    with pytest.raises(KeyFault, match=f"{APEX} has {MAX_KEYS} keys"):
        keyring.add_key(APEX, 10_001, 256, True, True, content)


def test_a_malformed_setting_is_refused(keyring: Keyring) -> None:
    with pytest.raises(MetadataFault, match="NSEC3PARAM"):
        keyring.set_metadata(APEX, 10_001, "NSEC3PARAM", ["1 0 0 zz"])
    assert keyring.metadata(APEX, None) == {}


LOSSES = pytest.mark.parametrize("loss", ["removed", "garbage", "empty", "folder"])


def lose(store: Path, loss: str) -> None:
    for file in store.parent.glob("zones.db*"):
        file.unlink()
    if loss == "garbage":
        store.write_bytes(b"no database " * 1000)
    elif loss == "empty":
        store.touch()
    elif loss == "folder":
        store.mkdir()


@LOSSES
def test_a_signed_zone_stays_signed_when_its_store_is_lost(
    keyring: Keyring, content: str, capfd: pytest.CaptureFixture[str], loss: str
) -> None:
    """Without its keys a zone that has a DS would be bogus for every validator."""
    keyring.add_key(APEX, 10_001, 257, True, True, content)
    keyring.set_metadata(APEX, 10_001, "NSEC3PARAM", ["1 0 0 -"])
    before = list(keyring.keys(APEX)), dict(keyring.metadata(APEX, None))
    lose(Path(keyring.store.path), loss)
    for _ in range(3):
        assert (list(keyring.keys(APEX)), dict(keyring.metadata(APEX, None))) == before
    log = capfd.readouterr().err
    assert log.count("what was read from it before stays in force") == 1


@LOSSES
def test_a_signed_zone_without_settings_stays_so_when_its_store_is_lost(
    keyring: Keyring, content: str, capfd: pytest.CaptureFixture[str], loss: str
) -> None:
    """That there are none is known, too."""
    keyring.add_key(APEX, 10_001, 257, True, True, content)
    for turn in range(3):
        assert keyring.keys(APEX)
        assert keyring.metadata(APEX, None) == {}
        if turn == 0:
            lose(Path(keyring.store.path), loss)
    assert capfd.readouterr().err.count("what was read from it before stays in force") == 1


def test_a_removed_key_is_not_remembered(keyring: Keyring, content: str) -> None:
    ident = keyring.add_key(APEX, 10_001, 257, True, True, content)
    assert keyring.keys(APEX)
    keyring.remove_key(APEX, ident)
    assert list(keyring.keys(APEX)) == []


def test_a_process_that_never_read_a_damaged_store_does_not_guess(tmp_path: Path) -> None:
    (tmp_path / "zones.db").write_bytes(b"no database " * 1000)
    keyring = Keyring(open_store("sqlite:zones.db", tmp_path))
    with pytest.raises(StoreFault, match=r"zones\.db"):
        keyring.keys(APEX)
