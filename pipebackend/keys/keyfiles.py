"""A DNSSEC key as two files, ``K….private`` and ``K….key``, as dnssec-keygen and ldns-keygen make them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pipebackend.base.errors import KeyFault
from pipebackend.keys import bindfile, filename, keytext, pemfile, publicfile
from pipebackend.keys.algorithms import Algorithm
from pipebackend.keys.bindfile import PrivateText
from pipebackend.keys.filename import KeyFileName
from pipebackend.keys.keypair import KSK, ZSK, KeyPair

__all__ = ["ExportedKey", "exported", "load", "save"]

_PRIVATE_MODE = 0o600
_PUBLIC_MODE = 0o644
_ROLES = {KSK: "KSK", ZSK: "ZSK"}


@dataclass(frozen=True, slots=True)
class ExportedKey:
    """A key as files: their name without suffix, and the text of each."""

    name: str
    private: str
    public: str

    def __repr__(self) -> str:
        return f"ExportedKey(name={self.name!r})"


def load(path: str, apex: str, flags: int | None, algorithm: Algorithm | None = None) -> tuple[KeyPair, PrivateText]:
    """The key pair in the private-key file ``path``, and the text with its times; KeyFault if it is not of ``apex``.

    Its flags are those of the ``.key`` file beside it, else what the key tag in the name of the file shows, else
    ``flags``, else a KSK's. ``algorithm`` is for RSA keys in PEM, which do not tell it.
    """
    private = _private(path, algorithm)
    pair = _public_pair(path, apex, private) or _named_pair(path, apex, private)
    if pair is None:
        if private.missing > 1:  # a key in 65,536 has two zeros; more often a text is cut short
            raise KeyFault(
                f"{path}: PrivateKey is {private.missing} octets shorter than a key of {private.algorithm.mnemonic}; "
                "put the .key file of the key beside it, which shows whether only zeros are missing"
            )
        return KeyPair(private.algorithm, flags or KSK, private.private), private
    if flags not in (None, pair.flags):
        raise KeyFault(f"{path}: this key was made as a {_ROLES[pair.flags]}; import it as one")
    return pair, private


def exported(apex: str, pair: KeyPair, private: PrivateText) -> ExportedKey:
    """The files of a key."""
    name = filename.to_text(KeyFileName(apex, pair.algorithm, pair.key_tag))
    return ExportedKey(name, bindfile.write(private), publicfile.write(apex, pair))


def save(key: ExportedKey, folder: str) -> list[str]:
    """Writes both files, never over others, and returns their paths; KeyFault if one cannot be written."""
    done: list[str] = []
    try:
        for suffix, text, mode in ((".private", key.private, _PRIVATE_MODE), (".key", key.public, _PUBLIC_MODE)):
            path = os.path.join(folder, key.name + suffix)
            descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
            done.append(path)
            with open(descriptor, "w", encoding="ascii") as file:
                file.write(text)
    except OSError as exc:
        for written in done:
            os.unlink(written)
        raise KeyFault(f"{path}: cannot be written: {exc.strerror}; name a folder without this key's files") from exc
    return done


def _public_pair(path: str, apex: str, private: PrivateText) -> KeyPair | None:
    """The pair with the ``.key`` file beside the private one, None if there is none."""
    public_path = path.removesuffix(".private") + ".key"
    if not path.endswith(".private") or not os.path.exists(public_path):
        return None
    public = publicfile.read(keytext.read(public_path, "give the .private file of a key"), public_path)
    _check_zone(public_path, public.zone, apex)
    return publicfile.paired(private, public, public_path)


def _named_pair(path: str, apex: str, private: PrivateText) -> KeyPair | None:
    """The pair whose tag is in the name of the file, None if the name is not of the usual form."""
    try:
        name = filename.from_text(os.path.basename(path))
    except KeyFault:
        return None
    _check_zone(path, name.zone, apex)
    if name.algorithm == private.algorithm:
        for flags in (KSK, ZSK):
            pair = KeyPair(private.algorithm, flags, private.private)
            if pair.key_tag == name.key_tag:
                return pair
    raise KeyFault(f"{path}: the key is not the one that the name of its file tells; rename the file if that is wrong")


def _check_zone(path: str, zone: str, apex: str) -> None:
    if zone != apex:
        raise KeyFault(f"{path}: this is a key of zone {zone or '.'}, not of {apex or '.'}; give that zone's name")


def _private(path: str, algorithm: Algorithm | None) -> PrivateText:
    text = keytext.read(path, "give the .private file of a key")
    if pemfile.is_pem(text):
        return pemfile.read(text, algorithm, path)
    if keytext.is_tsig(text):
        raise KeyFault(f"{path}: holds a TSIG key, not a DNSSEC key: zoneutil tsig import {path}")
    private = bindfile.read(text, path)
    if algorithm not in (None, private.algorithm):
        raise KeyFault(f"{path}: this is a key of {private.algorithm.mnemonic}; leave out --algorithm")
    return private
