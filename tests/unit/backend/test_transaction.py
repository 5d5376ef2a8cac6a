"""Transfers: what is fed becomes the zone at the commit, or nothing does."""

from __future__ import annotations

import os
import sqlite3

import pytest

from pipebackend.backend.transaction import Transfer
from pipebackend.base.errors import StoreFault, TransferFault
from pipebackend.dnsdata.records import ENT, Client, Record
from pipebackend.store import open_store
from pipebackend.zones.kinds.stored import StoredZones

APEX = "example.org"
SOA = Record(APEX, "SOA", 60, "ns1.example.org hostmaster.example.org 1 2 3 4 5")


@pytest.fixture
def store(tmp_path):
    store = open_store("sqlite:zones.db", tmp_path)
    store.create_domain(APEX, 7)
    yield store
    store.close()


@pytest.fixture
def transfer(store):
    return Transfer(store)


def a(owner, content="192.0.2.1"):
    return Record(owner, "A", 60, content)


def replace(transfer, *records, moment=None):
    transfer.start(APEX, 7)
    for record in records:
        transfer.feed(record)
    return transfer.commit(moment)


def listed(store):
    zone = StoredZones(store).by_apex(APEX)
    return [] if zone is None else sorted((r.owner, r.type, r.content, r.auth) for r in zone.listing())


def columns(store, *wanted):
    connection = sqlite3.connect(store.path)
    found = connection.execute(f"SELECT {', '.join(wanted)} FROM records ORDER BY name, type").fetchall()
    connection.close()
    return found


def test_what_was_fed_is_the_zone_after_the_commit_and_not_before(store, transfer, tmp_path):
    transfer.start(APEX, 7)
    transfer.feed(SOA)
    transfer.feed(a("WWW.Example.org"))
    other = open_store("sqlite:zones.db", tmp_path)
    assert listed(other) == []
    assert transfer.commit()
    assert listed(other) == [
        (APEX, "SOA", SOA.content, True),
        ("www.example.org", "A", "192.0.2.1", True),
    ]
    other.close()


def test_rows_are_as_gsqlite3_writes_them(store, transfer):
    replace(
        transfer,
        SOA,
        Record("mx.example.org", "MX", 60, "10 mail.example.org."),
        Record("_s.a\\.b.example.org", "SRV", 60, "1 2 3 srv.example.org"),
        Record("cut.example.org", "NS", 60, "ns.cut.example.org"),
        a("ns.cut.example.org"),
    )
    assert columns(store, "name", "type", "prio", "content", "ordername", "auth", "disabled") == [
        ("_s.a\\.b.example.org", "SRV", 1, "2 3 srv.example.org", "a\\.b _s", 1, 0),
        ("a\\.b.example.org", None, None, None, None, 1, 0),
        ("cut.example.org", "NS", 0, "ns.cut.example.org", "cut", 0, 0),
        (APEX, "SOA", 0, SOA.content, "", 1, 0),
        ("mx.example.org", "MX", 10, "mail.example.org", "mx", 1, 0),
        ("ns.cut.example.org", "A", 0, "192.0.2.1", None, 0, 0),
    ]


def test_the_owners_of_a_presigned_zone_keep_their_case(store, transfer):
    """As ``pdnsutil load-zone`` spells them first; what is edited later has the case of the store."""
    store.set_metadata(APEX, 7, "PRESIGNED", ["1"])
    transfer.start(APEX, 7)
    for record in (SOA, a("WWW.Example.org."), a("b.example.org"), Record("www.example.org", "TXT", 60, '"x"')):
        transfer.feed(record)
    transfer.flush()
    transfer.feed(a("Later.example.org"))
    transfer.commit()
    owners = [APEX, "b.example.org", "later.example.org", "WWW.example.org", "WWW.example.org"]
    assert [owner for owner, *_ in listed(store)] == sorted(owners)
    assert columns(store, "name") == sorted((owner.lower(),) for owner in owners)


def test_no_feed_at_all_empties_the_zone(store, transfer):
    replace(transfer, SOA, a("www.example.org"))
    assert replace(transfer)
    assert columns(store, "*") == []


