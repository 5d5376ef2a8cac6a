"""One database, two programs: what we write is served by PowerDNS's gpgsql, and what pdnsutil made is used by us."""

from __future__ import annotations

import time
from contextlib import closing

import dns.flags
import dns.rcode
import dns.rdatatype
import pytest

from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from tests.live.postgresql import gpgsql_schema
from tests.live.servers import HOST, PATIENCE, PdnsServer, owner_for_pdnsutil, remote_config
from tests.making import write_config
from tests.unit.store import foreign

pytestmark = pytest.mark.live

APEX = "example.org"
SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
QUESTIONS = [
    (owner, type_)
    for owner in (
        "",
        "www.",
        "mx.",
        "none.",
        "ent.",
        "a.ent.",
        "x.ent.",
        "sub.",
        "x.sub.",
        "ns.sub.",
        "any.wild.",
        "zz.",
    )
    for type_ in ("A", "MX", "NS", "DS", "SOA", "DNSKEY", "NSEC3PARAM", "TXT")
]


def database_of(url):
    return url.rpartition("/")[2].partition("?")[0]


def gpgsql(cluster, url, folder):
    """PowerDNS's own backend on a database."""
    settings = {"launch": "gpgsql", "gpgsql-host": HOST, "gpgsql-port": str(cluster.port), "gpgsql-dnssec": "yes"}
    return PdnsServer({**settings, "gpgsql-dbname": database_of(url), "gpgsql-user": "postgres"}, folder)


def remote(url, folder, zones="", **settings):
    """Our backend on it."""
    config = write_config(folder, f'[store]\nurl = "{url}"\n{zones}')
    return PdnsServer({**remote_config(config, dnssec=True), **settings}, folder)


def answer(server, owner, type_):
    """What is the same in each answer: the rest of a signature is made anew each time."""
    found = server.dig(f"{owner}{APEX}", type_, "+dnssec")

    def texts(rrset):
        name = str(rrset.name)
        if rrset.rdtype == dns.rdatatype.RRSIG:
            return {(name, dns.rdatatype.to_text(one.type_covered), one.labels, one.key_tag) for one in rrset}
        return {(name, rrset.rdtype, rrset.ttl, one.to_text()) for one in rrset}

    sections = [{one for rrset in section for one in texts(rrset)} for section in found.sections[1:3]]
    return dns.rcode.to_text(found.rcode()), bool(found.flags & dns.flags.AA), sections


def all_answers(server):
    return {f"{owner}{APEX} {type_}": answer(server, owner, type_) for owner, type_ in QUESTIONS}


def lines_of_keys(server):
    return [line for line in server.said("show-zone", APEX).splitlines() if "DNSKEY" in line or "DS =" in line]


def eventually(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


RECORDS = [
    ("www", "A", "192.0.2.1"),
    ("mx", "MX", "10 www.example.org"),
    ("a.ent", "TXT", '"below an empty non-terminal"'),
    ("sub", "NS", "ns.sub.example.org"),
    ("ns.sub", "A", "192.0.2.2"),
    ("*.wild", "A", "192.0.2.3"),
]


def shape(store):
    """Columns, indexes and constraints of PowerDNS's tables, without what is ours."""
    columns = """SELECT table_name, column_name, ordinal_position, data_type, character_maximum_length, is_nullable,
        column_default FROM information_schema.columns WHERE table_schema = 'public'
        AND table_name NOT LIKE 'pipebackend%' ORDER BY 1, 3"""
    indexes = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'pipeb%'"
    constraints = """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text NOT LIKE 'pipeb%' AND contype <> 'n'"""
    return [sorted(foreign.rows(store, sql), key=repr) for sql in (columns, indexes, constraints)]


def test_our_tables_are_those_of_powerdns(postgresql):
    with (
        closing(open_store(postgresql.new_database(gpgsql_schema()), "/")) as theirs,
        closing(open_store(postgresql.new_database(), "/")) as ours,
    ):
        ours.init()
        assert shape(ours) == shape(theirs)
        before = shape(theirs)
        theirs.init()
        assert shape(theirs) == before


@pytest.mark.parametrize("denial", ["", "1 0 1 ab", "1 1 0 -"])
def test_a_database_of_powerdns_is_answered_from_as_it_is(denial, postgresql, tmp_path):
    url = postgresql.new_database(gpgsql_schema())
    theirs = gpgsql(postgresql, url, tmp_path)
    theirs.said("create-zone", APEX, f"ns1.{APEX}")
    for owner, type_, content in RECORDS:
        theirs.said("add-record", APEX, owner_for_pdnsutil(owner, APEX), type_, "60", content)
    theirs.said("secure-zone", APEX)
    if denial:
        theirs.said("set-nsec3", APEX, denial)
    theirs.said("rectify-zone", APEX)
    with theirs, remote(url, tmp_path) as ours:
        assert all_answers(ours) == all_answers(theirs)
        assert lines_of_keys(ours) == lines_of_keys(theirs)
        theirs.said("add-record", APEX, owner_for_pdnsutil("new", APEX), "A", "60", "192.0.2.77")
        eventually(lambda: answer(ours, "new.", "A") == answer(theirs, "new.", "A"))


def test_a_database_of_ours_is_served_by_gpgsql(postgresql, tmp_path):
    url = postgresql.new_database()
    ours = remote(url, tmp_path)
    with closing(open_store(url, "/")) as store:
        store.create_domain(APEX, 42)
        soa = Record(APEX, "SOA", 60, f"ns1.{APEX} hostmaster.{APEX} 1 3600 600 86400 300")
        rows = [Record(f"{owner}.{APEX}", type_, 60, content) for owner, type_, content in RECORDS]
        store.fill(42, [soa, soa._replace(type="NS", content=f"ns1.{APEX}"), *rows], lambda count: None)
        store.set_tsig_key("k", "hmac-sha512", SECRET)
    ours.said("secure-zone", APEX)
    ours.said("set-nsec3", APEX, "1 0 0 -")
    theirs = gpgsql(postgresql, url, tmp_path)
    assert len(lines_of_keys(theirs)) > 2
    assert lines_of_keys(ours) == lines_of_keys(theirs)
    assert theirs.said("list-tsig-keys") == f"k. hmac-sha512. {SECRET}\n"
    with theirs, ours:
        assert all_answers(theirs) == all_answers(ours)
        theirs.said("create-zone", "theirs.example")
        eventually(lambda: ours.dig("theirs.example", "SOA").answer)
