"""A ranges zone of a small prefix equals the same zone written out name by name, in all answers."""

from ipaddress import ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from pipebackend import names
from pipebackend.config import Config, Section
from pipebackend.records import Client, Record
from pipebackend.zones import ranges
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


def without_overlaps(nets):
    kept = []
    for net in nets:
        if not any(net.version == other.version and net.overlaps(other) for other in kept):
            kept.append(net)
    return kept


def host_label(template: str, address) -> str:
    text = address.exploded.replace(".", "-").replace(":", "-")
    return template.replace("{address}", text)


def written_out(apex, nets, template, reverse, fixed):
    """All records of the zone, made without the code under test."""
    hidden = {record.owner.lower() for record in fixed if record.type in ("NS", "DNAME") and record.owner != apex}
    taken = {record.owner.lower() for record in fixed}
    yield from fixed
    for net in nets:
        for address in net:
            host = f"{host_label(template, address)}.{DOMAIN}"
            owner = address.reverse_pointer if reverse else host
            if owner.lower() in taken or any(above in hidden for above in names.ancestors(owner.lower())):
                continue
            if reverse:
                yield Record(owner, "PTR", 60, host)
            else:
                yield Record(owner, "A" if net.version == 4 else "AAAA", 60, str(address))


@st.composite
def zones(draw):
    """A ranges zone, the same as a tree, and names to ask for."""
    reverse = draw(st.booleans())
    template = draw(st.sampled_from(TEMPLATES))
    versions = [draw(st.sampled_from((4, 6)))] if reverse else [4, 6]
    nets = without_overlaps(draw(st.lists(st.one_of(map(prefixes, versions)), min_size=1, max_size=4)))
    apex = "example.net"
    if reverse:
        depth = draw(st.integers(0, 2 if versions == [4] else 29))
        labels = nets[0].network_address.reverse_pointer.split(".")
        apex = ".".join(labels[-2 - depth :])
        nets = [net for net in nets if names.is_below(net.network_address.reverse_pointer, apex)]
    computed = [
        address.reverse_pointer if reverse else f"{host_label(template, address)}.{DOMAIN}".lower()
        for net in nets
        for address in (net[0], net[-1], net[len(list(net)) // 2])
    ]
    fixed_lines = draw(st.lists(fixed_records(computed, apex), max_size=4))
    table = COMMON | {
        "name": apex,
        "ranges": list(map(str, nets)),
        "template": template,
        "domain": DOMAIN,
        "records": fixed_lines,
        "max_listed": 1 << 20,
    }
    zone = loaded(table, apex)
    fixed = [record._replace(auth=True) for rrs in zone._fixed.nodes.values() for record in rrs]
    tree = Tree(apex, written_out(apex, nets, template, reverse, fixed))
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
