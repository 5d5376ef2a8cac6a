"""The clock of roll-overs never runs faster than time, whatever is set, started again, or asked elsewhere."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipebackend.rollover.clock import Uptime, moment, uptime

EVENTS = st.lists(
    st.tuples(
        st.integers(0, 2),  # which machine looks
        st.integers(0, 10_000),  # after so many seconds
        st.booleans(),  # it was started again
        st.integers(-(10**9), 10**9),  # the time of day that it believes in
    )
)


@given(EVENTS)
def test_it_never_runs_ahead_and_never_back(events) -> None:
    looks: dict[str, tuple[int, int]] = {}
    started, boots, real, last = [0, 0, 0], [0, 0, 0], 0, None
    for machine, passed, is_started_again, wall in events:
        real += passed
        if is_started_again:
            boots[machine] += 1
            started[machine] = real
        here = Uptime(f"{machine} {boots[machine]}", real - started[machine])
        now = moment(looks, here, wall)
        if last is None:
            begin = now - real
        else:
            assert last <= now <= begin + real
        looks[here.boot] = here.seconds, now
        last = now


def test_on_one_machine_no_second_is_lost() -> None:
    assert moment({"a": (100, 5000)}, Uptime("a", 160), 0) == 5060
    assert moment({"a": (100, 5000)}, Uptime("b", 160), 0) == 5000
    assert moment({"a": (100, 5000), "b": (10, 4000)}, Uptime("b", 2000), 0) == 5990
    assert moment({}, Uptime("a", 160), 1_800_000_000) == 1_800_000_000


def test_this_machine_counts() -> None:
    first, second = uptime(), uptime()
    assert first.boot == second.boot
    assert first.seconds <= second.seconds
