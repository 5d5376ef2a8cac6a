"""Custom zones: what a user's class may return, what it may do wrong, and how it is loaded."""

import os
import sys
import tomllib
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from pipebackend.base.errors import NotListable, ZoneFault
from pipebackend.config.configuration import Config, Section
from pipebackend.dnsdata import names, records
from pipebackend.dnsdata.records import Record
from pipebackend.zones import registry
from pipebackend.zones.kinds import custom

APEX = "my.example.net"
SOA = {"mname": "ns1.example.net", "rname": "hostmaster.example.net", "serial": 1}
ANYONE = records.Client()
DOCS = Path(__file__).parents[3] / "docs" / "zones.md"


@pytest.fixture(autouse=True)
def _same_path():
    """What a load adds to the module path is gone after the test."""
    before = list(sys.path)
    yield
    sys.path[:] = before


def load(tmp_path, ident=10_000, **changes):
    """The zone of a configuration beside the modules in ``tmp_path``, and the faults."""
    table = {"name": "My.example.net", "object": "mine:Mine", "ttl": 60, "soa": SOA, "ns": ["ns1.example.net"]}
    faults = []
    section = Section(Config("test.toml", str(tmp_path), {}), table | changes, "zone[0]", faults)
    zone = custom.load(section, section.name("name").lower(), ident)
    section.finish()
    return zone, faults


def zone_of(tmp_path, source, **changes):
    (tmp_path / "mine.py").write_text(source)
    zone, faults = load(tmp_path, **changes)
    assert faults == []
    return zone


def answering(tmp_path, expression, **changes):
    """A zone whose class returns the value of an expression."""
    return zone_of(
        tmp_path, f"class Mine:\n    def lookup(self, name, client):\n        return {expression}\n", **changes
    )


def faults_of_loading(tmp_path, source, **changes):
    with pytest.raises(ZoneFault) as caught:
        zone_of(tmp_path, source, **changes)
    return caught.value


def test_tuples_are_records(tmp_path):
    zone = answering(
        tmp_path, '[("A", "192.0.2.1"), ("txt", "h\\u00e9 \\"q\\"", 5), ("MX", "10 mail.example.net.", None, 24)]'
    )
    assert zone.find(f"www.{APEX}", ANYONE) == (
        Record("www.My.example.net", "A", 60, "192.0.2.1"),
        Record("www.My.example.net", "TXT", 5, '"h\\195\\169 \\"q\\""'),
        Record("www.My.example.net", "MX", 60, "10 mail.example.net", scope=24),
    )


def test_rr_names_the_fields(tmp_path):
    zone = zone_of(
        tmp_path,
        "from ipaddress import ip_address\n"
        "from pipebackend import RR\n"
        "class Mine:\n"
        "    def lookup(self, name, client):\n"
        "        yield RR('A', ip_address('192.0.2.9'), ttl=7, scope=32)\n",
    )
    assert zone.find(f"x.{APEX}", ANYONE) == (Record("x.My.example.net", "A", 7, "192.0.2.9", scope=32),)


def test_none_is_no_name_and_empty_is_no_data(tmp_path):
    zone = answering(tmp_path, '{"there": []}.get(name)')
    assert zone.find(f"there.{APEX}", ANYONE) == ()
    assert zone.find(f"gone.{APEX}", ANYONE) is None


def test_the_apex_has_our_records_and_the_users(tmp_path):
    zone = answering(tmp_path, '[("TXT", repr(name))]', records=["www A 192.0.2.1", "a.b TXT c"])
    assert [record.type for record in zone.find(APEX, ANYONE)] == ["SOA", "NS", "TXT"]
    assert zone.find(APEX, ANYONE)[2].content == "\"''\""
    assert [record.type for record in zone.find(f"www.{APEX}", ANYONE)] == ["A", "TXT"]
    assert zone.soa().content.split()[2] == "1"


def test_fixed_records_stay_where_the_user_has_nothing(tmp_path):
    zone = answering(tmp_path, "None", records=["a.b TXT c"])
    assert [record.type for record in zone.find(f"a.b.{APEX}", ANYONE)] == ["TXT"]
    assert zone.find(f"b.{APEX}", ANYONE) == ()


