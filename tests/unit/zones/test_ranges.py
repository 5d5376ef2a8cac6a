"""Ranges zones: computed names, what fixed records do to them, and the faults of a configuration."""

import pytest

from pipebackend.base.errors import NotListable, ZoneFault
from pipebackend.config.configuration import Config, Section
from pipebackend.dnsdata.nsec3param import Nsec3Param
from pipebackend.dnsdata.records import Client, Record
from pipebackend.zones.kinds import ranges
from pipebackend.zones.tree import Tree

FORWARD = {
    "name": "Dyn.example.net",
    "ranges": ["192.0.2.128/25", "2001:db8::/45"],
    "ttl": 60,
    "soa": {"mname": "ns1.example.net", "rname": "hostmaster.example.net"},
    "ns": ["ns1.example.net"],
}
REVERSE = FORWARD | {"name": "2.0.192.IN-ADDR.arpa", "ranges": ["192.0.2.128/25"], "domain": "dyn.example.net"}
REVERSE6 = REVERSE | {"name": "8.b.d.0.1.0.0.2.ip6.arpa", "ranges": ["2001:db8::/45"]}
ANYONE = Client()


def load(table, **changes):
    """The zone of a configuration, and the faults."""
    table = table | changes
    faults = []
    section = Section(Config("test.toml", ".", {}), table, "zone[0]", faults)
    zone = ranges.load(section, section.name("name").lower(), 10_000)
    section.finish()
    return zone, faults


def zone_of(table, **changes):
    zone, faults = load(table, **changes)
    assert faults == []
    return zone


def faults_of(table, **changes):
    zone, faults = load(table, **changes)
    assert zone is None
    return faults


def test_forward_name_gives_its_address():
    zone = zone_of(FORWARD)
    assert zone.find("host-192-0-2-130.dyn.example.net", ANYONE) == (
        Record("host-192-0-2-130.Dyn.example.net", "A", 60, "192.0.2.130"),
    )
    v6 = "host-2001-0db8-0007-0000-0000-0000-0000-00ff"
    assert zone.find(f"{v6}.dyn.example.net", ANYONE) == (
        Record(f"{v6}.Dyn.example.net", "AAAA", 60, "2001:db8:7::ff"),
    )


def test_reverse_name_points_to_the_host():
    zone = zone_of(REVERSE)
    assert zone.find("200.2.0.192.in-addr.arpa", ANYONE) == (
        Record("200.2.0.192.IN-ADDR.arpa", "PTR", 60, "host-192-0-2-200.dyn.example.net"),
    )


def test_reverse_ipv6_name_points_to_the_host():
    name = "1." + "0." * 19 + "7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    (record,) = zone_of(REVERSE6).find(name, ANYONE)
    assert record == Record(name, "PTR", 60, "host-2001-0db8-0007-0000-0000-0000-0000-0001.dyn.example.net")


@pytest.mark.parametrize(
    "label",
    [
        "host-192-0-2-127",  # below the range
        "host-192-0-3-128",
        "host-192-0-2-0200",
        "host-192-0-2-256",
        "host-192-0-2",
        "host-192-0-2-200-",
        "host-192-0-2-200x",
        "ghost-192-0-2-200",
        "host-",
        "host-2001-db8-0000-0000-0000-0000-0000-0001",
        "host-2001-0db8-0008-0000-0000-0000-0000-0001",  # above the range
        "host-2001-0db8-0000-0000-0000-0000-0000-000g",
        "x.host-192-0-2-200",
        "host-192-0\\.2-200",
    ],
)
def test_only_the_canonical_name_of_an_address_inside_exists(label):
    assert zone_of(FORWARD).find(f"{label}.dyn.example.net", ANYONE) is None


@pytest.mark.parametrize("label", ["127", "0200", "256", "x", "1.200", "-1", "\\050"])
def test_only_octets_of_the_range_exist_in_the_reverse_zone(label):
    assert zone_of(REVERSE).find(f"{label}.2.0.192.in-addr.arpa", ANYONE) is None


