"""Files that were signed elsewhere: found by themselves, told to PowerDNS, and wrong signatures named."""

from __future__ import annotations

import pytest

from pipebackend.admin.operator import Operator
from pipebackend.backend.opening import open_backend
from pipebackend.zones.compiled import choice
from pipebackend.zones.text import presigned, zonefile
from tests.making import age

APEX = "example.org"
PLAIN = """$TTL 60
@ SOA ns1 hostmaster 1 2 3 4 5
@ NS ns1
@ DNSKEY 257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=
ns1 A 192.0.2.1
sub NS ns1.sub
ns1.sub A 192.0.2.2
"""
CHAIN = "@ NSEC ns1 A NS SOA RRSIG NSEC DNSKEY\nns1 NSEC sub A RRSIG NSEC\nsub NSEC @ NS RRSIG NSEC\n"
RRSETS = ["@ SOA", "@ NS", "@ DNSKEY", "@ NSEC", "ns1 A", "ns1 NSEC", "sub NSEC"]
NSEC3 = "vjtkb5a8jmdg7dsa5fpcfptmu16ap5tj"


def signatures(rrsets, begin="20200101000000", end="20990101000000"):
    lines = (f"{owner} RRSIG {type_} 15 2 60 {end} {begin} 1 {APEX}. AQID" for owner, type_ in map(str.split, rrsets))
    return "\n".join([*lines, ""])


@pytest.fixture
def opened(tmp_path):
    def open_one(text):
        (tmp_path / "zone").write_text(text)
        age(tmp_path / "zone")
        config = tmp_path / "pipebackend.toml"
        config.write_text(f'[[zone]]\nname = "{APEX}"\nkind = "file"\nfile = "zone"\n')
        age(config)
        return open_backend(str(config))

    return open_one


def types_at(backend, name):
    return sorted(record.type for record in backend.lookup(name, "ANY").records)


def test_a_signed_file_is_found_by_itself(opened):
    backend = opened(PLAIN + CHAIN + signatures(RRSETS))
    assert backend.metadata(APEX) == {"PRESIGNED": ["1"]}
    assert types_at(backend, f"ns1.{APEX}") == ["A", "RRSIG", "RRSIG"]
    assert Operator(backend).zone_faults(APEX) == []


def test_nsec3_parameters_are_those_of_the_file(opened):
    chain = f"@ NSEC3PARAM 1 0 0 ab\n{NSEC3} NSEC3 1 1 0 ab {NSEC3} A\n"
    backend = opened(PLAIN + chain + signatures([*RRSETS[:3], "@ NSEC3PARAM", "ns1 A", f"{NSEC3} NSEC3"]))
    assert backend.metadata(APEX) == {"PRESIGNED": ["1"], "NSEC3PARAM": ["1 1 0 ab"]}
    assert types_at(backend, f"{NSEC3}.{APEX}") == ["RRSIG"]
    names = set(backend.zones.at(APEX).ring().neighbours(f"zz.{APEX}"))
    assert f"{NSEC3}.{APEX}" not in names


def test_settings_of_the_store_do_not_change_how_a_signed_file_denies(opened):
    backend = opened(PLAIN + CHAIN + signatures(RRSETS))
    backend.set_metadata(APEX, "NSEC3PARAM", ["1 0 0 -"])
    backend.set_metadata(APEX, "ALLOW-AXFR-FROM", ["192.0.2.0/24"])
    assert backend.metadata(APEX) == {"PRESIGNED": ["1"], "ALLOW-AXFR-FROM": ["192.0.2.0/24"]}


def test_a_file_that_is_signed_in_part_is_a_finding_and_served_unsigned(opened):
    backend = opened(PLAIN + signatures(["ns1 A"]))
    assert backend.metadata(APEX) == {}
    assert types_at(backend, f"ns1.{APEX}") == ["A"]
    [fault] = Operator(backend).zone_faults(APEX)
    assert "1 RRSIG records are left out, for the zone is signed in part" in fault


def test_an_rrset_without_signature_is_a_finding(opened):
    backend = opened(PLAIN + CHAIN + signatures([one for one in RRSETS if one != "ns1 A"]))
    [fault] = Operator(backend).zone_faults(APEX)
    assert fault.endswith("zone:5: ns1.example.org A has no signature; sign the file again")


def test_a_signed_file_without_a_chain_is_a_finding(opened):
    backend = opened(PLAIN + signatures([one for one in RRSETS if not one.endswith("NSEC")]))
    [fault] = Operator(backend).zone_faults(APEX)
    assert "there is no NSEC and no NSEC3" in fault


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (("20200101000000", "20210203040506"), "is over since 2021-02-03 04:05 UTC (and 6 more)"),
        (("20980101000000", "20990101000000"), "begins only on 2098-01-01 00:00 UTC (and 6 more)"),
    ],
)
def test_signatures_that_are_over_are_one_finding(opened, times, said):
    backend = opened(PLAIN + CHAIN + signatures(RRSETS, *times))
    [fault] = Operator(backend).zone_faults(APEX)
    assert said in fault


def test_chains_of_different_parameters_are_refused(opened):
    backend = opened(f"{PLAIN}@ NSEC3PARAM 1 0 0 ab\n@ NSEC3PARAM 1 0 1 ab\n" + signatures(RRSETS))
    [fault] = Operator(backend).zone_faults(APEX)
    assert "NSEC3 of different parameters" in fault


def test_opt_out_whose_signer_proves_insecure_delegations(tmp_path):
    from pipebackend.dnsdata.nsec3 import hash_label

    path = tmp_path / "zone"
    hashed = hash_label(f"sub.{APEX}", b"", 0)
    for owner, proves in ((hashed, True), (NSEC3, False)):
        chain = f"{owner} NSEC3 1 1 0 - {NSEC3} A\n"
        path.write_text(PLAIN + chain + signatures([*RRSETS[:3], "ns1 A", f"{owner} NSEC3"]))
        found = presigned.of(zonefile.read(str(path), APEX, with_signatures=True), APEX)
        assert found.proves_insecure is proves


def test_a_compiled_file_is_told_alike(opened, monkeypatch):
    text = PLAIN + CHAIN + signatures(RRSETS)
    expected = opened(text)
    monkeypatch.setitem(choice.KINDS, "file", 0)
    monkeypatch.setattr(choice, "_compiles", choice.FOREGROUND)
    from pipebackend.zones.compiled import compiler

    backend = opened(text)
    section = compiler.sections(backend.registry.config)[APEX]
    assert compiler.build(section, APEX, backend.zones.at(APEX).ident)
    compiled = open_backend(backend.registry.config.path)
    zone = compiled.zones.at(APEX)
    assert type(zone).__name__ == "CompiledZone"
    assert compiled.metadata(APEX) == expected.metadata(APEX)
    assert types_at(compiled, f"ns1.{APEX}") == types_at(expected, f"ns1.{APEX}")
    for name in (APEX, f"a.{APEX}", f"zz.{APEX}"):
        assert zone.ring().neighbours(name) == expected.zones.at(APEX).ring().neighbours(name)