def test_below_a_delegation_nothing_is_authoritative(tmp_path):
    zone = answering(
        tmp_path,
        '{"sub": [("NS", "ns.sub.my.example.net")], "ns.sub": [("A", "192.0.2.1")]}.get(name)',
    )
    assert [record.auth for record in zone.find(f"sub.{APEX}", ANYONE)] == [False]
    assert [record.auth for record in zone.find(f"ns.sub.{APEX}", ANYONE)] == [False]
    fixed = answering(tmp_path, '[("A", "192.0.2.1")]', records=["sub NS ns.example.org"])
    assert [record.auth for record in fixed.find(f"x.sub.{APEX}", ANYONE)] == [False]


def test_client_has_values(tmp_path):
    zone = answering(tmp_path, '[("TXT", f"{client.address!r} {client.subnet!r} {client.local!r}")]')
    (record,) = zone.find(f"x.{APEX}", records.Client("192.0.2.7", "2001:db8::1", "198.51.100.0/24"))
    assert (
        record.content
        == f'"{ip_address("192.0.2.7")!r} {ip_network("198.51.100.0/24")!r} {ip_address("2001:db8::1")!r}"'
    )


@pytest.mark.parametrize(
    "asked", [ANYONE, records.Client("0.0.0.0", "0.0.0.0", "0.0.0.0/0"), records.Client("x", "y", "z")]
)
def test_client_is_none_where_nobody_asks(asked):
    client = custom.Client(asked)
    assert (client.address, client.local, client.subnet) == (None, None, None)


def test_options_are_keyword_arguments(tmp_path):
    source = (
        "class Mine:\n"
        "    def __init__(self, word):\n"
        "        self.word = word\n"
        "    def lookup(self, name, client):\n"
        "        return [('TXT', self.word)]\n"
    )
    zone = zone_of(tmp_path, source, options={"word": "hi"})
    assert zone.find(f"x.{APEX}", ANYONE)[0].content == '"hi"'


LISTED = """
class Mine:
    there = {"a": [("A", "192.0.2.1")], "c.b": [("TXT", "x")]}
    def names(self):
        return [*self.there, "never"]
    def lookup(self, name, client):
        return self.there.get(name)
"""


def test_listed_names_make_transfer_ring_and_empty_non_terminals(tmp_path):
    zone = zone_of(tmp_path, LISTED)
    assert not zone.narrow
    assert zone.ring().neighbours(f"b.{APEX}") == ("a.My.example.net", "c.b.My.example.net")
    assert zone.ring() is zone.ring()
    assert zone.find(f"b.{APEX}", ANYONE) == ()
    assert zone.find(f"never.{APEX}", ANYONE) is None
    found = list(zone.listing())
    assert [(record.owner.lower(), record.type) for record in found] == [
        (APEX, "SOA"),
        (APEX, "NS"),
        (f"a.{APEX}", "A"),
        (f"c.b.{APEX}", "TXT"),
        (f"b.{APEX}", ""),
    ]


def test_ring_follows_the_names(tmp_path):
    zone = zone_of(tmp_path, LISTED)
    assert zone.ring().neighbours(f"z.{APEX}")[0] == "c.b.My.example.net"
    zone._target.there["y"] = []
    assert zone.ring().neighbours(f"z.{APEX}")[0] == "c.b.My.example.net"
    zone._target.there["y"] = [("TXT", "new")]
    del zone._target.there["a"]
    assert zone.ring().neighbours(f"z.{APEX}")[0] == "y.My.example.net"


