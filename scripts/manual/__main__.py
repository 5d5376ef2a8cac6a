"""Writes what is made from the commands: docs/zoneutil.md and man/*.1."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.manual.pages import made

TOP = Path(__file__).resolve().parents[2]


def main() -> None:
    for name, text in made().items():
        path = TOP / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"{name}\n")


if __name__ == "__main__":
    main()
