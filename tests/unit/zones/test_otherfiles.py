"""What is given for a zone file or a table and is something else is said in one line, with what to do."""

from __future__ import annotations

import io
import tarfile

import pytest

from pipebackend.base.errors import ZoneFault
from pipebackend.zones import otherfiles
from pipebackend.zones.kinds import tablefile
from pipebackend.zones.text import zonefile

ZONE = "$TTL 300\n@ SOA ns1 hostmaster 1 2 3 4 300\n@ NS ns1\nns1 A 192.0.2.1\n"


def tar():
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("zone"))
    return written.getvalue()


OTHERS = {
    "gzip": (b"\x1f\x8b\x08\x00", "gunzip it"),
    "tar": (tar(), "a tar archive, not a zone file; unpack it"),
    "UTF-16 with its mark": (ZONE.encode("utf-16"), "save it as UTF-8"),
    "UTF-16 without its mark": (ZONE.encode("utf-16-le"), "save it as UTF-8"),
    "UTF-16, big end first": (ZONE.encode("utf-16-be"), "save it as UTF-8"),
    "UTF-32": (ZONE.encode("utf-32"), "UTF-32, not a zone file; save it as UTF-8"),
    "workbook": (b"PK\x03\x04\x14\x00", "unzip it"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "Microsoft Office"),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\n", "a PDF document"),
    "RTF": (b"{\\rtf1\\ansi www A 192.0.2.1\\par}", "rich text (RTF), not a zone file; save it as plain text"),
    "program": (b"\x7fELF\x02\x01\x01" + bytes(60), "the file is binary"),
    "noise": (bytes(range(256)) * 2, "the file is binary"),
    "HTML": (b"\n<!DOCTYPE html>\n<title>404</title>\n", "save the zone file, not the page"),
    "HTML in one line": (b"<table><tr><td>www A 192.0.2.1</td></tr></table>", "save the zone file, not the page"),
    "HTML that a browser saved": (b"<!-- saved from url=(0014)about:internet -->\r\n<html>", "HTML or XML"),
    "records in HTML": (b"<pre>\n$ORIGIN example.org.\n@ SOA ns1 h 1 2 3 4 5\n</pre>", "HTML or XML"),
    "XML": (b'\xef\xbb\xbf<?xml version="1.0"?>\n', "HTML or XML"),
    "JSON": (b'{\n "name": "example.org."}', "the file is JSON"),
    "list in JSON": (b'[{"name": "www"}]', "the file is JSON"),
    "YAML": (b"---\n? ''\n: type: A\n", "the file is YAML"),
    "YAML without its mark": (b"# made by hand\nexample.org:\n  www:\n    type: A\n", "the file is YAML"),
    "key in PEM": (b"-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n", "PEM or PGP, as keys are"),
    "named.conf": (b'// local\nzone "example.org" IN {\n type master;\n};\n', "named.conf or a part of it"),
    "options of BIND": (b"/* c\n c */ options {\n};\n", "named.conf or a part of it"),
    "tinydns": (b"# hosts\n.example.org:192.0.2.1:a:259200\n", "the data file of tinydns"),
}


@pytest.mark.parametrize(("octets", "said"), OTHERS.values(), ids=list(OTHERS))
def test_another_kind_of_file_is_one_line_that_says_what_to_do(tmp_path, octets, said):
    path = tmp_path / "file"
    path.write_bytes(octets)
    with pytest.raises(ZoneFault) as caught:
        zonefile.read(str(path), "example.org")
    [line] = str(caught.value).splitlines()
    assert line.startswith(f"{path}: the file is ")
    assert said in line


@pytest.mark.parametrize(
    "first",
    [
        *("", "; <html> { -----BEGIN", "---\t300 TXT x", "[ 300 TXT x", "{ 300 TXT x", "key 300 TXT {"),
        *(
            "zone 300 TXT x",
            "--- 300 IN TXT x",
            "=a 300 TXT x:y",
            "C.a 300 TXT ::",
            "<a> 300 TXT x",
            "b\u00fc 300 TXT x",
        ),
    ],
)
def test_a_zone_file_is_read_however_it_begins(tmp_path, first):
    path = tmp_path / "zone"
    path.write_text(f"{first}\n{ZONE}")
    assert len(zonefile.read(str(path), "example.org").records) == 3 + (" 300 " in first or "\t300 " in first)


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (b"PK\x03\x04\x14\x00", "a workbook or another ZIP archive, not a table; save the sheet as CSV in UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "save the sheet as CSV in UTF-8"),
        (b"\x1f\x8b\x08\x00", "compressed by gzip, not a table; gunzip it"),
        (b"SQLite format 3\0", "export the table as CSV"),
        ("host,ip\n".encode("utf-16-le"), "UTF-16, not a table; save it as UTF-8"),
        ("host,ip\n".encode("utf-32"), "UTF-32, not a table; save it as UTF-8"),
        (b"\x7fELF\x02\x01\x01" + bytes(60), "the file is binary, not a table"),
        (b"", "no column 'host'; the file is empty"),
        (b"sep=;\r\nhost;ip\r\n", 'sep=; is for spreadsheets alone: remove the line, and write separator = ";"'),
        (b"Hosts of 2026,\r\n,\r\nhost,ip\r\n", "line 3 has it: remove the lines before it"),
        (b"host;ip\nweb;192.0.2.1\n", 'separated by semicolons: write separator = ";"'),
    ],
)
def test_what_is_not_a_table_is_one_line_that_says_what_to_do(tmp_path, octets, said):
    path = tmp_path / "file"
    path.write_bytes(octets)
    with pytest.raises(ZoneFault) as caught:
        tablefile.read(str(path), "host", ",")
    [line] = str(caught.value).splitlines()
    assert said in line


def test_a_table_in_utf_16_is_one():
    assert otherfiles.of_table("host,ip\n".encode("utf-16")) == ""


def test_empty_rows_of_a_sheet_are_no_rows(tmp_path):
    path = tmp_path / "hosts.csv"
    path.write_bytes(b"host,ip\r\nweb,192.0.2.1\r\n,\r\n,\r\n")
    assert tablefile.read(str(path), "host", ",").by_key() == {"web": 0}
