"""What a service counted, over all of its workers: by zoneutil, by a command and for Prometheus."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.process.coprocess import HELO, INITIALIZE, LOOKUP, Q, children, coprocesses, wait_for
from tests.process.test_listen import Client, Service, serve  # noqa: F401  # a fixture


def stats(service: Service, *options: str) -> subprocess.CompletedProcess[str]:
    words = [os.path.join(sys.prefix, "bin", "zoneutil"), "pdns", "stats", "--socket", str(service.path), *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=60)


def calls(service: Service) -> dict[tuple[str, str], int]:
    found = json.loads(stats(service, "--json").stdout)
    return {(method, zone): count for method, zone, count, _ in found["calls"]}


@pytest.mark.parametrize(
    ("program", "hello", "question"), [("pipebackend", HELO, Q), ("remoteshim", INITIALIZE % b"", LOOKUP)]
)
def test_the_numbers_of_all_workers_also_of_those_that_ended(serve, program, hello, question):  # noqa: F811
    service = serve(program, "--workers", "2").ready()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(contextlib.closing(Client(service))) for _ in range(4)]
        for client in clients:
            client.ask(hello)
            for _ in range(5):
                client.ask(question)
        wait_for(lambda: calls(service).get(("lookup", "airports.aa")) == 20, "all workers have written")
        service.reload()
        wait_for(lambda: len(children(service.process.pid)) == 2, "the old workers have gone")
        for client in clients:
            client.ask(question)
        wait_for(lambda: calls(service).get(("lookup", "airports.aa")) == 24, "new and old together")
    shown = stats(service).stdout
    assert shown.startswith("2 processes for ")
    assert any(line.split() == ["lookup", "airports.aa", "24", "0"] for line in shown.splitlines()), shown


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_prometheus_reads_what_all_workers_counted(serve):  # noqa: F811
    port = free_port()
    service = serve("remoteshim", "--workers", "2", "--metrics", f"127.0.0.1:{port}").ready()
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            client = stack.enter_context(contextlib.closing(Client(service)))
            client.ask(INITIALIZE % b"")
            client.ask(LOOKUP)
            client.ask(b"nonsense\n")

        def read() -> str:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()

        wait_for(
            lambda: 'pipebackend_calls_total{method="lookup",zone="airports.aa"} 4.0\n' in read(), "four questions"
        )
        wait_for(lambda: 'pipebackend_failures_total{method="unknown",zone="-"} 4.0\n' in read(), "four failures")
        assert "pipebackend_workers 2.0\n" in read()
    assert service.end() == 0


def test_a_port_that_is_taken_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as other:
        words = [os.path.join(sys.prefix, "bin", "remoteshim"), "--listen", f"unix:{tmp_path}/s"]
        words += ["--metrics", f"127.0.0.1:{other.getsockname()[1]}"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert done.returncode == 2
    assert "--metrics 127.0.0.1:" in done.stderr and "Address already in use" in done.stderr
    assert not (tmp_path / "s").exists()


def test_no_server_is_said(tmp_path):
    done = subprocess.run(
        [os.path.join(sys.prefix, "bin", "zoneutil"), "pdns", "stats", "--socket", str(tmp_path / "none")],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "no server to ask (No such file or directory)" in done.stderr


def test_a_coprocess_counts_for_itself(tmp_path: Path):
    with coprocesses(tmp_path) as start:
        coprocess = start("remoteshim")
        coprocess.begin()
        for _ in range(3):
            coprocess.ask()
        said = json.loads(coprocess.ask(b'{"method": "directBackendCmd", "parameters": {"query": "stats"}}\n'))[
            "result"
        ]
        assert said.startswith("questions 3\nfailures 0\nzones 1\n")
        coprocess.process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("program", ["pipebackend", "remoteshim"])
def test_a_custom_zone_that_raises_is_a_failure_of_that_zone(tmp_path: Path, program):
    (tmp_path / "boom.py").write_text("class Boom:\n    def lookup(self, name, client):\n        raise ValueError\n")
    (tmp_path / "c.toml").write_text(
        '[[zone]]\nname = "boom.example"\nkind = "custom"\nobject = "boom:Boom"\nns = ["ns1.example.net"]\n'
        'soa = { mname = "ns1.example.net", rname = "hostmaster.example.net" }\n'
    )
    words = [os.path.join(sys.prefix, "bin", program), "--no-keeper", "--config", str(tmp_path / "c.toml")]
    if program == "remoteshim":
        asked = [
            '{"method": "lookup", "parameters": {"qname": "x.boom.example.", "qtype": "ANY"}}',
            '{"method": "directBackendCmd", "parameters": {"query": "stats json"}}',
        ]
    else:
        asked = ["HELO\t5", "Q\tx.boom.example\tIN\tANY\t-1\t::1\t::1\t::1/128", "CMD\tstats json"]
    done = subprocess.run(
        words, input="".join(f"{line}\n" for line in asked), capture_output=True, text=True, timeout=60
    )
    if program == "remoteshim":
        numbers = json.loads(json.loads(done.stdout.splitlines()[-1])["result"])
    else:
        numbers = json.loads(done.stdout.splitlines()[-2])
    assert ["lookup", "boom.example", 1, 1] in numbers["calls"]
