"""All that the checks look at, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipebackend.diagnosis.doctor.coprocess import Coprocess
from pipebackend.diagnosis.doctor.pdnsconf import PdnsConf, Setting
from pipebackend.diagnosis.doctor.served import Served
from pipebackend.diagnosis.doctor.server import Server
from pipebackend.diagnosis.doctor.users import User

__all__ = ["Case"]


@dataclass(frozen=True, slots=True)
class Case:
    """One operator's set-up. ``user`` is None if pdns.conf names one that does not exist.

    ``served`` has what each configuration serves, by its path; ``here`` is the configuration that zoneutil has found.
    """

    conf: PdnsConf
    server: Server
    user: User | None
    coprocesses: tuple[Coprocess, ...]
    served: Mapping[str, Served]
    here: str

    def place(self, name: str) -> Setting | PdnsConf:
        """The line that has set a setting; the file if no line has."""
        return self.conf.settings.get(name) or self.conf

    def served_by(self, coprocess: Coprocess) -> Served | None:
        """What a coprocess serves, None if its program is not ours; behind a socket we assume the one found here."""
        if coprocess.connector in ("unix", "http"):
            return self.served.get(self.here)
        path = coprocess.config
        return None if path is None else self.served.get(path)