def test_an_abort_leaves_the_zone_and_the_settings(store, transfer):
    replace(transfer, SOA)
    transfer.start(APEX, 7)
    store.set_metadata(APEX, 7, "NSEC3PARAM", ["1 0 0 -"])
    transfer.feed(SOA)
    transfer.feed(a("www.example.org"))
    assert transfer.abort()
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]
    assert store.metadata(APEX) == {}


def test_commit_and_abort_without_a_start_are_answered(transfer):
    assert not transfer.commit()
    assert not transfer.abort()
    with pytest.raises(TransferFault, match="start one first"):
        transfer.feed(SOA)


def test_a_second_start_forgets_the_first(store, transfer):
    transfer.start(APEX, 7)
    transfer.feed(a("old.example.org"))
    assert replace(transfer, SOA)
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]


def test_a_zone_that_is_not_there_cannot_be_replaced(transfer):
    with pytest.raises(TransferFault, match=r"zone example\.net is not in the store"):
        transfer.start("example.net", 9)


@pytest.mark.parametrize(
    ("records", "reason"),
    [
        ([a("www.example.org")], "0 SOA records"),
        ([SOA, SOA._replace(ttl=61)], "2 SOA records"),
        ([SOA, SOA._replace(owner="sub.example.org")], "SOA belongs to example.org"),
        ([SOA, a("www.example.net")], "outside of the zone"),
        ([SOA, a("badexample.org")], "outside of the zone"),
        ([SOA, a("www..example.org")], "empty label"),
        ([SOA, a("www.example.org", "192.0.2")], "'192.0.2' is not an IPv4 address"),
        ([SOA, Record("x.example.org", "AAAA", 60, "1::2::3")], "AAAA"),
        ([SOA, Record("x.example.org", "TXT", 60, '"never closed')], "TXT"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_the_reason_and_the_old_zone_stays(records, reason, store, transfer):
    replace(transfer, SOA, a("old.example.org"))
    before = listed(store)
    with pytest.raises(TransferFault, match=reason) as refused:
        replace(transfer, *records)
    assert all(fault.startswith("zone example.org: ") for fault in refused.value.faults)
    assert listed(store) == before
    assert not transfer.commit()


def test_what_a_primary_may_not_send_and_powerdns_serves_is_taken(store, transfer):
    """A zone is not lost to one record; zone check tells of the CNAME."""
    alias = Record("x.example.org", "CNAME", 60, "y")
    assert replace(transfer, SOA, a("x.example.org"), alias, alias._replace(content="z"))
    assert [type_ for _, type_, *_ in listed(store)] == ["SOA", "A", "CNAME", "CNAME"]


@pytest.mark.parametrize(
    ("type_", "content"),
    [
        ("LOC", "60 8 60.000 N 24 38 60.000 E 10.00m 20.00m 2000.00m 20.00m"),
        ("TLSA", "3 1 1 abcd"),
        ("SVCB", "1 . mandatory=key9"),
        ("SVCB", "1 . no-default-alpn"),
        ("MAILB", r"\# 4 00010203"),
        ("HINFO", ""),
        ("SVCB", r'1 . key667="\"a\\b,\000"'),
        ("SVCB", "1 . port=53 ipv4hint=auto"),
        ("DS", "1 8 0 00"),
        ("DS", "1 8 2 -"),
        ("KEY", "0 2 1 AQI="),
        ("KEY", "49152 3 3 "),
        ("DHCID", "AAEBOSD+XR3Os/0LozeXVqcNc7FwCfQdWL3b/NaiUDlW2No="),
        ("RESINFO", '"qnamemin"'),
        ("HHIT", "AQIDBA=="),
        ("TYPE67", r"\# 4 01020304"),
        ("SVCB", '1 . dohpath="/dns-query{?dns}"'),
        ("TYPE65280", r"\# 0 "),
        ("SIG", r"\# 21 00010d0200000e105f0000005e0000001234000102"),
        ("CAA", '128 a\\032b "a"'),
        ("LUA", f'A "{"x" * 371}"'),
        ("LUA", 'TXT "; return \'\\\\d\'\n.. \\"x\\""'),
    ],
)
def test_what_powerdns_writes_is_kept_octet_for_octet(type_, content, store, transfer):
    assert replace(transfer, SOA, Record("x.example.org", type_, 60, content))
    assert [(found, text) for _, found, text, _ in listed(store) if found != "SOA"] == [(type_, content)]


@pytest.mark.parametrize(
    ("type_", "content", "kept"),
    [
        ("CAA", "0 issue ", '0 issue ""'),  # 4.7 writes it, and reads one octet
        ("URI", "1 2 ", '1 2 ""'),
        ("SVCB", r'1 . key667="a\"\\ ;,"', r'1 . key667="a\"\\ \059,"'),  # all write it, and read nothing
        ("SVCB", '1 . key9="(;)"', r'1 . key9="\040\059\041"'),  # 5.1 has other values for this key
        ("SVCB", r"1 . alpn=h%2\\,\\\",h2", r"1 . alpn=h%2\\,\034,h2"),
        ("HTTPS", r"1 . alpn=\\000x\\255,\\\\000,(", r"1 . alpn=\000x\255,\\\\000,\040"),
        ("HTTPS", '1 . alpn="h2" port="8443"', "1 . alpn=h2 port=8443"),  # of a zone file, by pdnsutil load-zone
        ("TXT", "plain", '"plain"'),
        ("TXT", '"\u00e9\t"', r'"\195\169\009"'),
        ("TXT", "", '""'),
        ("TXT", f'"{"x" * 300}"', f'"{"x" * 255}" "{"x" * 45}"'),
        ("DS", "1 8 2 0A 0B", "1 8 2 0a0b"),
        ("LUA", f'A "{"x" * 255}" "y"', f'A "{"x" * 255}y"'),
    ],
)
def test_other_text_gets_the_form_that_powerdns_reads(type_, content, kept, store, transfer):
    assert replace(transfer, SOA, Record("x.example.org", type_, 60, content))
    assert [text for _, found, text, _ in listed(store) if found != "SOA"] == [kept]


def test_a_ttl_with_the_highest_bit_is_none(store, transfer):
    """RFC 2181 section 8; PowerDNS writes it as a negative number."""
    assert replace(transfer, SOA, a("x.example.org")._replace(ttl=-1), a("y.example.org")._replace(ttl=2**31))
    assert columns(store, "ttl") == [(60,), (0,), (0,)]


def test_an_edit_with_such_a_ttl_is_refused(store, transfer):
    replace(transfer, SOA)
    transfer.start(APEX, -1)
    with pytest.raises(TransferFault, match="the ttl 2147483648 is not from 0"):
        transfer.replace_rrset(7, "x.example.org", "A", [a("x.example.org")._replace(ttl=2**31)])


def test_the_root_zone_is_replaced(store, transfer):
    """SQLite's substr of an empty blob is NULL: the apex had no key."""
    ident = store.create_domain("", 8)
    root = Record("", "SOA", 60, "a.root-servers.net nstld.verisign-grs.com 1 2 3 4 5")
    transfer.start(".", ident)
    for record in (
        root,
        Record("", "NS", 60, "a.root-servers.net"),
        Record("org", "NS", 60, "a0.org.afilias-nst.info"),
    ):
        transfer.feed(record)
    assert transfer.commit()
    assert columns(store, "name", "type", "auth") == [(".", "NS", 1), (".", "SOA", 1), ("org", "NS", 0)]


def test_a_zone_that_was_fed_gets_another_soa_before_the_commit(store, transfer):
    """PUT of PowerDNS's API with SOA-EDIT-API does that."""
    transfer.start(APEX, 7)
    transfer.feed(SOA)
    transfer.feed(a("www.example.org"))
    newer = SOA._replace(content=SOA.content.replace(" 1 ", " 9 "))
    transfer.replace_rrset(7, APEX, "SOA", [newer])
    assert transfer.commit()
    assert (APEX, "SOA", newer.content, True) in listed(store)


def test_a_zone_without_soa_is_not_edited(store, transfer):
    """Its records may be in another of PowerDNS's backends, with keys here."""
    transfer.start(APEX, -1)
    with pytest.raises(TransferFault, match="no SOA here"):
        transfer.replace_rrset(7, "www.example.org", "A", [a("www.example.org")])
    transfer.start(APEX, -1)
    assert "no SOA here" in transfer.feed(a("www.example.org"))
    with pytest.raises(TransferFault):
        transfer.commit()


@pytest.mark.parametrize("refused", [[a("www.example.org")], [SOA, a("x.example.org", "x")]], ids=["late", "early"])
def test_what_was_refused_is_not_in_the_next_transfer(refused, store, transfer):
    """The same process makes both: ``late`` is refused when all of it was written already."""
    with pytest.raises(TransferFault):
        replace(transfer, *refused)
    assert replace(transfer, SOA, a("new.example.org"))
    assert [owner for owner, *_ in listed(store)] == [APEX, "new.example.org"]


def test_the_reasons_are_counted_and_the_first_are_shown(transfer):
    with pytest.raises(TransferFault) as refused:
        replace(transfer, SOA, *(a(f"h{number}.example.org", "x") for number in range(50)))
    assert len(refused.value.faults) == 21
    assert refused.value.faults[-1].endswith("… and 30 more")


def test_the_reasons_are_kept_until_the_zone_is_replaced(store, transfer):
    replace(transfer, SOA, moment=1)
    assert store.refusal(7) is None
    with pytest.raises(TransferFault):
        replace(transfer, SOA, SOA._replace(ttl=61), a("x.example.org", "x"), moment=1795643413)
    moment, reasons = store.refusal(7)
    assert moment == 1795643413
    assert reasons == (
        "x.example.org A: 'x' is not an IPv4 address; write one such as 192.0.2.1",
        "2 SOA records were sent; a zone has one",
    )
    with pytest.raises(TransferFault):
        replace(transfer, a("x.example.org"), moment=1795643415)
    assert store.refusal(7) == (1795643415, ("0 SOA records were sent; a zone has one",))
    replace(transfer, SOA, moment=1795643416)
    assert store.refusal(7) is None


def test_a_fault_of_the_store_is_a_reason_too(store, transfer):
    replace(transfer, SOA)
    [(pages,)] = store._db.rows("PRAGMA page_count")
    store._db.rows(f"PRAGMA max_page_count = {pages + 5}")  # as on a disk that fills up at the commit
    with pytest.raises(StoreFault, match="the disk is full") as refused:
        replace(transfer, SOA, *(a(f"h{number}.example.org") for number in range(10_000)), moment=5)
    assert store.refusal(7) == (5, (str(refused.value),))
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]
    assert replace(transfer, SOA, a("www.example.org"))
    assert store.refusal(7) is None


def test_who_sent_it_hears_the_reason_though_it_cannot_be_kept(store, transfer, monkeypatch):
    replace(transfer, SOA)
    transfer.start(APEX, 7)
    transfer.feed(a("www.example.org", "x"))
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    with pytest.raises(TransferFault, match="0 SOA records"):
        transfer.commit(5)
    connection.close()
    assert store.refusal(7) is None
    assert replace(transfer, SOA)


def test_what_is_no_replacement_is_not_kept(store, transfer):
    replace(transfer, SOA, moment=1)
    transfer.start(APEX, -1)
    with pytest.raises(TransferFault):
        transfer.replace_rrset(7, APEX, "SOA", [])
    with pytest.raises(TransferFault):
        transfer.commit(2)
    transfer.start(APEX, 7)
    transfer.feed(a("www.example.org"))
    transfer.abort()
    assert store.refusal(7) is None


def test_what_powerdns_makes_itself_is_left_out(store, transfer):
    replace(
        transfer,
        SOA,
        Record(APEX, "NSEC", 60, "example.org SOA"),
        Record(APEX, "NSEC3PARAM", 60, "1 0 0 -"),
        Record("ent.example.org", ENT, 0, ""),
    )
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]


def test_the_owner_of_a_signature_of_nsec3_is_no_name_of_the_zone(store, transfer):
    digest = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom"
    signature = "NSEC3 8 3 60 20300101000000 20200101000000 1 example.org AAAA"
    replace(transfer, SOA, Record(f"{digest}.example.org", "RRSIG", 60, signature))
    zone = StoredZones(store).by_apex(APEX)
    assert [r.content for r in zone.find(f"{digest}.example.org", Client())] == [signature]
    assert zone.ring().neighbours("zz.example.org") == (APEX, APEX)


def edit(transfer, name, type_, *records):
    transfer.start(APEX, -1)
    transfer.replace_rrset(7, name, type_, records)
    return transfer.commit()


DENIAL = [Record("x.example.org", "NSEC", 60, "example.org A"), Record(APEX, "NSEC3PARAM", 60, "1 0 0 -")]


@pytest.mark.parametrize("record", DENIAL)
def test_an_edit_with_what_powerdns_makes_itself_is_refused(store, transfer, record):
    """Nothing of it would be kept, and the API would say 204."""
    replace(transfer, SOA)
    transfer.start(APEX, -1)
    with pytest.raises(TransferFault, match=f"{record.type}: PowerDNS makes it itself"):
        transfer.replace_rrset(7, record.owner, record.type, [record])
    with pytest.raises(TransferFault):
        transfer.commit()
    assert edit(transfer, record.owner, record.type), "there is nothing to delete"


@pytest.mark.parametrize("record", DENIAL)
def test_an_incremental_transfer_may_have_it(store, transfer, record):
    replace(transfer, SOA)
    store.set_kind(APEX, "SLAVE")
    assert edit(transfer, record.owner, record.type, record)
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]


