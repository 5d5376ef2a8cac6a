"""What a check finds: how bad, where, what is wrong, and what to write or do instead."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from pipebackend.diagnosis.doctor.pdnsconf import PdnsConf, Setting

__all__ = ["DELETE", "ERROR", "WARNING", "Finding", "error", "warning"]

ERROR = "error"
WARNING = "warning"
DELETE = "delete the line"
Place = Setting | PdnsConf | str


@dataclass(frozen=True, slots=True)
class Finding:
    """``write`` is a line for pdns.conf that fixes it, ``run`` a command, ``do`` advice; ``code`` names the kind.

    ``line`` is 0 where the fault is a line that is not there. ``write`` replaces the line of the finding, or is added.
    """

    severity: str
    code: str
    file: str
    line: int
    message: str
    write: str = ""
    do: str = ""
    run: str = ""

    @property
    def place(self) -> str:
        """``FILE:LINE``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def text(self) -> str:
        """For people; each fix on a line of its own."""
        fix = f"\n    write: {self.write}" if self.write else ""
        fix += f"\n    run: {self.run}" if self.run else ""
        fix += f"\n    {'or' if fix else 'do'}: {self.do}" if self.do else ""
        return f"{self.place}: {self.severity}: {self.message}{fix}"

    def as_json(self) -> dict[str, object]:
        """All fields."""
        return asdict(self)


def error(code: str, place: Place, message: str, write: str = "", do: str = "", run: str = "") -> Finding:
    """It would not start, or would answer wrongly; ``place`` is a line, or the file that lacks one."""
    return _finding(ERROR, code, place, message, write, do, run)


def warning(code: str, place: Place, message: str, write: str = "", do: str = "", run: str = "") -> Finding:
    """It works, but not well, or not for long."""
    return _finding(WARNING, code, place, message, write, do, run)


def _finding(severity: str, code: str, place: Place, message: str, write: str, do: str, run: str) -> Finding:
    if isinstance(place, Setting):
        return Finding(severity, code, place.file, place.line, message, write, do, run)
    file = place if isinstance(place, str) else place.path
    return Finding(severity, code, file, 0, message, write, do, run)
