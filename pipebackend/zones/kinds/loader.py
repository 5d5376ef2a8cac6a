"""A class of the user's own, loaded by ``module:attribute`` from a folder, and again when its files change.

Each load runs the module again under a name of its own, so two zones never share one, and a zone in use keeps its own
until the new one is ready. A module that is not in the folder is an installed one: Python imports it, once.
"""

from __future__ import annotations

import os

from pipebackend.base import ownership
from pipebackend.base.errors import ZoneFault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import Any

__all__ = ["file_of", "load"]


def file_of(text: str, folder: str) -> str:
    """The file in ``folder`` that holds the module of ``module:attribute``; ``""`` if it is not there."""
    path = os.path.join(folder, *text.partition(":")[0].split("."))
    for candidate in (f"{path}.py", os.path.join(path, "__init__.py")):
        if os.path.isfile(candidate):
            return candidate
    return ""


def load(text: str, folder: str, options: Mapping[str, Any], ident: int) -> tuple[Any, Sequence[str]]:
    """What ``module:attribute`` makes when called with ``options``, and its files; raises ZoneFault."""
    module_name, _, attribute = text.partition(":")
    path = file_of(text, folder)
    sources = [path or os.path.join(folder, *module_name.split(".")) + ".py"]
    try:
        if path:
            _check_owner(path, folder)
        module = _run(module_name, path, folder, ident, sources) if path else _installed(module_name, folder)
        return _made(module, attribute, options, path or module_name), sources
    except ZoneFault as exc:
        raise ZoneFault([f"object {text!r}: {fault}" for fault in exc.faults], sources) from exc.__cause__
    except KeyboardInterrupt:
        raise
    except BaseException as exc:  # sys.exit() too: the user's code must not end the process
        steps = _steps(exc, folder)
        place = ":".join(map(str, steps[-1])) if steps else path or module_name
        sources += [step[0] for step in steps if step[0] not in sources]
        raise ZoneFault([f"{place}: object {text!r}: {type(exc).__name__}: {exc}"], sources) from exc


def _check_owner(path: str, folder: str) -> None:
    """ZoneFault unless root, the caller or the owner of the folder wrote the code; root runs only root's."""
    owners = [os.stat(folder).st_uid] if os.geteuid() else []
    fault = ownership.untrusted(path, owners)
    if fault:
        caller = ownership.user_name(os.geteuid())
        raise ZoneFault([f"{path} is not run by {caller}: {fault}; let it and its folders be written by root alone"])


def _steps(exc: BaseException, folder: str) -> list[tuple[str, int]]:
    """The files and lines in ``folder`` that an exception came through, where it was raised last."""
    steps = []
    step = exc.__traceback__
    while step is not None:
        path = step.tb_frame.f_code.co_filename
        if path.startswith(os.path.join(folder, "")):
            steps.append((path, step.tb_lineno))
        step = step.tb_next
    if isinstance(exc, SyntaxError) and exc.filename:
        steps.append((exc.filename, exc.lineno or 0))
    return steps


def _made(module: ModuleType, attribute: str, options: Mapping[str, Any], shown: str) -> Any:
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise ZoneFault([f"{shown} has no attribute {attribute!r}"])
        found = getattr(found, part)
    if not callable(found):
        raise ZoneFault([f"must be a class, or a function that makes the object, not {type(found).__name__}"])
    made = found(**options)
    if not callable(getattr(made, "lookup", None)):
        raise ZoneFault([f"{type(made).__name__} has no method lookup(name, client)"])
    return made


def _installed(name: str, folder: str) -> ModuleType:
    from importlib import import_module

    try:
        return import_module(name)
    except ModuleNotFoundError as exc:
        if exc.name and (name == exc.name or name.startswith(f"{exc.name}.")):
            raise ZoneFault([f"there is no module {name!r}, neither in {folder} nor installed"]) from exc
        raise


def _run(name: str, path: str, folder: str, ident: int, sources: list[str]) -> ModuleType:
    """The module, run from its file; the files of modules beside it that it imports are added to ``sources``."""
    import sys
    from importlib import invalidate_caches
    from importlib.util import module_from_spec, spec_from_file_location

    own_name = f"{name}@{ident}"
    is_package = os.path.basename(path) == "__init__.py"
    folders = [os.path.dirname(path)] if is_package else None
    spec = spec_from_file_location(own_name, path, submodule_search_locations=folders)
    assert spec is not None  # a file that ends in .py always has one
    module = module_from_spec(spec)
    replaced, known, may_write = sys.modules.get(own_name), set(sys.modules), sys.dont_write_bytecode
    sys.modules[own_name] = module
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True  # a compiled file is trusted for a second too long, and the folder may be /etc
    invalidate_caches()
    try:
        with open(path, "rb") as file:
            source = file.read()
        exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    except BaseException:
        sys.modules.pop(own_name)
        if replaced is not None:
            sys.modules[own_name] = replaced
        raise
    finally:
        sys.dont_write_bytecode = may_write
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)  # for what is imported when a question comes; last, so that it hides nothing
        sources += _taken_back(set(sys.modules) - known - {own_name}, folder)
    return module


def _taken_back(loaded: set[str], folder: str) -> list[str]:
    """The files of those modules that came from ``folder``, which the next load shall read again."""
    import sys

    files = []
    for name in sorted(loaded):
        path = getattr(sys.modules[name], "__file__", None) or ""
        top = os.path.join(folder, name.partition(".")[0])
        if path == f"{top}.py" or path.startswith(os.path.join(top, "")):
            files.append(path)
            del sys.modules[name]
    return files
