"""Table zones: what a row becomes, and what is said of the rows that become nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.config.configuration import Section
from pipebackend.dnsdata.records import Client, Record
from pipebackend.zones.kinds import table
from pipebackend.zones.kinds.table import TableZone
from tests.making import CITIES, TABLE_ZONE, age, read_config

APEX = "cities.example"
LAX_LOC = "33 56 33.000 N 118 24 28.836 W 38.40m 1.00m 10000.00m 10.00m"


def load(folder: Path, toml: str = TABLE_ZONE, rows: str | None = CITIES) -> tuple[TableZone | None, list[str]]:
    """The zone, and the faults of its section without the path of the file in front."""
    config = read_config(folder, toml, rows)
    section = Section(config, config.table["zone"][0], "zone[0]", [])
    section.text("kind")
    zone = table.load(section, section.name("name").lower(), 5)
    section.finish()
    return zone, [re.sub(rf"^{re.escape(config.path)}(:\d+)?: ", "", fault) for fault in section.faults]


def zone_of(folder: Path, rows: str = CITIES, toml: str = TABLE_ZONE) -> TableZone:
    zone, faults = load(folder, toml, rows)
    assert faults == []
    assert zone is not None
    return zone


def found(zone: TableZone, name: str) -> list[tuple[str, str]]:
    return [(record.type, record.content) for record in zone.find(name, Client()) or ()]


def faults_of(folder: Path, rows: str) -> list[str]:
    """The faults without the folder in front."""
    return [fault.removeprefix(f"{folder}/") for fault in zone_of(folder, rows).faults]


def test_a_row_becomes_the_records_of_its_templates(tmp_path: Path) -> None:
    zone = zone_of(tmp_path)
    assert zone.find("lax.cities.example", Client()) == (
        Record("LAX.Cities.Example", "TXT", 60, '"Los Angeles"'),
        Record("LAX.Cities.Example", "LOC", 60, LAX_LOC),
    )
    assert found(zone, "gru.cities.example")[0] == ("TXT", r'"S\195\163o Paulo"')


def test_the_zone_knows_itself(tmp_path: Path) -> None:
    zone = zone_of(tmp_path)
    assert (zone.apex, zone.ident, zone.kind, zone.dynamic, zone.narrow) == (APEX, 5, "table", False, False)
    assert zone.sources == (str(tmp_path / "cities.tsv"),)
    assert zone.faults == []
    assert zone.soa().content == "ns1.cities.example hostmaster.cities.example 7 10800 3600 604800 60"


def test_fixed_records_and_the_apex_are_found(tmp_path: Path) -> None:
    zone = zone_of(tmp_path)
    assert found(zone, "ns1.cities.example") == [("A", "192.0.2.1")]
    assert [type_ for type_, _ in found(zone, APEX)] == ["SOA", "NS"]


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    zone = zone_of(tmp_path)
    for name in ("xxx.cities.example", "x.lax.cities.example", "code.cities.example", r"\000.cities.example"):
        assert zone.find(name, Client()) is None


def test_the_serial_is_the_newest_time_of_the_files(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, toml=TABLE_ZONE.replace(", serial = 7", ""))
    assert zone.soa().content.split()[2] == "1700000000"


def test_the_key_may_be_any_column_and_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    for rows in (
        "city\tlat\tlon\tmetres\tcode\r\nLos Angeles\t1\t2\t3\tLAX\r\n",
        "city\tcode\tlat\tlon\tmetres\nLos Angeles\tLAX\t1\t2\t3",
    ):
        zone = zone_of(tmp_path, rows)
        assert found(zone, "lax.cities.example")[0] == ("TXT", '"Los Angeles"')
        assert zone.faults == []


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    assert found(zone_of(tmp_path, "\ufeff" + CITIES), "lax.cities.example")


def test_escapes_in_a_key_write_any_label(tmp_path: Path) -> None:
    zone = zone_of(
        tmp_path, "code\tcity\tlat\tlon\tmetres\na\\.b\tdot\t1\t1\t\nc\\032d\tspace\t1\t1\t\n\\065\\066\tab\t1\t1\t\n"
    )
    assert zone.faults == []
    assert found(zone, r"a\.b.cities.example")[0] == ("TXT", '"dot"')
    assert found(zone, r"c\032d.cities.example")[0] == ("TXT", '"space"')
    assert found(zone, "ab.cities.example")[0] == ("TXT", '"ab"')


def test_a_key_with_a_dot_at_its_end_is_found_and_listed_alike(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, "code\tcity\tlat\tlon\tmetres\nLAX.\tx\t1\t1\t\n")
    assert found(zone, "lax.cities.example")[0] == ("TXT", '"x"')
    assert "LAX.Cities.Example" in {record.owner for record in zone.listing()}


def test_templates_whose_columns_are_all_empty_give_no_record(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, "code\tcity\tlat\tlon\tmetres\nLAX\t\t1\t2\t\nSFO\tSan Francisco\t\t\t\n")
    assert found(zone, "lax.cities.example") == [("LOC", "1 0 0.000 N 2 0 0.000 E 0.00m 1.00m 10000.00m 10.00m")]
    assert found(zone, "sfo.cities.example") == [("TXT", '"San Francisco"')]
    assert zone.faults == []


def test_a_row_without_any_record_is_no_name(tmp_path: Path) -> None:
    """Lookup and transfer must agree, or a signed zone would deny a name that is answered."""
    zone = zone_of(tmp_path, "code\tcity\tlat\tlon\tmetres\nLAX\t\t\t\t\n")
    assert zone.find("lax.cities.example", Client()) is None
    assert "LAX.Cities.Example" not in {record.owner for record in zone.listing()}


def test_every_listed_record_is_found_and_the_soa_comes_first(tmp_path: Path) -> None:
    zone = zone_of(tmp_path)
    listed = list(zone.listing())
    assert listed[0] == zone.soa()
    assert len(listed) == 2 + 1 + 3 * 2
    for record in listed:
        assert record in (zone.find(record.owner.lower(), Client()) or ())


def test_braces_are_doubled_to_be_braces(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, toml=TABLE_ZONE.replace('"{city}"', '"{{{city} }} is {code}{{}}"'))
    assert found(zone, "lax.cities.example")[0] == ("TXT", '"{Los Angeles } is LAX{}"')


def test_a_template_without_columns_is_for_every_row(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, toml=TABLE_ZONE + '[[zone.record]]\ntype = "mx"\ncontent = "10 mail.example."\nttl = 5\n')
    record = (zone.find("lax.cities.example", Client()) or ())[2]
    assert record == Record("LAX.Cities.Example", "MX", 5, "10 mail.example")


def test_a_row_joins_the_fixed_records_of_its_name(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace('["ns1 A 192.0.2.1"]', '["lax A 192.0.2.9"]')
    assert [type_ for type_, _ in found(zone_of(tmp_path, toml=toml), "lax.cities.example")] == ["A", "TXT", "LOC"]


def test_delegations_in_the_table_are_not_authoritative(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace('type = "TXT"', 'type = "NS"').replace('"{city}"', '"ns.{code}.cities.example"')
    toml = toml.replace('["ns1 A 192.0.2.1"]', '["ns.lax A 192.0.2.9"]')
    zone = zone_of(tmp_path, toml=toml)
    for name in ("lax.cities.example", "ns.lax.cities.example"):
        records = zone.find(name, Client())
        assert records
        assert not any(record.auth for record in records)
    listed = {(record.owner.lower(), record.type): record.auth for record in zone.listing()}
    assert listed["ns.lax.cities.example", "A"] is False
    assert listed["cities.example", "NS"] is True


def test_rows_below_a_fixed_cut_are_not_authoritative(tmp_path: Path) -> None:
    toml = TABLE_ZONE.replace('["ns1 A 192.0.2.1"]', '["lax NS ns.other.example", "www.vie A 192.0.2.1"]')
    zone = zone_of(tmp_path, toml=toml)
    assert [record.auth for record in zone.find("lax.cities.example", Client()) or ()] == [False, False, False]
    assert [record.auth for record in zone.find("www.vie.cities.example", Client()) or ()] == [True]


HEADER = "code\tcity\tlat\tlon\tmetres\n"
GOOD = "LAX\tLos Angeles\t33.9425\t-118.40801\t38.4\n"


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("SFO\tSan Francisco\t91\t0\t0", "latitude 91 is out of range"),
        ("SFO\tSan Francisco\t0\t-180.5\t0", "longitude -180.5 is out of range"),
        ("SFO\tSan Francisco\t0\tw\t0", "longitude 'w' is not a decimal number"),
        ("SFO\tSan Francisco\t0\t0\t-100001", "altitude -100001 is out of range"),
        ("SFO\tSan Francisco\t\t37\t4", "latitude '' is not a decimal number"),
        ("SFO\tSan Francisco\t37\t\t4", "longitude '' is not a decimal number"),
        ("SFO\tSan Francisco\t37\t\t", "LOC needs latitude, longitude and perhaps metres, not '37  '"),
        ("SFO\tSan Francisco", "2 fields, where the header names 5"),
        ("SFO\tSan Francisco\t0\t0\t0\t0", "6 fields, where the header names 5"),
        ("\tNowhere\t0\t0\t0", "the key is empty"),
        ("\t\t\t\t", "the key is empty"),
        ("S.FO\tSan Francisco\t0\t0\t0", "key 'S.FO' is not one label; write a space as \\032 and a dot as \\."),
        ("S FO\tSan Francisco\t0\t0\t0", "key 'S FO' is not one label; write a space as \\032 and a dot as \\."),
        (".\tSan Francisco\t0\t0\t0", "key '.' is not one label; write a space as \\032 and a dot as \\."),
        ("S..FO\tSan Francisco\t0\t0\t0", "name 'S..FO' has an empty label"),
        ("S\\FO\\\tSan Francisco\t0\t0\t0", "name 'S\\\\FO\\\\' has a backslash that escapes nothing"),
        ("x" * 64 + "\tlong\t0\t0\t0", f"label '{'x' * 64}' is longer than 63 octets"),
        ("Köln\tCologne\t0\t0\t0", "name 'K\\xf6ln' has letters outside ASCII; write xn--kln-sna"),
        ("SFO\tSan \udcff\t0\t0\t0", "not UTF-8; save the file as UTF-8"),
        ("lax\tLos Angeles again\t0\t0\t0", "key lax is already on line 2; this row is left out"),
        ("\\076ax\tLos Angeles again\t0\t0\t0", "key lax is already on line 2; this row is left out"),
    ],
)
def test_a_faulty_row_is_named_and_the_others_are_served(tmp_path: Path, row: str, complaint: str) -> None:
    zone = zone_of(tmp_path, HEADER + GOOD + row + "\nVIE\tWien\t1\t2\t3\n")
    assert zone.faults == [f"{tmp_path}/cities.tsv:3: {complaint}"]
    assert found(zone, "lax.cities.example")[0] == ("TXT", '"Los Angeles"')
    assert found(zone, "vie.cities.example")[0] == ("TXT", '"Wien"')
    assert len(list(zone.listing())) == 3 + 2 * 2


def test_all_faults_are_listed_in_order(tmp_path: Path) -> None:
    rows = HEADER + "A\ta\t91\t0\t0\nB\tb\nC\tc\t1\t1\t1\nc\tc\t1\t1\t1\n\n\tx\t0\t0\t0\n"
    assert faults_of(tmp_path, rows) == [
        "cities.tsv:2: latitude 91 is out of range",
        "cities.tsv:3: 2 fields, where the header names 5",
        "cities.tsv:5: key c is already on line 4; this row is left out",
        "cities.tsv:7: the key is empty",
    ]


def test_no_row_is_lost_in_silence_behind_a_faulty_one_of_its_name(tmp_path: Path) -> None:
    rows = HEADER + "LAX\tfaulty\t91\t0\t0\nLAX\tgood\t1\t1\t1\n"
    assert faults_of(tmp_path, rows) == [
        "cities.tsv:2: latitude 91 is out of range",
        "cities.tsv:3: key lax is already on line 2; this row is left out",
    ]


def test_a_key_outside_ascii_hides_no_key_inside(tmp_path: Path) -> None:
    """The Kelvin sign is a k in lower case."""
    zone = zone_of(tmp_path, HEADER + "\u212a\tKelvin\t1\t1\t1\nK\tk\t1\t1\t1\n")
    assert found(zone, "k.cities.example")[0] == ("TXT", '"k"')
    assert len(zone.faults) == 1


def test_a_table_of_the_header_alone_is_an_empty_zone(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, HEADER)
    assert [record.type for record in zone.listing()] == ["SOA", "NS", "A"]
    assert [fault.partition(": ")[2] for fault in zone.faults] == ["has no rows, only the names of the columns"]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("", ":1: no column 'code'; the file is empty"),
        ("iata\tname\nLAX\tx\n", ":1: no column 'code'; the columns are iata, name"),
        ("code\tcity\tlat\tlon\tmetres\tcity\n", ":1: column 'city' is named twice"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, rows: str, complaint: str) -> None:
    with pytest.raises(ZoneFault) as caught:
        load(tmp_path, rows=rows)
    assert caught.value.faults == (f"{tmp_path}/cities.tsv{complaint}",)


def test_all_faults_of_the_configuration_come_at_once(tmp_path: Path) -> None:
    toml = (
        TABLE_ZONE.replace("ttl = 60", 'ttl = "soon"\ncolour = "red"')
        .replace('ns = ["ns1.cities.example"]', 'ns = ["ns1..example"]')
        .replace('records = ["ns1 A 192.0.2.1"]', 'records = ["ns1 A 192.0.2", "ns2"]')
        .replace('"{city}"', '"{town} {"')
        .replace('"LOC"', '"LOC"\nclass = "IN"')
        .replace("serial = 7", "serial = -7, owner = 1")
    )
    zone, faults = load(tmp_path, toml)
    assert zone is None
    assert sorted(faults) == [
        "zone[0].colour: unknown key; the keys here are file, key, kind, max_loss, name, ns, record, records, "
        "separator, soa, ttl",
        "zone[0].ns: name 'ns1..example' has an empty label",
        "zone[0].record[0].content: a { that is never closed; write {{ for a brace",
        "zone[0].record[0].content: there is no column 'town'; the columns are code, city, lat, lon, metres",
        "zone[0].record[1].class: unknown key; the keys here are content, ttl, type",
        "zone[0].records: 'ns1 A 192.0.2': '192.0.2' is not an IPv4 address; write one such as 192.0.2.1",
        "zone[0].records: 'ns2': must be written: owner [ttl] type content, such as 'www 300 A 192.0.2.1'",
        "zone[0].soa.owner: unknown key; the keys here are expire, minimum, mname, refresh, retry, rname, serial",
        "zone[0].soa.serial: must be from 0 to 4294967295, not -7",
        "zone[0].ttl: must be a whole number, not 'soon'",
    ]


def test_faults_of_the_configuration_are_not_lost_behind_a_bad_file(tmp_path: Path) -> None:
    zone, faults = load(tmp_path, TABLE_ZONE.replace("ttl = 60", "colour = 1"), "nothing\n")
    assert zone is None
    assert [fault.partition(":")[0] for fault in faults] == ["zone[0].colour"]


def test_a_missing_file_is_a_fault_with_its_path(tmp_path: Path) -> None:
    zone, faults = load(tmp_path, TABLE_ZONE.replace("cities.tsv", "none.tsv"))
    assert zone is None
    assert faults == [f"zone[0].file: there is no file {tmp_path}/none.tsv"]


def test_a_brace_that_closes_nothing(tmp_path: Path) -> None:
    _, faults = load(tmp_path, TABLE_ZONE.replace('"{city}"', '"city}"'))
    assert faults == ["zone[0].record[0].content: a } without its {; write }} for a brace"]


@pytest.mark.parametrize("key", ["type", "content"])
def test_a_template_needs_type_and_content(tmp_path: Path, key: str) -> None:
    line = {"type": 'type = "TXT"\n', "content": 'content = "{city}"\n'}[key]
    _, faults = load(tmp_path, TABLE_ZONE.replace(line, ""))
    assert faults == [f"zone[0].record[0].{key}: is missing; it must be a string"]


CSV = """\
code,city,lat,lon,metres
LAX,"Los Angeles, ""City of Angels\"\"\",33.94250,-118.40801,38.4
VIE,Wien,48.11030,16.56970,183

