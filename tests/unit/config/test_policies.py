"""[[policy]]: durations as people write them, and every fault with its line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import ConfigFault
from pipebackend.config import configuration, policies
from pipebackend.config.policies import Policy, seconds
from pipebackend.keys import algorithms
from pipebackend.zones import registry

DURATIONS = {
    "0": 0,
    "90": 90,
    "90s": 90,
    "5 min": 300,
    "1h30m": 5400,
    "1h 30m": 5400,
    "2 weeks": 1_209_600,
    "90d": 7_776_000,
    "1 Year": 31_536_000,
    "P90D": 7_776_000,
    "PT1H": 3600,
    "P1DT12H": 129_600,
    "P1Y": 31_536_000,
}


@pytest.mark.parametrize("text", DURATIONS)
def test_durations(text: str) -> None:
    assert seconds(text) == DURATIONS[text]


@pytest.mark.parametrize(
    "text", ["", " ", "d", "90 x", "1h30", "-1d", "1.5h", "P1M", "PT1D", "P", "90d!", "ünf", "99999999999d"]
)
def test_what_is_not_a_duration(text: str) -> None:
    assert seconds(text) is None


@given(st.text(max_size=20))
def test_any_text_is_a_duration_or_not(text: str) -> None:
    found = seconds(text)
    assert found is None or found >= 0


def read(tmp_path, text: str) -> dict[str, Policy]:
    path = tmp_path / "pipebackend.toml"
    path.write_text(text)
    registry.load(configuration.read(str(path)))
    return dict(policies.of(configuration.read(str(path))))


def test_a_policy(tmp_path) -> None:
    text = """
[[policy]]
name = "two"
keys = "ksk+zsk"
algorithm = "ED25519"
zsk_lifetime = "90d"
server_cache = 20
parent_check = ["192.0.2.1", "[2001:db8::1]:5300", "2001:db8::2"]
cds = false
"""
    found = read(tmp_path, text)["two"]
    assert found == Policy(
        "two",
        ("ksk", "zsk"),
        15,
        zsk_lifetime=7_776_000,
        server_cache=20,
        parent_check=("192.0.2.1", "[2001:db8::1]:5300", "2001:db8::2"),
        cds=False,
    )
    assert [policies.endpoint(text) for text in found.parent_check] == [
        ("192.0.2.1", 53),
        ("2001:db8::1", 5300),
        ("2001:db8::2", 53),
    ]
    assert (found.lifetime("zsk"), found.lifetime("ksk")) == (7_776_000, 0)


def test_every_fault_is_told(tmp_path) -> None:
    text = """
[[policy]]
name = "two"
keys = "both"
algorithm = "rsasha1"
zsk_lifetime = "often"
parent_ds_ttl = "100y"
parent_check = ["ns1.example"]
color = "red"
[[policy]]
name = "two"
parent_check = "somehow"
[[zone]]
name = "example.org"
kind = "file"
policy = "three"
"""
    with pytest.raises(ConfigFault) as caught:
        read(tmp_path, text)
    said = "\n".join(caught.value.faults)
    for words in (
        "keys: must be one of 'csk', 'ksk+zsk', 'none', not 'both'",
        "algorithm: must be one of rsasha256",
        "zsk_lifetime: must be a duration such as 90d",
        "parent_ds_ttl: must be at most 2147483647 seconds",
        "parent_check: 'ns1.example' is not an address",
        "color: unknown key",
        "there is a policy 'two' already",
        "parent_check: must be 'resolver', 'by hand' or a list of addresses, not 'somehow'",
        "policy: there is no [[policy]] with the name 'three'",
    ):
        assert words in said, said


def test_the_algorithms_are_those_of_which_keys_are_made() -> None:
    made = {one.mnemonic: one.number for one in algorithms.ALGORITHMS.values() if one.may_generate}
    assert made == policies.ALGORITHMS