def test_without_names_there_is_no_listing(tmp_path):
    zone = answering(tmp_path, "[]")
    assert zone.narrow
    assert zone.ring() is None
    with pytest.raises(NotListable, match=r"my\.example\.net: mine:Mine has no method names\(\)"):
        zone.listing()


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("__import__('sys').exit(3)", "SystemExit: 3"),
        ("(_ for _ in ()).throw(__import__('asyncio').CancelledError())", "CancelledError"),
        ("7", "TypeError: "),
        ("'A'", "TypeError: a list is wanted, not 'A'"),
        ("(x for x in [1 / 0])", "ZeroDivisionError"),
    ],
)
def test_what_goes_wrong_in_user_code_is_one_fault_with_traceback(tmp_path, capfd, expression, said):
    zone = answering(tmp_path, expression)
    with pytest.raises(ZoneFault) as caught:
        zone.find(f"www.{APEX}", ANYONE)
    assert str(caught.value).startswith("zone my.example.net: mine:Mine.lookup('www') failed: ")
    assert said in str(caught.value)
    log = capfd.readouterr().err
    assert "Traceback (most recent call last)" in log
    assert "mine.py" in log or "_items" in log


def test_ctrl_c_is_not_caught(tmp_path):
    zone = zone_of(tmp_path, "class Mine:\n    def lookup(self, name, client):\n        raise KeyboardInterrupt\n")
    with pytest.raises(KeyboardInterrupt):
        zone.find(f"www.{APEX}", ANYONE)


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ("'A'", "must be (type, content)"),
        ("('A',)", "must be (type, content)"),
        ("('A', '192.0.2.1', 1, 2, 3)", "must be (type, content)"),
        ("(1, '192.0.2.1')", "must be (type, content)"),
        ("('A', 'x')", "'x' is not an IPv4 address"),
        ("('A', None)", "'None' is not an IPv4 address"),
        ("('MX', 10)", "content must be str, not int"),
        ("('TXT', b'x')", "content must be str, not bytes"),
        ("('CNAME', 'a..b')", "empty label"),
        ("('TXT', 'x', -1)", "ttl must be a whole number from 0 to 2147483647, not -1"),
        ("('TXT', 'x', True)", "ttl must be"),
        ("('TXT', 'x', 1.5)", "ttl must be"),
        ("('TXT', 'x', 2**31)", "ttl must be"),
        ("('TXT', 'x', 1, 129)", "scope must be"),
        ("('SOA', 'a b 1 2 3 4 5')", "SOA record is written in the configuration"),
        ("('', 'x')", "has no type"),
    ],
)
def test_bad_record_is_a_fault_that_names_it(tmp_path, item, said):
    zone = answering(tmp_path, f"[('TXT', 'good'), {item}]")
    with pytest.raises(ZoneFault) as caught:
        zone.find(f"www.{APEX}", ANYONE)
    assert "zone my.example.net: mine:Mine at www.My.example.net: record " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize("given", ["[1]", "['a..b']", "'abc'", "1 / 0", "['" + "x." * 120 + "x']"])
def test_bad_names_are_a_fault(tmp_path, given):
    source = (
        "class Mine:\n"
        "    def names(self):\n"
        f"        return {given}\n"
        "    def lookup(self, name, client):\n"
        "        return None\n"
    )
    zone = zone_of(tmp_path, source)
    with pytest.raises(ZoneFault, match=r"zone my\.example\.net: mine:Mine\.names\(\)"):
        zone.ring()
    assert zone.find(APEX, ANYONE)


@pytest.mark.parametrize("text", ["mine", "mine:", ":Mine", "mine.py:Mine:x", "../mine:Mine", "mi ne:Mine"])
def test_object_must_be_module_and_class(tmp_path, text):
    zone, faults = load(tmp_path, object=text)
    assert zone is None
    assert faults == [f"test.toml: zone[0].object: must be written module:class, as in my_zones:Clock, not {text!r}"]


def test_missing_folder_is_a_fault(tmp_path):
    zone, faults = load(tmp_path, path="nowhere")
    assert zone is None
    assert faults == [f"test.toml: zone[0].path: there is no folder {tmp_path / 'nowhere'}"]


