from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.dnsdata.soa import MINIMUM, REFRESH, SERIAL, soa_number


def test_the_numbers_of_an_soa() -> None:
    content = "ns1.example hostmaster.example 2026112801 10800 3600 604800 60"
    assert [soa_number(content, field) for field in (SERIAL, REFRESH, MINIMUM)] == [2026112801, 10800, 60]


@pytest.mark.parametrize("serial", ["", "ter.example", "-1", "1.5", "\u00b2", "\u0661", "12345678901"])
def test_what_others_wrote_is_no_number(serial: str) -> None:
    assert soa_number(f"ns1.example hostmaster.example {serial}", SERIAL) is None


@given(st.text(st.sampled_from("0129. \t\u0661x")), st.sampled_from([SERIAL, REFRESH, MINIMUM]))
def test_any_content_has_a_number_or_none(content: str, field: int) -> None:
    found = soa_number(content, field)
    assert found is None or found == int(content.split()[field])
