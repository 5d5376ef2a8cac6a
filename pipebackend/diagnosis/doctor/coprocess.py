"""What pdns.conf makes PowerDNS run or call: the command or the connection string of each launched backend."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipebackend.config import configuration
from pipebackend.diagnosis.doctor.pdnsconf import Launched, PdnsConf, Setting

__all__ = ["CONNECTORS", "OUR_OPTIONS", "PROGRAMS", "SETTINGS", "WORKING_DIRECTORY", "Coprocess", "found"]

WORKING_DIRECTORY = "/"  # where PowerDNS runs as a service
PROGRAMS = {"pipe": "pipebackend", "remote": "remoteshim"}
OUR_OPTIONS = ("config",)  # of the connection string, which PowerDNS hands to initialize
# Of each connector of REMOTE: the option it cannot do without, and the others that PowerDNS knows (rule R-5)
CONNECTORS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "pipe": ("command", ("timeout",)),
    "unix": ("path", ("timeout",)),
    "http": ("url", ("url-suffix", "post", "post_json", "timeout")),
    "zeromq": ("endpoint", ("timeout",)),
}
SETTINGS = {"pipe": "command", "remote": "connection-string"}


@dataclass(frozen=True, slots=True)
class Coprocess:
    """One ``pipe`` or ``remote`` backend; ``setting`` is the line with its command, None if there is none.

    ``connector`` is empty for PIPE. ``pieces`` are the parts of a connection string between the commas.
    """

    launched: Launched
    setting: Setting | None
    connector: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    pieces: Sequence[str] = ()
    command: str = ""

    @property
    def protocol(self) -> str:
        """``pipe`` or ``remote``."""
        return self.launched.module

    @property
    def setting_name(self) -> str:
        """The setting that holds the command or the connection string."""
        return self.launched.setting(SETTINGS[self.protocol])

    @property
    def argv(self) -> list[str]:
        """As PowerDNS splits a command: at each space, so that two of them make an empty word."""
        return self.command.split(" ") if self.command else []

    @property
    def is_ours(self) -> bool:
        """Whether the command is one of ours, by its name."""
        return os.path.basename(self.argv[0]) in PROGRAMS.values() if self.argv else False

    @property
    def config(self) -> str | None:
        """The configuration file it will use, ``""`` for the built-in one; None if that cannot be known from here."""
        if not self.is_ours:
            return None
        given = self.config_word or self.options.get("config", "")
        if given:
            return os.path.join(WORKING_DIRECTORY, given)
        places = (os.path.join(WORKING_DIRECTORY, file) for file in configuration.DEFAULT_FILES)
        return next((path for path in places if os.path.exists(path)), "")

    @property
    def config_word(self) -> str:
        """What follows ``--config`` in the command."""
        words = self.argv
        for number, word in enumerate(words):
            if word.startswith("--config="):
                return word.removeprefix("--config=")
            if word == "--config" and number + 1 < len(words):
                return words[number + 1]
        return ""


def found(conf: PdnsConf) -> list[Coprocess]:
    """The backends of ``launch`` that speak PIPE or REMOTE."""
    return [_read(conf, launched) for launched in conf.launched if launched.module in PROGRAMS]


def _read(conf: PdnsConf, launched: Launched) -> Coprocess:
    setting = conf.settings.get(launched.setting(SETTINGS[launched.module]))
    text = setting.value if setting is not None else ""
    if launched.module == "pipe":
        return Coprocess(launched, setting, command=text)
    connector, _, rest = text.partition(":")
    pieces = [piece for piece in rest.split(",") if piece]
    options = {}
    for piece in pieces:
        key, equals, value = piece.partition("=")
        options[key] = value if equals else "yes"
    command = options.get("command", "") if connector == "pipe" else ""
    return Coprocess(launched, setting, connector, options, pieces, command)
