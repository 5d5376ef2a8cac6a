"""``FUZZ_SECONDS=600 scripts/test tests/fuzz`` looks at each kind of input for that long, each time from a new seed."""

from __future__ import annotations

import os
import time

import pytest

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> object | None:
    if not SECONDS:
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    look, handle = pyfuncitem.obj, pyfuncitem.obj.hypothesis
    one_example, examples = handle.inner_test, 0

    def counted(*args: object, **kwargs: object) -> None:
        nonlocal examples
        examples += 1
        one_example(*args, **kwargs)

    handle.inner_test = counted
    start = time.monotonic()
    try:
        while time.monotonic() < start + SECONDS:
            look(**arguments)
    finally:
        handle.inner_test = one_example
        print(f"{pyfuncitem.name}: {examples} examples in {time.monotonic() - start:.0f} s")
    return True
