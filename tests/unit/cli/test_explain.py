"""``zoneutil record explain``; that PowerDNS asks so is shown by the live tests."""

from __future__ import annotations


def calls(done) -> list[tuple[str, list[str]]]:
    return [(call["text"].split(" (")[0], call["answer"]) for call in done.json]


def test_the_calls_and_their_answers(zoneutil):
    done = zoneutil.good("record", "explain", "VIE.cities.example", "txt", "--json")
    found = calls(done)
    assert [text for text, _ in found] == [
        "lookup vie.cities.example. SOA",
        "lookup cities.example. SOA",
        "lookup vie.cities.example. ANY",
        "getAllDomainMetadata cities.example.",
        "lookup vie.cities.example. ANY",
    ]
    assert found[0][1] == []
    assert "7 10800 3600 604800" in found[1][1][0]
    assert [line.split()[3] for line in found[2][1]] == ["TXT", "LOC"]


def test_keys_and_denials_are_shown_without_private_keys(zoneutil):
    zoneutil.good("key", "secure", "cities.example")
    zoneutil.good("zone", "nsec3", "cities.example")
    found = calls(zoneutil.good("record", "explain", "x.cities.example", "A", "--dnssec", "--json"))
    answers = dict(found)
    assert answers["getAllDomainMetadata cities.example."] == ["NSEC3PARAM: 1 0 0 -"]
    assert answers["getDomainKeys cities.example."] == ["key 1, flags 257, active, published"]
    denied = [answer for text, answer in found if text.startswith("getBeforeAndAfterNamesAbsolute")]
    assert [answer[0] for answer in denied] == [
        "this is the hash of cities.example.",
        "this is the hash of x.cities.example.",
        "this is the hash of *.cities.example.",
    ]
    assert "PrivateKey" not in zoneutil.everything


def test_people_read_numbered_calls(zoneutil):
    lines = zoneutil.good("record", "explain", "x.org", "A").out.splitlines()
    assert lines == [
        " 1. lookup x.org. SOA (zone-id -1)",
        "      nothing",
        " 2. lookup org. SOA (zone-id -1)",
        "      nothing",
        " 3. lookup . SOA (zone-id -1)",
        "      nothing",
    ]


def test_a_ds_that_is_not_ours_to_give(zoneutil):
    assert "asked of the zone above" in zoneutil.refused("record", "explain", "cities.example", "DS")