def test_empty_non_terminals_exist_where_the_range_is():
    zone = zone_of(REVERSE6)
    assert zone.find("7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ANYONE) == ()
    assert zone.find("f.f.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ANYONE) == ()
    assert zone.find("8.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ANYONE) is None
    assert zone.find("10.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ANYONE) is None


def test_names_between_the_zone_and_a_deeper_domain_are_empty():
    zone = zone_of(FORWARD, domain="a.b.dyn.example.net")
    assert zone.find("b.dyn.example.net", ANYONE) == ()
    assert zone.find("a.b.dyn.example.net", ANYONE) == ()
    assert zone.find("c.b.dyn.example.net", ANYONE) is None
    assert zone.find("host-192-0-2-200.a.b.dyn.example.net", ANYONE)
    assert zone.ring().neighbours("b.dyn.example.net") == (
        "dyn.example.net",
        "host-192-0-2-128.a.b.dyn.example.net",
    )


def test_a_fixed_name_has_its_records_alone():
    zone = zone_of(REVERSE, records=["200 TXT printer"])
    assert [record.type for record in zone.find("200.2.0.192.in-addr.arpa", ANYONE)] == ["TXT"]


def test_a_name_above_a_fixed_one_keeps_its_computed_records():
    zone = zone_of(REVERSE, records=["x.200 TXT printer"])
    assert [record.type for record in zone.find("200.2.0.192.in-addr.arpa", ANYONE)] == ["PTR"]


@pytest.mark.parametrize("line", ["7.0.0.0 NS ns.example.org", "7.0.0.0 DNAME 7.example.org"])
def test_nothing_is_computed_below_a_delegation_or_dname(line):
    zone = zone_of(REVERSE6, records=[line])
    top = "0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    inside = ".".join("0" * 20)
    assert zone.find(f"{inside}.7.{top}", ANYONE) is None
    assert zone.find(f"0.7.{top}", ANYONE) is None
    assert zone.find(f"{inside}.6.{top}", ANYONE)
    last = ".".join("f" * 20)
    assert zone.ring().neighbours(f"{inside}.7.{top}") == (f"7.{top}", "8.b.d.0.1.0.0.2.ip6.arpa")
    assert zone.ring().neighbours(f"6.{top}")[0] == f"{last}.5.{top}"


def test_glue_below_a_delegation_is_not_authoritative():
    zone = zone_of(REVERSE6, records=["7.0.0.0 NS ns.7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "ns.7.0.0.0 A 192.0.2.1"])
    (glue,) = zone.find("ns.7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", ANYONE)
    assert (glue.type, glue.auth) == ("A", False)


def test_a_ring_of_hidden_names_is_the_fixed_names():
    zone = zone_of(FORWARD, domain="d.dyn.example.net", records=["d NS ns.example.org"])
    assert zone.ring().neighbours("x.d.dyn.example.net") == ("d.Dyn.example.net", "dyn.example.net")
    assert zone.find("host-192-0-2-200.d.dyn.example.net", ANYONE) is None


def test_rfc_2317_zone_has_the_last_octets():
    zone = zone_of(REVERSE, name="128/25.2.0.192.in-addr.arpa")
    (record,) = zone.find("200.128/25.2.0.192.in-addr.arpa", ANYONE)
    assert record.content == "host-192-0-2-200.dyn.example.net"


def test_text_behind_the_address_orders_the_names():
    zone = zone_of(FORWARD, template="{address}a", ranges=["192.0.2.0/24"])
    assert zone.ring().neighbours("192-0-2-1a.dyn.example.net")[1] == "192-0-2-200a.Dyn.example.net"
    assert zone.ring().neighbours("192-0-2-10a.dyn.example.net")[1] == "192-0-2-110a.Dyn.example.net"


def test_the_next_name_is_spelled_as_in_a_transfer():
    """Its case is signed (RFC 6840 section 5.1); it was in lower case here."""
    zone = zone_of(FORWARD, template="H{address}", ranges=["192.0.2.128/25"], records=["Www A 192.0.2.1"])
    ring, spelled = zone.ring(), {record.owner for record in zone.listing()}
    assert ring.neighbours("h192-0-2-130.dyn.example.net")[1] in spelled
    assert ring.neighbours("w.dyn.example.net")[1] == "Www.Dyn.example.net"


def test_listing_is_the_zone_with_empty_non_terminals():
    zone = zone_of(REVERSE, ranges=["192.0.2.200/31"], records=["x.y TXT z"])
    found = list(zone.listing())
    assert found[0] == zone.soa()
    assert [record.owner for record in found if record.type == "PTR"] == [
        "200.2.0.192.IN-ADDR.arpa",
        "201.2.0.192.IN-ADDR.arpa",
    ]
    assert Record("y.2.0.192.in-addr.arpa", "", 0, "") in found


def test_too_many_names_are_not_listed():
    zone = zone_of(REVERSE6)
    with pytest.raises(NotListable, match=r"has 9671406556917033397649408 computed names.*max_listed = 65536;"):
        zone.listing()
    assert len(list(zone_of(REVERSE, max_listed=128).listing())) == 2 + 128
    with pytest.raises(NotListable, match="128 computed names"):
        zone_of(REVERSE, max_listed=127).listing()


def test_a_range_ends_where_it_says_and_has_its_ttl():
    zone = zone_of(FORWARD, ranges=["192.0.2.10-192.0.2.19 300", "192.0.2.128/25", "2001:db8::9-2001:db8::10 0"])

    def ttls(label):
        return [record.ttl for record in zone.find(f"{label}.dyn.example.net", ANYONE) or ()]

    assert [ttls(f"host-192-0-2-{last}") for last in (9, 10, 19, 20, 128)] == [[], [300], [300], [], [60]]
    group = "host-2001-0db8-0000-0000-0000-0000-0000-00"
    assert [ttls(group + last) for last in ("08", "09", "10", "11")] == [[], [0], [0], []]
    assert len([record for record in zone.listing() if record.type == "A"]) == 10 + 128


OVER_FILE = """\
$TTL 60
@ SOA ns1.example.net. hostmaster.example.net. 5 2 3 4 60
@ NS host-192-0-2-130
mail MX 10 host-192-0-2-131
bad MX 10 host-192-0-2-1
host-192-0-2-132 TXT "of the file"
"""


def test_ranges_lie_over_a_zone_file_whose_records_win(tmp_path):
    (tmp_path / "zone").write_text(OVER_FILE)
    zone = zone_of({"name": "Dyn.example.net", "ranges": ["192.0.2.128/25"], "file": str(tmp_path / "zone")})
    assert zone.soa().content.split()[2] == "5"
    assert [record.type for record in zone.find("host-192-0-2-132.dyn.example.net", ANYONE)] == ["TXT"]
    assert [record.ttl for record in zone.find("host-192-0-2-133.dyn.example.net", ANYONE)] == [3600]
    assert zone.find("mail.dyn.example.net", ANYONE)
    assert zone.sources == (str(tmp_path / "zone"),)
    (fault,) = zone.faults
    assert fault.startswith(f"{tmp_path}/zone:5: bad.dyn.example.net MX: host-192-0-2-1.dyn.example.net has no address")


def test_the_check_of_a_reverse_zone_takes_names_elsewhere_for_nothing_of_its_own(tmp_path):
    text = "$TTL 60\n@ SOA ns1.example.net. h.example.net. 5 2 3 4 60\n@ NS ns1.example.net.\n9 PTR x.\n8 PTR 130.y.\n"
    (tmp_path / "zone").write_text(text)
    table = {"name": "2.0.192.in-addr.arpa", "domain": "dyn.example.net", "ranges": ["192.0.2.128/25"]}
    zone = zone_of(table | {"file": str(tmp_path / "zone")})
    assert list(zone.faults) == []
    assert zone.find("200.2.0.192.in-addr.arpa", ANYONE)


def test_what_a_file_says_is_not_said_again(tmp_path):
    (tmp_path / "zone").write_text(OVER_FILE)
    table = {"name": "Dyn.example.net", "ranges": ["192.0.2.128/25"], "file": str(tmp_path / "zone")}
    _, faults = load(table, soa=FORWARD["soa"])
    assert ["soa: unknown key" in fault for fault in faults] == [True]
    assert any("file: must not be empty" in fault for fault in faults_of(table, file=""))
    with pytest.raises(ZoneFault, match="none: cannot be read"):
        load(table, file="none")


def test_hashes_cannot_be_put_in_order():
    zone = zone_of(FORWARD)
    assert zone.narrow
    with pytest.raises(NotListable, match=r"dyn\.example\.net.*NSEC3 narrow"):
        zone.ring().hashed_neighbours("0" * 32, Nsec3Param())


def test_a_zone_says_what_it_is():
    zone = zone_of(FORWARD)
    assert (zone.kind, zone.dynamic, zone.ident, zone.apex) == ("ranges", False, 10_000, "dyn.example.net")
    assert zone.soa().type == "SOA"
    assert {record.type for record in zone.find("dyn.example.net", ANYONE)} == {"SOA", "NS"}


def test_thousand_ranges_are_served():
    zone = zone_of(FORWARD, ranges=[f"10.{i // 256}.{i % 256}.0/25" for i in range(1000)])
    assert zone.find("host-10-3-200-127.dyn.example.net", ANYONE)
    assert zone.find("host-10-3-200-128.dyn.example.net", ANYONE) is None


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"ranges": []}, "ranges", "is empty"),
        ({"ranges": ["192.0.2.9-192.0.2.1"]}, "ranges", "write the lower address first"),
        ({"ranges": ["192.0.2.9-2001:db8::1"]}, "ranges", "both of one IP version"),
        ({"ranges": ["192.0.2.9-x"]}, "ranges", "192.0.2.9-x is not a range of addresses"),
        ({"ranges": ["192.0.2.0/24 soon"]}, "ranges", "is its TTL, a number up to 2147483647"),
        ({"ranges": ["192.0.2.0/24 2147483648"]}, "ranges", "is its TTL, a number up to 2147483647"),
        (
            {"ranges": ["192.0.2.0/24", "192.0.2.255-192.0.3.1"]},
            "ranges",
            "192.0.2.255-192.0.3.1 overlaps",
        ),
        ({"ranges": ["192.0.2.0/33"]}, "ranges", "'192.0.2.0/33' is not an IP prefix"),
        ({"ranges": ["192.0.2.1/24"]}, "ranges", "has bits set after its prefix; write 192.0.2.0/24"),
        ({"ranges": ["2001:db8::1/48"]}, "ranges", "has bits set after its prefix; write 2001:db8::/48"),
        ({"ranges": ["192.0.2.0/24", "192.0.2.128/25"]}, "ranges", "192.0.2.128/25 overlaps 192.0.2.0/24"),
        ({"template": "host"}, "template", "must hold {address} once"),
        ({"template": "{address}-{address}"}, "template", "must hold {address} once"),
        ({"template": "host_{address}"}, "template", "makes no host label"),
        ({"template": "{address}.pool"}, "template", "makes no host label"),
        ({"template": "-{address}"}, "template", "makes no host label"),
        ({"template": "{address}-"}, "template", "makes no host label"),
        ({"template": "x" * 25 + "{address}"}, "template", "is longer than 63 octets"),
        ({"domain": ".".join(["x" * 60] * 4) + ".dyn.example.net"}, "domain", "longer than 255"),
        ({"domain": ".".join(["x" * 55] * 4) + ".dyn.example.net"}, "template", "longer than 255"),
        ({"domain": "example.net"}, "domain", "is not in the zone dyn.example.net"),
        ({"max_listed": -1}, "max_listed", "must be from 0"),
    ],
)
def test_fault_of_a_forward_zone_is_named(changes, key, said):
    faults = faults_of(FORWARD, **changes)
    assert any(fault.startswith(f"test.toml: zone[0].{key}: ") and said in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"ranges": ["192.0.3.0/24"]}, "ranges", "192.0.3.0/24 is not inside the zone 2.0.192.in-addr.arpa"),
        ({"ranges": ["192.0.0.0/16"]}, "ranges", "is not inside the zone"),
        ({"ranges": ["2001:db8::/64"]}, "ranges", "is not inside the zone"),
        ({"name": "02.192.in-addr.arpa"}, "name", "stands for no prefix"),
        ({"name": "x.192.in-addr.arpa"}, "name", "stands for no prefix"),
        ({"name": "7.2.0.192.in-addr.arpa"}, "name", "stands for no prefix"),
        ({"name": "20.ip6.arpa"}, "name", "stands for no prefix"),
    ],
)
def test_fault_of_a_reverse_zone_is_named(changes, key, said):
    faults = faults_of(REVERSE, **changes)
    assert any(fault.startswith(f"test.toml: zone[0].{key}: ") and said in fault for fault in faults), faults


