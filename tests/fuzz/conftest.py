"""``FUZZ_SECONDS=600 scripts/test tests/fuzz`` looks at each kind of input for that long, each time from a new seed.

The seconds are those of the processor, children included, so that a busy machine looks as often. A process that holds
more and more memory fails.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

SECONDS = float(os.environ.get("FUZZ_SECONDS", "0"))
MOST_MORE = 32 << 20  # octets that a process may have grown by from the end of its first quarter to its end


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
    start, early = _seconds(), 0
    try:
        while (spent := _seconds() - start) < SECONDS:
            look(**arguments)
            if not early and spent > SECONDS / 4:
                early = _resident()
    finally:
        handle.inner_test = one_example
        more = _resident() - early if early else 0
        spent = _seconds() - start
        print(f"{pyfuncitem.name}: {examples} examples in {spent:.0f} s of the processor, {more >> 10} KiB more")
    assert more <= MOST_MORE, f"{more} octets more"
    return True


def _seconds() -> float:
    return sum(os.times()[:4])


def _resident() -> int:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
