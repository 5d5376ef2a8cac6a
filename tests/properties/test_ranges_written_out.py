"""A ranges zone of a small prefix equals the same zone written out name by name, in all answers."""

import tempfile
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from pipebackend.base.errors import ZoneFault
from pipebackend.config.configuration import Config, Section
from pipebackend.dnsdata import names
from pipebackend.dnsdata.records import Client, Record
from pipebackend.zones.kinds import ranges
from pipebackend.zones.ring import TreeRing
from pipebackend.zones.tree import Tree

DOMAIN = "pool.example.net"
TEMPLATES = ("{address}", "host-{address}", "h1{address}", "{address}x", "{address}0", "H{address}-z9")
COMMON = {
    "ttl": 60,
    "soa": {"mname": "ns1.example.net", "rname": "hostmaster.example.net", "serial": 1},
    "ns": ["ns1.example.net"],
}
ANYONE = Client()


def prefixes(version: int) -> st.SearchStrategy:
    bits = 32 if version == 4 else 128
    near = 0xC0000200 if version == 4 else 0x20010DB8 << 96
    values = st.integers(0, 0xFFF).map(lambda low: near + low)
    return st.tuples(values, st.integers(bits - 5, bits)).map(
        lambda pair: ip_network(pair if version == 4 else (pair[0], pair[1]), strict=False)
    )


@st.composite
def spans(draw, version: int):
    """Addresses in a row that are a prefix, or begin and end anywhere; with a TTL or not."""
    net = draw(prefixes(version))
    first, last = 0, net.num_addresses - 1
    text = str(net)
    if draw(st.booleans()):
        first = draw(st.integers(0, last))
        last = draw(st.integers(first, last))
        text = f"{net[first]}-{net[last]}"
    ttl = draw(st.sampled_from((None, 0, 300)))
    return Span([net[place] for place in range(first, last + 1)], 60 if ttl is None else ttl, text, ttl)


class Span(NamedTuple):
    addresses: list
    ttl: int
    where: str
    said: int | None

    @property
    def text(self) -> str:
        return self.where if self.said is None else f"{self.where} {self.said}"


def without_overlaps(found):
    kept = []
    for span in found:
        if not any(set(span.addresses) & set(other.addresses) for other in kept):
            kept.append(span)
    return kept


def host_label(template: str, address) -> str:
    text = address.exploded.replace(".", "-").replace(":", "-")
    return template.replace("{address}", text)


def written_out(apex, spans, template, reverse, fixed):
    """All records of the zone, made without the code under test."""
    hidden = {record.owner.lower() for record in fixed if record.type in ("NS", "DNAME") and record.owner != apex}
    taken = {record.owner.lower() for record in fixed}
    yield from fixed
    for span in spans:
        for address in span.addresses:
            host = f"{host_label(template, address)}.{DOMAIN}"
            owner = address.reverse_pointer if reverse else host
            if owner.lower() in taken or any(above in hidden for above in names.ancestors(owner.lower())):
                continue
            if reverse:
                yield Record(owner, "PTR", span.ttl, host)
            else:
                yield Record(owner, "A" if address.version == 4 else "AAAA", span.ttl, str(address))