def test_a_reverse_zone_needs_the_domain_of_its_hosts():
    table = {key: value for key, value in REVERSE.items() if key != "domain"}
    assert any("zone[0].domain: is missing" in fault for fault in faults_of(table))


def test_a_short_template_leaves_room_for_ipv4_alone():
    zone = zone_of(FORWARD, template="x" * 48 + "{address}", ranges=["192.0.2.0/24"])
    assert zone.find("x" * 48 + "192-0-2-1.dyn.example.net", ANYONE)


def test_whole_families_are_ranges_too():
    zone = zone_of(FORWARD, ranges=["0.0.0.0/0", "::/0"])
    assert zone.find("host-255-255-255-255.dyn.example.net", ANYONE)
    assert zone.ring().neighbours("host-9-99-99-99.dyn.example.net")[1] == "host-90-0-0-0.Dyn.example.net"
    last = "host-ffff" + "-ffff" * 7 + ".dyn.example.net"
    assert zone.ring().neighbours(last) == (last.replace("dyn", "Dyn"), "dyn.example.net")
    reverse = zone_of(REVERSE, name="in-addr.arpa", ranges=["0.0.0.0/0"])
    assert reverse.find("255.255.255.255.in-addr.arpa", ANYONE)
    assert reverse.find("255.255.in-addr.arpa", ANYONE) == ()


def test_the_tree_of_fixed_names_alone_is_small():
    """A /45 keeps no more names than its configuration has."""
    zone = zone_of(REVERSE6)
    assert isinstance(zone._fixed, Tree)
    assert len(zone._fixed.nodes) == 1