def test_an_rrset_is_replaced_in_place(store, transfer):
    replace(transfer, SOA, a("www.example.org"), a("www.example.org", "192.0.2.2"))
    assert edit(transfer, "www.example.org", "A", a("www.example.org", "192.0.2.3"))
    assert listed(store)[1:] == [("www.example.org", "A", "192.0.2.3", True)]
    assert edit(transfer, "www.example.org", "A")
    assert listed(store) == [(APEX, "SOA", SOA.content, True)]


def test_questions_inside_an_edit_see_its_writes_and_other_processes_do_not(store, transfer, tmp_path):
    replace(transfer, SOA)
    zones, other = StoredZones(store), open_store("sqlite:zones.db", tmp_path)
    transfer.start(APEX, -1)
    transfer.replace_rrset(4294967295, "a.b.example.org", "A", [a("a.b.example.org")])
    transfer.flush()
    assert zones.by_apex(APEX).find("a.b.example.org", Client()) == [a("a.b.example.org")]
    assert zones.by_apex(APEX).find("b.example.org", Client()) == []
    assert listed(other) == [(APEX, "SOA", SOA.content, True)]
    transfer.commit()
    assert len(listed(other)) == 3
    other.close()


def test_a_record_fed_in_place_is_added(store, transfer):
    replace(transfer, SOA, a("www.example.org"))
    transfer.start(APEX, -1)
    transfer.feed(a("www.example.org", "192.0.2.2"))
    transfer.feed_ents(["not.needed.example.org"])
    assert transfer.commit()
    assert [content for _, _, content, _ in listed(store)[1:]] == ["192.0.2.1", "192.0.2.2"]


