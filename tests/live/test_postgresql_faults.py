"""What PowerDNS answers while the database of our store is away: what is known stays signed, the rest is SERVFAIL."""

from __future__ import annotations

import signal
import time
from contextlib import closing, contextmanager

import dns.rcode
import pytest

from pipebackend.dnsdata.records import Record
from pipebackend.store import open_store
from tests.live.postgresql import Cluster, Relay, connected
from tests.live.servers import PATIENCE, PdnsServer, remote_config
from tests.making import TABLE_ZONE, write_config

pytestmark = pytest.mark.live

APEX = "example.org"
OURS = "application_name = 'pipebackend'"
PASSWORD = "first"


class Site:
    """A cluster, a network to it that may fail, and PowerDNS with our backend, which signs a zone."""

    def __init__(self, cluster: Cluster, relay: Relay, server: PdnsServer) -> None:
        self.cluster, self.relay, self.server = cluster, relay, server
        self._asked = 0

    def signed(self):
        return self.server.dig("lax.cities.example", "TXT", "+dnssec")

    def new(self):
        """The answer about a name that nobody asked for before, and that is not there."""
        self._asked += 1
        return self.server.dig(f"none{self._asked}.{APEX}", "A")

    def end_connections(self) -> None:
        self.cluster.rows("postgres", f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {OURS}")

    def change_role(self, change: str) -> None:
        self.cluster.execute("postgres", f"ALTER ROLE pdns {change}")


@contextmanager
def stopped(site):
    site.cluster.stop()
    yield
    site.cluster.start()


@contextmanager
def killed(site):
    site.cluster.stop(signal.SIGKILL)
    yield
    site.cluster.start()


@contextmanager
def frozen(site):
    """It takes connections, and never says anything."""
    site.cluster.freeze()
    yield
    site.cluster.freeze(signal.SIGCONT)


@contextmanager
def cut_off(site):
    """A network that drops everything."""
    site.relay.drops = True
    yield
    site.relay.drops = False


@contextmanager
def locked(site):
    with closing(connected(site.cluster.url("pdns"))) as other:
        other.cursor().execute(
            "BEGIN; LOCK TABLE records, domains, domainmetadata, cryptokeys IN ACCESS EXCLUSIVE MODE"
        )
        yield


@contextmanager
def without_connections(site):
    site.change_role("CONNECTION LIMIT 0")
    site.end_connections()
    yield
    site.change_role("CONNECTION LIMIT -1")


@contextmanager
def another_password(site):
    site.change_role("PASSWORD 'second'")
    site.end_connections()
    yield
    site.change_role(f"PASSWORD '{PASSWORD}'")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    with Cluster() as cluster, closing(Relay(cluster.port)) as relay:
        cluster.execute("postgres", "CREATE DATABASE pdns", f"CREATE ROLE pdns LOGIN PASSWORD '{PASSWORD}'")
        cluster.execute("pdns", "GRANT ALL ON SCHEMA public TO pdns")
        cluster.demand_passwords("pdns")
        url = cluster.url("pdns", user=f"pdns:{PASSWORD}", connect_timeout="1")
        url = url.replace(f":{cluster.port}/", f":{relay.port}/")
        patient = url.replace("connect_timeout=1", "connect_timeout=30")
        with closing(open_store(patient, "/")) as store:
            store.create_domain(APEX, 42)
            soa = Record(APEX, "SOA", 60, f"ns1.{APEX} hostmaster.{APEX} 1 3600 600 86400 300")
            store.fill(42, [soa], lambda count: None)
        config = write_config(folder, f'[store]\nurl = "{patient}"\n{TABLE_ZONE}')
        server = PdnsServer({**remote_config(config, dnssec=True), "distributor-threads": "1"}, folder)
        server.said("secure-zone", "cities.example")
        write_config(folder, f'[store]\nurl = "{url}"\n{TABLE_ZONE}')
        with server:
            yield Site(cluster, relay, server)


def eventually(holds):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "fault",
    [stopped, killed, frozen, cut_off, locked, without_connections, another_password],
    ids=lambda fault: fault.__name__,
)
def test_what_needs_the_database_is_servfail_and_nothing_is_unsigned(fault, site):
    eventually(lambda: len(site.signed().answer) == 2 and site.new().rcode() == dns.rcode.NXDOMAIN)
    with fault(site):
        assert site.new().rcode() == dns.rcode.SERVFAIL
        for _ in range(2):  # PowerDNS has started the process again by now, which knows no keys
            assert site.signed().rcode() == dns.rcode.SERVFAIL or len(site.signed().answer) == 2
            assert site.new().rcode() == dns.rcode.SERVFAIL
    eventually(lambda: len(site.signed().answer) == 2 and site.new().rcode() == dns.rcode.NXDOMAIN)