def test_missing_module_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(ZoneFault) as caught:
        load(tmp_path, object="absent:Mine")
    assert f"object 'absent:Mine': there is no module 'absent', neither in {tmp_path} nor installed" in str(
        caught.value
    )
    assert caught.value.sources == (str(tmp_path / "absent.py"),)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("x = 1\nx = (\n", "{0}/mine.py:2: object 'mine:Mine': SyntaxError: '(' was never closed"),
        (
            "\nimport absent_thing\n",
            "{0}/mine.py:2: object 'mine:Mine': ModuleNotFoundError: No module named 'absent_thing'",
        ),
        ("\n\n1 / 0\n", "{0}/mine.py:3: object 'mine:Mine': ZeroDivisionError"),
        ("import sys\nsys.exit(1)\n", "{0}/mine.py:2: object 'mine:Mine': SystemExit: 1"),
        ("x = '\0'", "{0}/mine.py"),
        ("class Yours: pass\n", "object 'mine:Mine': {0}/mine.py has no attribute 'Mine'"),
        ("Mine = 7\n", "object 'mine:Mine': must be a class, or a function that makes the object, not int"),
        ("class Mine: pass\n", "object 'mine:Mine': Mine has no method lookup(name, client)"),
        (
            "class Mine:\n    def __init__(self):\n        1 / 0\n",
            "{0}/mine.py:3: object 'mine:Mine': ZeroDivisionError",
        ),
        ("class Mine:\n    def __init__(self, x): ...\n", "{0}/mine.py: object 'mine:Mine': TypeError: "),
    ],
)
def test_unusable_object_says_where_and_why(tmp_path, source, said):
    fault = faults_of_loading(tmp_path, source)
    assert said.format(tmp_path) in str(fault)
    assert fault.sources[0] == str(tmp_path / "mine.py")


def test_a_fault_in_a_module_beside_names_that_file(tmp_path):
    (tmp_path / "beside_bad.py").write_text("1 / 0\n")
    before = set(sys.modules)
    fault = faults_of_loading(tmp_path, "import beside_bad\n", ident=777)
    assert str(fault).startswith(f"{tmp_path}/beside_bad.py:1: ")
    assert fault.sources == (str(tmp_path / "mine.py"), str(tmp_path / "beside_bad.py"))
    assert set(sys.modules) == before


def test_modules_beside_are_sources_and_not_shared(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "beside.py").write_text(f"word = {folder!r}\n")
        (tmp_path / folder / "mine.py").write_text(
            "import beside\nclass Mine:\n    def lookup(self, name, client):\n        return [('TXT', beside.word)]\n"
        )
    one, _ = load(tmp_path, path="one", ident=1)
    two, _ = load(tmp_path, path="two", ident=2)
    assert [zone.find(f"x.{APEX}", ANYONE)[0].content for zone in (one, two)] == ['"one"', '"two"']
    assert one.sources == (str(tmp_path / "one" / "mine.py"), str(tmp_path / "one" / "beside.py"))
    assert "beside" not in sys.modules
    assert not list(tmp_path.rglob("__pycache__"))


def test_two_zones_have_a_module_each(tmp_path):
    source = (
        "count = 0\n"
        "class Mine:\n"
        "    def lookup(self, name, client):\n"
        "        global count\n"
        "        count += 1\n"
        "        return [('TXT', str(count))]\n"
    )
    one = zone_of(tmp_path, source, ident=1)
    two = zone_of(tmp_path, source, ident=2)
    assert [zone.find(f"x.{APEX}", ANYONE)[0].content for zone in (one, one, two)] == ['"1"', '"2"', '"1"']


def test_packages_and_dataclasses_work(tmp_path):
    package = tmp_path / "pack"
    package.mkdir()
    (package / "__init__.py").write_text("from .part import Mine\n")
    (package / "part.py").write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass Mine:\n"
        "    word: str = 'packed'\n    def lookup(self, name, client):\n        return [('TXT', self.word)]\n"
    )
    whole, _ = load(tmp_path, object="pack:Mine")
    part, _ = load(tmp_path, object="pack.part:Mine", ident=2)
    assert [zone.find(f"x.{APEX}", ANYONE)[0].content for zone in (whole, part)] == ['"packed"'] * 2