def test_an_edit_that_would_break_a_rule_is_refused(store, transfer):
    replace(transfer, SOA, a("www.example.org"))
    before = listed(store)
    with pytest.raises(TransferFault, match="0 SOA records"):
        edit(transfer, APEX, "SOA")
    with pytest.raises(TransferFault, match="there cannot be A records"):
        edit(transfer, "www.example.org", "CNAME", Record("www.example.org", "CNAME", 60, "x"))
    assert listed(store) == before


def test_keys_can_be_kept_in_a_transaction_of_a_zone_that_is_not_stored(store, transfer):
    """pdnsutil secure-zone on a zone of the configuration."""
    transfer.start("configured.example", -1)
    store.add_key("configured.example", 5, 257, True, True, "key")
    assert transfer.commit()
    assert len(store.keys("configured.example")) == 1


@pytest.mark.parametrize("below", ["a." * 100, "a." * 115])
def test_names_of_a_hundred_labels_are_refused_before_they_fill_the_disk(store, transfer, below):
    """20,000 of them were a commit of 109 s and a gigabyte; 5,000 a transfer that was repeated for ever."""
    assert replace(transfer, SOA, a("www.example.org"))
    before = listed(store), os.path.getsize(store.path)
    records = [a(f"{below}n{number}.example.org") for number in range(2000)]
    with pytest.raises(StoreFault, match="empty non-terminals are more than a zone may have: 100000"):
        replace(transfer, SOA, *records, moment=1)
    assert (listed(store), os.path.getsize(store.path)) == before
    assert "empty non-terminals" in str(store.refusal(7))


def test_addresses_in_ip6_arpa_are_far_below_the_bound(store, transfer):
    records = [a(".".join(f"{number:032x}"[::-1]) + ".example.org") for number in range(0, 2**40, 2**29 + 12345)]
    assert replace(transfer, SOA, *records)
