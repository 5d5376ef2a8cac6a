"""Answers of custom zones that depend on who asks: what PowerDNS keeps, and the example of docs/zones.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.edns
import dns.message
import dns.query
import dns.rdatatype
import pytest

from tests.live.servers import HOST, PATIENCE, PdnsServer, pipe_config, remote_config
from tests.unit import documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.live

PAGE = documents.text("docs/zones.md")
NEAR, TOLD = "near.example.net", "told.example.net"
OTHER = "127.0.0.2"
NETWORKS = '{ "192.0.2.0/24" = "192.0.2.80", "127.0.0.1/32" = "192.0.2.1" }'
ELSEWHERE, LOCAL, NETWORK = "198.51.100.80", "192.0.2.1", "192.0.2.80"
MODULE = """
class Told:
    scopes = {"scope0": (60, 0), "scope1": (60, 1), "ttl0": (0, 0), "never": (0, 32)}

    def lookup(self, name, client):
        if name in self.scopes:
            return [("TXT", f"{client.address} {client.subnet}", *self.scopes[name])]
        if name == "only" and str(client.address) == "127.0.0.1":
            return [("TXT", "here", 60, 32)]
        return None
"""
TOLD_ZONE = f"""
[[zone]]
name = "{TOLD}"
kind = "custom"
object = "told:Told"
soa = {{ mname = "ns1.example.net", rname = "hostmaster.example.net" }}
ns = ["ns1.example.net"]
"""
DEFAULTS = {"cache-ttl": "20", "query-cache-ttl": "20", "negquery-cache-ttl": "60"}
OFF = dict.fromkeys(DEFAULTS, "0")
ECS = {"edns-subnet-processing": "yes"}


class Asked:
    """A server, and questions to it from clients."""

    def __init__(self, server: PdnsServer) -> None:
        self.server = server

    def __call__(self, name: str, rdtype: str, client: str = HOST, subnet: str = "") -> tuple[list[str], list[int]]:
        """The data of the answer, and the scopes that the client is told."""
        network, _, bits = subnet.partition("/")
        options = [dns.edns.ECSOption(network, int(bits))] if subnet else []
        query = dns.message.make_query(name, rdtype, use_edns=0 if options else -1, options=options)
        answer = dns.query.udp(query, HOST, PATIENCE, self.server.port, source=client, ignore_unexpected=True)
        wanted = dns.rdatatype.from_text(rdtype)
        data = [str(rr).strip('"') for rrset in answer.answer if rrset.rdtype == wanted for rr in rrset]
        return data, [option.scopelen for option in answer.options if isinstance(option, dns.edns.ECSOption)]


def start(folder: Path, settings: dict[str, str], protocol: str = "remote") -> PdnsServer:
    documents.write_files(PAGE, folder)
    near = next(block for block in documents.fenced(PAGE, "toml") if f'"{NEAR}"' in block)
    near = near.replace('{ "192.0.2.0/24" = "192.0.2.80" }', NETWORKS)
    assert NETWORKS in near
    (folder / "told.py").write_text(MODULE)
    (folder / "zones.toml").write_text(near + TOLD_ZONE)
    config = folder / "zones.toml"
    if protocol == "pipe":
        launch = {**pipe_config(config), "pipe-timeout": "20000"}
    else:
        launch = remote_config(config, timeout=20_000)
    return PdnsServer({**launch, **settings}, folder)


@pytest.fixture(scope="module", params=["defaults", "off"])
def caches(request: pytest.FixtureRequest) -> dict[str, str]:
    return DEFAULTS if request.param == "defaults" else OFF


@pytest.fixture(scope="module", params=["remote", "pipe"])
def ask(
    request: pytest.FixtureRequest, caches: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Asked]:
    with start(tmp_path_factory.mktemp("clients"), caches | ECS, request.param) as server:
        yield Asked(server)


@pytest.mark.parametrize("name", ["www.", ""], ids=["www", "apex"])
def test_the_example_is_right_for_each_client_whatever_is_kept(ask: Asked, name: str) -> None:
    for _ in range(2):
        assert ask(name + NEAR, "A") == ([LOCAL], [])
        assert ask(name + NEAR, "A", OTHER) == ([ELSEWHERE], [])
        assert ask(name + NEAR, "A", OTHER, "192.0.2.0/24") == ([NETWORK], [24])
        assert ask(name + NEAR, "A", HOST, "192.0.2.0/25") == ([NETWORK], [24])
        assert ask(name + NEAR, "A", HOST, "203.0.113.0/24") == ([ELSEWHERE], [24])
        assert ask(name + NEAR, "A", HOST, "2001:db8::/56") == ([ELSEWHERE], [56])
        assert ask(name + NEAR, "A", HOST, "0.0.0.0/0")[0] == [LOCAL]


@pytest.mark.parametrize("name", ["scope1", "never"])
def test_an_answer_with_a_scope_is_kept_for_nobody(ask: Asked, name: str) -> None:
    for client in (HOST, OTHER, HOST):
        assert ask(f"{name}.{TOLD}", "TXT", client)[0] == [f"{client} {client}/32"]
    assert ask(f"{name}.{TOLD}", "TXT", HOST, "192.0.2.0/24")[0] == [f"{HOST} 192.0.2.0/24"]


@pytest.mark.parametrize("off", [(), ("query-cache-ttl",), ("cache-ttl",), ("query-cache-ttl", "cache-ttl")])
def test_which_cache_keeps_an_answer_without_scope(off: tuple[str, ...], tmp_path: Path) -> None:
    """With ttl 0 the packet cache keeps nothing; all else needs both caches off."""
    settings = DEFAULTS | dict.fromkeys(off, "0")
    with start(tmp_path, {**settings, "distributor-threads": "1"}) as server:
        ask = Asked(server)
        seen = {
            name: [ask(f"{name}.{TOLD}", "TXT", client)[0] for client in (HOST, OTHER)] for name in ("scope0", "ttl0")
        }
        is_right = {name: first != second for name, (first, second) in seen.items()}
        assert is_right == {"scope0": len(off) == 2, "ttl0": "query-cache-ttl" in off}
        kept_absence = ask(f"only.{TOLD}", "TXT", OTHER)[0] == ask(f"only.{TOLD}", "TXT", HOST)[0] == []
        assert kept_absence, "negquery-cache-ttl is not 0"


def test_without_the_setting_the_subnet_is_the_address(tmp_path: Path) -> None:
    with start(tmp_path, OFF) as server:
        assert Asked(server)(f"never.{TOLD}", "TXT", OTHER, "192.0.2.0/24") == ([f"{OTHER} {OTHER}/32"], [])