@st.composite
def zones(draw):
    """A ranges zone, the same as a tree, and names to ask for."""
    reverse = draw(st.booleans())
    template = draw(st.sampled_from(TEMPLATES))
    versions = [draw(st.sampled_from((4, 6)))] if reverse else [4, 6]
    found = without_overlaps(draw(st.lists(st.one_of(map(spans, versions)), min_size=1, max_size=4)))
    apex = "example.net"
    if reverse:
        depth = draw(st.integers(0, 2 if versions == [4] else 29))
        labels = found[0].addresses[0].reverse_pointer.split(".")
        apex = ".".join(labels[-2 - depth :])
        found = [span for span in found if all(names.is_below(one.reverse_pointer, apex) for one in span.addresses)]
        assume(found)
    computed = [
        address.reverse_pointer if reverse else f"{host_label(template, address)}.{DOMAIN}".lower()
        for span in found
        for address in (span.addresses[0], span.addresses[-1], span.addresses[len(span.addresses) // 2])
    ]
    fixed_lines = draw(st.lists(fixed_records(computed, apex), max_size=4))
    table = {
        "name": apex,
        "ranges": [span.text for span in found],
        "template": template,
        "domain": DOMAIN,
        "max_listed": 1 << 20,
    }
    if draw(st.booleans()):
        zone = over_a_file(table, apex, fixed_lines)
    else:
        zone = loaded(COMMON | table | {"records": fixed_lines}, apex)
    fixed = [record._replace(auth=True) for rrs in zone._fixed.nodes.values() for record in rrs]
    tree = Tree(apex, written_out(apex, found, template, reverse, fixed))
    return zone, tree, draw(st.lists(questions(list(tree.nodes), apex), max_size=30))


@st.composite
def fixed_records(draw, computed, apex):
    """A fixed record at, above or below a computed name, or elsewhere."""
    base = draw(st.sampled_from([*computed, f"other.{apex}"]))
    for _ in range(draw(st.integers(0, 4))):
        above = names.parent(base)
        if above == apex:
            break
        base = above
    owner = draw(st.sampled_from(["", "", "a.", "a.b."])) + base
    return f"{owner}. " + draw(st.sampled_from(["TXT x", "NS ns.example.org", "DNAME d.example.org", "A 192.0.2.1"]))


@st.composite
def questions(draw, known, apex):
    """A name in the zone: one that is there, or one near it."""
    name = draw(st.sampled_from(known))
    rest = names.relative(name, apex)
    change = draw(st.sampled_from(["", "digit", "below", "sibling", "above"]))
    if change == "digit" and rest:
        place = draw(st.integers(0, len(rest) - 1))
        rest = rest[:place] + draw(st.sampled_from("0123456789abcdefgz-")) + rest[place + 1 :]
    elif change == "below":
        rest = names.join(draw(st.sampled_from(["0", "x", "\\000", "*"])), rest)
    elif change == "sibling" and rest:
        rest = names.join(
            draw(st.sampled_from(["0", "1", "10", "f", "\\001", "host-192-0-2-", "zz"])), names.parent(rest)
        )
    elif change == "above" and rest:
        rest = names.parent(rest)
    return names.from_text(names.join(rest, apex))


def loaded(table, apex):
    faults: list[str] = []
    section = Section(Config("test.toml", ".", {}), table, "zone[0]", faults)
    section.text("name")
    zone = ranges.load(section, apex, 1)
    assert faults == []
    assert zone is not None
    return zone


def over_a_file(table, apex, lines):
    """The zone with its fixed records in a zone file; one that cannot be served is another test's."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "zone"
        soa = f"{apex}. SOA ns1.example.net hostmaster.example.net 1 2 3 4 60\n{apex}. NS ns1.example.net\n"
        path.write_text("$ORIGIN .\n$TTL 60\n" + soa + "".join(f"{line}\n" for line in lines))
        try:
            return loaded(table | {"file": str(path), "ttl": 60}, apex)
        except ZoneFault:
            reject()


def assert_same_answer(zone, tree, name):
    found, expected = zone.find(name, ANYONE), tree.find(name)
    assert (found is None) == (expected is None), name
    assert list(found or ()) == list(expected or ()), name


@settings(deadline=None)
@given(zones())
def test_equals_the_written_out_zone(drawn):
    zone, tree, asked = drawn
    ring = TreeRing(tree)
    for name in [*tree.nodes, *asked]:
        assert_same_answer(zone, tree, name)
        assert zone.ring().neighbours(name) == ring.neighbours(name), name
    assert sorted(zone.listing()) == sorted(tree.listing())


@settings(deadline=None)
@given(zones())
def test_ring_is_one_cycle(drawn):
    zone, tree, _ = drawn
    ring = zone.ring()
    name, seen = zone.apex, []
    while name not in seen[:1]:
        seen.append(name)
        before, name = ring.neighbours(name)
        assert before == seen[-1]
    assert len(seen) == len(set(seen))
    assert {name.lower() for name in seen} == {
        name for name, rrs in tree.nodes.items() if rrs and not tree.is_below_cut(name)
    }


@settings(deadline=None)
@given(st.integers(0, 2**80 - 1), st.booleans())
def test_neighbours_in_a_48_are_the_numbers_before_and_after(low, reverse):
    """In ip6.arpa and in host labels canonical order is the order of the numbers."""
    nets = ["2001:db8:7::/48"]
    apex = "7.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" if reverse else DOMAIN
    zone = loaded(COMMON | {"name": apex, "ranges": nets, "template": "h-{address}", "domain": DOMAIN}, apex)
    net = ip_network(nets[0])

    def name(number):
        return net[number].reverse_pointer if reverse else f"{host_label('h-{address}', net[number])}.{DOMAIN}"

    after = name(low + 1) if low + 1 < 2**80 else apex
    assert zone.ring().neighbours(name(low)) == (name(low), after)
    assert zone.ring().neighbours(f"x.{name(low)}") == (name(low), after)
    assert len(zone.find(name(low), ANYONE)) == 1