GRU,"two
lines",-23.43556,-46.47306,750
"""
AS_CSV = TABLE_ZONE.replace("cities.tsv", "cities.csv")


def csv_zone(folder: Path, octets: bytes, toml: str = AS_CSV) -> tuple[TableZone | None, list[str]]:
    (folder / "cities.csv").write_bytes(octets)
    age(folder / "cities.csv")
    return load(folder, toml, None)


def test_commas_and_quotes_are_read_by_the_name_of_the_file(tmp_path: Path) -> None:
    zone, faults = csv_zone(tmp_path, CSV.encode())
    assert zone is not None
    assert not faults
    assert found(zone, "lax.cities.example")[0] == ("TXT", r'"Los Angeles, \"City of Angels\""')
    assert found(zone, "gru.cities.example")[0] == ("TXT", r'"two\010lines"')
    assert zone.faults == []


def test_a_faulty_row_of_a_file_with_quotes_is_named_by_its_line(tmp_path: Path) -> None:
    zone, _ = csv_zone(tmp_path, CSV.replace("-23.43556", "95").encode())
    assert zone is not None
    assert [fault.partition(": ")[0] for fault in zone.faults] == [f"{tmp_path}/cities.csv:5"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_a_table_as_spreadsheets_write_it(tmp_path: Path, encoding: str, line_end: str) -> None:
    for text, toml, name in ((CITIES, TABLE_ZONE, "cities.tsv"), (CSV, AS_CSV, "cities.csv")):
        (tmp_path / name).write_bytes(text.replace("\n", line_end).encode(encoding))
        age(tmp_path / name)
        zone, faults = load(tmp_path, toml, None)
        assert faults == []
        assert zone is not None
        assert found(zone, "vie.cities.example")[0][1].startswith('"Wien')


@pytest.mark.parametrize(
    ("separator", "word"),
    [(",", 'are separated by commas: write separator = ","'), (";", "by semicolons"), ("|", "by bars")],
)
def test_what_separates_the_fields_is_said(tmp_path: Path, separator: str, word: str) -> None:
    with pytest.raises(ZoneFault, match=re.escape(word)):
        load(tmp_path, rows=CITIES.replace("\t", separator))


def test_semicolons_in_a_file_csv(tmp_path: Path) -> None:
    text = CSV.replace(",", ";").encode()
    with pytest.raises(ZoneFault, match='separator = ";"'):
        csv_zone(tmp_path, text)
    zone, faults = csv_zone(tmp_path, text, AS_CSV.replace("key =", 'separator = ";"\nkey ='))
    assert faults == []
    assert zone is not None
    assert found(zone, "lax.cities.example")


@pytest.mark.parametrize("separator", ["", "tab", '"', "\n"])
def test_a_separator_is_one_character(tmp_path: Path, separator: str) -> None:
    quoted = separator.replace('"', r"\"").replace("\n", r"\n")
    _, faults = load(tmp_path, TABLE_ZONE.replace("key =", f'separator = "{quoted}"\nkey ='))
    assert any("separator" in fault for fault in faults)


def test_a_quote_that_never_ends_is_named_by_its_line(tmp_path: Path) -> None:
    with pytest.raises(ZoneFault, match=r"cities\.csv:3: "):
        csv_zone(tmp_path, b'code,city,lat,lon,metres\nA,b,1,2,3\nB,"b,1,2,3\n')


def test_a_quote_that_ends_far_away_is_asked_about(tmp_path: Path) -> None:
    """The standard library's reader has a limit for a field."""
    with pytest.raises(ZoneFault, match=r"cities\.csv:2: .*limit.*is a quote missing"):
        csv_zone(tmp_path, b'code,city,lat,lon,metres\nA,"' + b"b" * 200_000 + b'",1,2,3\n')


def test_a_binary_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ZoneFault, match="not a table"):
        csv_zone(tmp_path, CSV.encode("utf-16-le"))


def test_a_quoted_cell_between_tabs_is_a_fault_and_served(tmp_path: Path) -> None:
    zone = zone_of(tmp_path, CITIES.replace("Los Angeles", '"Los Angeles"'))
    assert [fault.removeprefix(f"{tmp_path}/") for fault in zone.faults] == [
        'cities.tsv:2: city is "Los Angeles" with its quotes, which are text in a file with tabs; remove them, '
        "or write the file with commas"
    ]
    assert found(zone, "lax.cities.example")[0] == ("TXT", r'"\"Los Angeles\""')
