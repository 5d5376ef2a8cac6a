"""``zoneutil`` as a function: the words of a command in, exit status and both outputs back."""

from __future__ import annotations

import io
import json
import sys
from typing import Any, NamedTuple

import pytest

from pipebackend.cli.main import main
from tests.making import TABLE_ZONE, write_config

# A zone whose name must be quoted in files and on paper, and one that cannot list its names
OTHER_ZONES = r"""
[[zone]]
name = '0/25\.x.Example'
kind = "table"
file = "cities.tsv"
key = "code"
soa = { mname = "ns1.cities.example", rname = "hostmaster.cities.example" }
ns = ["ns1.cities.example"]
"""


class Done(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Zoneutil:
    """Runs commands on the configuration in a folder, through the same edge as the installed command."""

    def __init__(self, folder, monkeypatch, capsys):
        self.folder = folder
        self.store = folder / "zones.db"
        self.url = "sqlite:zones.db"
        self.everything = ""  # all that was printed so far
        self._config = write_config(folder, TABLE_ZONE + OTHER_ZONES)
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: object, answer: str = "") -> Done:
        argv = ["zoneutil", "--config", str(self._config), *map(str, words)]
        self._capsys.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", argv)
            patch.setattr(sys, "stdin", io.StringIO(answer))
            with pytest.raises(SystemExit) as caught:
                main()
        out, err = self._capsys.readouterr()
        self.everything += out + err
        return Done(int(caught.value.code or 0), out, err)

    def extend(self, toml: str) -> None:
        """More zones in the configuration."""
        self._config.write_text(self._config.read_text() + toml)

    def use_store(self, url: str) -> None:
        """Another store than the one beside the configuration."""
        self.url = url
        self.extend(f'[store]\nurl = "{url}"\n')

    def good(self, *words: object, answer: str = "") -> Done:
        """A command that must succeed."""
        done = self(*words, answer=answer)
        assert done.status == 0, done.err
        return done

    def refused(self, *words: object, answer: str = "") -> str:
        """The one line of stderr of a command that must fail with status 1, print nothing and change nothing."""
        before = self.contents()
        done = self(*words, answer=answer)
        assert (done.status, done.out) == (1, ""), done.err
        assert self.contents() == before
        return done.err

    def contents(self) -> object:
        """What the store holds, private keys too."""
        from pipebackend.store import open_store

        if self.url == "sqlite:zones.db" and not self.store.exists():
            return None
        store = open_store(self.url, self.folder)
        try:
            zones = [row.name for row in store.domains()]
            return [(zone, [tuple(key) for key in store.keys(zone)], store.metadata(zone)) for zone in zones], [
                tuple(key) for key in store.tsig_keys()
            ]
        finally:
            store.close()


@pytest.fixture
def zoneutil(tmp_path, monkeypatch, capsys):
    return Zoneutil(tmp_path, monkeypatch, capsys)
