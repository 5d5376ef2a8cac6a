"""What a check finds: how bad, where, what is wrong, and what to write or do instead."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipebackend.doctor.pdnsconf import PdnsConf, Setting

__all__ = ["ERROR", "WARNING", "Finding", "error", "warning"]

ERROR = "error"
WARNING = "warning"
Place = Setting | PdnsConf | str


@dataclass(frozen=True, slots=True)
class Finding:
    """``write`` is a line for pdns.conf that mends it, ``do`` what else does; ``code`` names the kind of finding.

    ``line`` is 0 where the fault is a line that is not there.
    """

    severity: str
    code: str
    file: str
    line: int
    message: str
    write: str = ""
    do: str = ""

    @property
    def place(self) -> str:
        """``FILE:LINE``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def text(self) -> str:
        """For people; the mend on a line of its own."""
        mend = f"\n    write: {self.write}" if self.write else ""
        mend += f"\n    {'or' if self.write else 'do'}: {self.do}" if self.do else ""
        return f"{self.place}: {self.severity}: {self.message}{mend}"

    def as_json(self) -> dict[str, object]:
        """All fields."""
        return asdict(self)


def error(code: str, place: Place, message: str, write: str = "", do: str = "") -> Finding:
    """It would not start, or would answer wrongly; ``place`` is a line, or the file that lacks one."""
    return _finding(ERROR, code, place, message, write, do)


def warning(code: str, place: Place, message: str, write: str = "", do: str = "") -> Finding:
    """It works, but not well, or not for long."""
    return _finding(WARNING, code, place, message, write, do)


def _finding(severity: str, code: str, place: Place, message: str, write: str, do: str) -> Finding:
    if isinstance(place, Setting):
        return Finding(severity, code, place.file, place.line, message, write, do)
    file = place if isinstance(place, str) else place.path
    return Finding(severity, code, file, 0, message, write, do)
