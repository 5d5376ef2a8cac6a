"""Laws of content: it survives the way through PowerDNS's PIPE tokeniser and through JSON, and says what went in."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from fractions import Fraction

import dns.rdata
from hypothesis import given
from hypothesis import strategies as st

from pipebackend.base.errors import RecordFault
from pipebackend.dnsdata import charstrings, records
from remoteshim import jsonline

NASTY = st.text(alphabet=st.sampled_from("ab \t\n\r\0\x1f\x7f\"\\'üß\u2028😀;()ENDFAILDATA0"), max_size=600)
TEXTS = NASTY | st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=600)
DEGREES = re.compile(r"(\d+) (\d+) (\d+\.\d{3}) ([NSEW])")


def tokenised(line: str) -> list[str]:
    """How PowerDNS reads a PIPE line (rule P-12): trimmed at the right, split at TABs, empty fields vanish."""
    return [field for field in line.rstrip(" \t\r\n").split("\t") if field]


def decimals(limit: int) -> st.SearchStrategy[str]:
    """Decimal numbers as text, many of them next to a whole second or minute, or half a thousandth of a second."""
    plain = st.decimals(-limit, limit, allow_nan=False, allow_infinity=False, places=8)
    thousandths = st.integers(-limit * 60, limit * 60).map(lambda minutes: Fraction(minutes, 60))
    near = st.tuples(thousandths, st.integers(-2000, 2000)).map(
        lambda pair: max(-limit, min(limit, pair[0] + Fraction(pair[1], 10**9)))
    )
    halves = st.integers(-limit * 800_000, limit * 800_000).map(lambda number: f"{Decimal(number) / 800_000:f}")
    return plain.map(lambda number: f"{number:f}") | near.map(_as_decimal) | halves


def _as_decimal(number: Fraction) -> str:
    digits = round(abs(number) * 10**12)
    return f"{'-' if number < 0 else ''}{digits // 10**12}.{digits % 10**12:012d}"


@given(TEXTS)
def test_txt_says_what_went_in(text: str) -> None:
    rdata = dns.rdata.from_text("IN", "TXT", charstrings.txt_content(text))
    assert b"".join(rdata.strings) == text.encode()
    assert all(len(string) <= 255 for string in rdata.strings)


@given(TEXTS)
def test_txt_makes_a_round_trip_of_our_own(text: str) -> None:
    content = charstrings.txt_content(text)
    assert b"".join(charstrings.character_strings(content)) == text.encode()
    assert records.checked_content("TXT", content) == content


@given(TEXTS)
def test_content_survives_powerdnss_tokeniser(text: str) -> None:
    content = charstrings.txt_content(text)
    assert tokenised(f"DATA\tlax.aa\tIN\tTXT\t60\t1\t{content}\n")[6:] == [content]


@given(TEXTS)
def test_content_survives_json(text: str) -> None:
    content = charstrings.txt_content(text)
    assert json.loads(jsonline.quote(content)) == content
    assert jsonline.loads(jsonline.quote(text)) == text


@given(st.text(alphabet=st.sampled_from('ab "\\09\tü'), max_size=40))
def test_any_text_is_strings_or_a_fault(text: str) -> None:
    try:
        strings = charstrings.character_strings(text)
    except RecordFault:
        return
    content = " ".join(map(charstrings.quoted, strings))
    assert charstrings.character_strings(content) == strings
    assert list(dns.rdata.from_text("IN", "TXT", content).strings) == strings


def milliseconds(content: str) -> list[int]:
    """The two angles of LOC content in thousandths of a second, south and west negative."""
    found = []
    for degrees, minutes, seconds, hemisphere in DEGREES.findall(content):
        assert int(minutes) < 60
        assert Fraction(seconds) < 60, "60.000 is no number of seconds"
        angle = (int(degrees) * 60 + int(minutes)) * 60_000 + int(Fraction(seconds) * 1000)
        found.append(-angle if hemisphere in "SW" else angle)
    return found


def half_away(number: Fraction) -> int:
    rounded = int(abs(number) + Fraction(1, 2))
    return -rounded if number < 0 else rounded


@given(decimals(90), decimals(180))
def test_loc_is_exact_to_the_millisecond(latitude: str, longitude: str) -> None:
    content = records.loc_content(latitude, longitude)
    assert milliseconds(content) == [half_away(Fraction(text) * 3_600_000) for text in (latitude, longitude)]
    assert content.endswith(" 0.00m 1.00m 10000.00m 10.00m")


@given(st.decimals(-100_000, 42_849_672, allow_nan=False, places=4))
def test_the_altitude_is_exact_to_the_centimetre(altitude: object) -> None:
    metres = records.loc_content("0", "0", f"{altitude:f}").split()[8].removesuffix("m")
    assert Fraction(metres) == Fraction(half_away(Fraction(f"{altitude:f}") * 100), 100)


@given(decimals(90), decimals(180), st.decimals(-100_000, 42_849_672, allow_nan=False, places=2))
def test_loc_is_loc_for_dnspython(latitude: str, longitude: str, altitude: object) -> None:
    rdata = dns.rdata.from_text("IN", "LOC", records.loc_content(latitude, longitude, f"{altitude:f}"))
    assert abs(rdata.float_latitude - float(latitude)) < 2e-7
    assert abs(rdata.float_longitude - float(longitude)) < 2e-7
    assert round(rdata.altitude) == round(float(f"{altitude:f}") * 100)


@given(st.text(max_size=50), st.text(max_size=50), st.text(max_size=50))
def test_any_texts_are_a_place_or_a_fault(latitude: str, longitude: str, altitude: str) -> None:
    try:
        content = records.loc_content(latitude, longitude, altitude)
    except RecordFault:
        return
    assert len(milliseconds(content)) == 2


@given(st.sampled_from(["A", "NS", "CNAME", "PTR", "MX", "TXT"]), st.text(max_size=60))
def test_checked_content_stays_itself_and_fits_on_a_line(type_: str, given_content: str) -> None:
    try:
        content = records.checked_content(type_, given_content)
    except RecordFault:
        return
    assert content.isascii()
    assert content.isprintable()
    assert records.checked_content(type_, content) == content