def test_installed_modules_are_imported(tmp_path):
    with pytest.raises(ZoneFault, match="OrderedDict has no method lookup"):
        load(tmp_path, object="collections:OrderedDict")


def test_function_and_nested_class_make_the_object(tmp_path):
    source = (
        "class Outer:\n"
        "    class Mine:\n"
        "        def lookup(self, name, client):\n"
        "            return []\n"
        "def make():\n"
        "    return Outer.Mine()\n"
    )
    (tmp_path / "mine.py").write_text(source)
    for text in ("mine:make", "mine:Outer.Mine"):
        zone, faults = load(tmp_path, object=text)
        assert faults == []
        assert zone.find(f"x.{APEX}", ANYONE) == ()


def test_a_changed_module_is_loaded_anew_and_a_broken_one_is_not(tmp_path):
    config = Config(
        "",
        str(tmp_path),
        {"zone": [{"name": APEX, "kind": "custom", "object": "mine:Mine", "soa": SOA, "ns": ["ns.aa"]}]},
    )

    def write(source):
        (tmp_path / "mine.py").write_text(source)
        os.utime(tmp_path / "mine.py", (1_000_000_000 + len(source), 1_000_000_000 + len(source)))

    def word(current):
        return current.by_apex[APEX].find(f"x.{APEX}", ANYONE)[0].content

    source = "class Mine:\n    def lookup(self, name, client):\n        return [('TXT', 'old')]\n"
    write(source)
    first = registry.load(config)
    assert word(first) == '"old"'
    write(source.replace("old", "newer"))
    assert first.is_stale()
    second = registry.load(config, first)
    assert (word(first), word(second)) == ('"old"', '"newer"')
    write("class Mine:\n")
    third = registry.load(config, second)
    assert word(third) == '"newer"'
    assert "mine.py:1" in "".join(third.entry(APEX).faults)
    write(source.replace("old", "mended"))
    assert word(registry.load(config, third)) == '"mended"'


def documented():
    """The examples of docs/zones.md: each module of the section Custom with the configuration that follows it."""
    section = DOCS.read_text().partition("\n## Custom\n")[2].partition("\n## ")[0]
    blocks = [block.partition("\n") for block in section.split("```")[1::2]]
    assert [language for language, _, _ in blocks] == ["python", "toml"] * 3
    return [(python, toml) for (_, _, python), (_, _, toml) in zip(blocks[::2], blocks[1::2], strict=True)]


@pytest.fixture
def shown(tmp_path, request):
    """The zone of one documented example, made as the text says."""
    python, toml = documented()[request.param]
    table = tomllib.loads(toml)["zone"][0]
    (tmp_path / python.split()[1]).write_text(python)
    current = registry.load(Config("", str(tmp_path), {"zone": [table]}))
    return current.by_apex[names.from_text(table["name"])]


@pytest.mark.parametrize("shown", [0], indirect=True)
def test_documented_clock(shown):
    (record,) = shown.find("utc.clock.example.net", ANYONE)
    assert (record.type, record.ttl, len(record.content)) == ("TXT", 1, len('"12:34:56"'))
    assert shown.find("cet.clock.example.net", ANYONE) is None


@pytest.mark.parametrize("shown", [1], indirect=True)
def test_documented_nearest(shown):
    near = shown.find("www.near.example.net", records.Client("192.0.2.7"))
    far = shown.find("www.near.example.net", records.Client("203.0.113.7"))
    assert [(r.content, r.ttl, r.scope) for r in (*near, *far)] == [
        ("192.0.2.80", 60, 24),
        ("198.51.100.80", 60, 32),
    ]


@pytest.mark.parametrize("shown", [2], indirect=True)
def test_documented_phones(shown):
    assert '"ada is at +4930111"' in [record.content for record in shown.find("ada.phone.office.example.net", ANYONE)]
    assert shown.find("phone.office.example.net", ANYONE) == ()
    assert shown.ring().neighbours("bob.phone.office.example.net") == (
        "ada.phone.office.example.net",
        "grace.phone.office.example.net",
    )
    assert len(list(shown.listing())) == 2 + 2 * 2 + 1
