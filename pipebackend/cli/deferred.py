"""Commands that are imported when they are asked for: one command needs a fraction of the modules of all."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Iterable
from importlib import import_module

import click

__all__ = ["Deferred"]


class Deferred(UserDict[str, click.Command]):
    """Commands of a group by their names: those that are added, and those that other modules of this package define."""

    def __init__(self, **modules: Iterable[str]) -> None:
        """``modules`` are those other modules, each with the names of its commands."""
        super().__init__()
        self._modules = {name: module for module, names in modules.items() for name in names}
        self.data.update(dict.fromkeys(self._modules))  # type: ignore[arg-type]  # __getitem__ puts the command there

    def __getitem__(self, name: str) -> click.Command:
        """Import the command, if that was not done."""
        if self.data[name] is None:
            module = import_module(f"{__package__}.{self._modules[name]}")
            commands = (value for value in vars(module).values() if isinstance(value, click.Command))
            self.data[name] = next(command for command in commands if command.name == name)
        return self.data[name]
