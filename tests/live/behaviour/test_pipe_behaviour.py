"""docs/powerdns-behaviour.md, PIPE."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.live.behaviour.scripted import ANSWERED, VERSION, Scripted, rcode
from tests.live.servers import ServerFailed
from tests.process.coprocess import wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.live

WWW = "DATA\t0\t1\twww.e.test\tIN\tA\t60\t7\t192.0.2.80\n"
SHORT = 5000  # milliseconds, where a timeout is waited for


def test_the_command_is_split_at_spaces(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path, arguments='  "two words"') as server:
        assert rcode(server, "www.e.test") == ANSWERED
        assert json.loads((server.place / "arguments").read_text()) == ["", '"two', 'words"']


def test_a_regex_that_the_zone_does_not_fit(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path, settings={"pipe-regex": r"^www\.e\.test$"}) as server:
        assert rcode(server, "www.e.test") == "REFUSED"
        assert {request.split()[1] for request in server.asked if request.startswith("Q ")} == {"www.e.test"}


def test_the_zone_cache(tmp_path: Path) -> None:
    server = Scripted("pipe", tmp_path, settings={"zone-cache-refresh-interval": "300"})
    with pytest.raises(ServerFailed, match="support zone caching"), server:
        pass


def test_the_answer_to_helo_is_not_looked_at(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path, [("^HELO", "FAIL\n")]) as server:
        assert rcode(server, "www.e.test") == ANSWERED


def test_an_end_at_helo(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed), Scripted("pipe", tmp_path, [("^HELO", "exit")]):
        pass


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_questions_and_transfers_by_abi(tmp_path: Path, abi: int) -> None:
    with Scripted("pipe", tmp_path, settings={"pipe-abi-version": str(abi)}) as server:
        answer = server.dig("WWW.e.test").answer
        assert [rr.address for rr in answer[0]] == ["192.0.2.80"]
        assert server.asked[0] == f"HELO {abi}"
        fields = next(request for request in server.asked if " ANY " in request).split()
        addresses = ["127.0.0.1", "127.0.0.1", "127.0.0.1/32"][: min(abi, 3)]
        assert fields == ["Q", "WWW.e.test", "IN", "ANY", "7", *addresses]
        looking = next(request for request in server.asked if " SOA " in request).split()
        assert looking == ["Q", "WWW.e.test", "IN", "SOA", "-1", *["0.0.0.0", "0.0.0.0", "0.0.0.0/0"][: min(abi, 3)]]
        assert "192.0.2.80" in server.axfr("e.test")
        assert ("AXFR 7 e.test" if abi > 3 else "AXFR 7") in server.asked


def test_commands_of_pdnsutil(tmp_path: Path) -> None:
    server = Scripted("pipe", tmp_path, [("^CMD one", "a line\nFAIL\nanother\nEND\n")])
    assert "a line\nFAIL\nanother\n" in server.said("backend-cmd", "pipe", "one", "two words")
    assert [request for request in server.asked if "CMD" in request] == ["CMD one", "CMD two words"]


def test_the_priority_is_a_field_of_its_own(tmp_path: Path) -> None:
    together = "DATA\t0\t1\twww.e.test\tIN\tMX\t60\t7\t10 www.e.test\nEND\n"
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN ANY", together)]) as server:
        assert [rr.preference for rr in server.dig("mail.e.test", "MX").answer[0]] == [10]
        assert rcode(server, "www.e.test", "MX") == "SERVFAIL"


def test_tabs_and_the_end_of_lines(tmp_path: Path) -> None:
    line = 'DATA\t\t0\t1\twww.e.test\t\tIN\tTXT\t60\t7\t"a  b"  \r\nEND\r\n'
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN ANY", line)]) as server:
        assert [rr.strings for rr in server.dig("www.e.test", "TXT").answer[0]] == [(b"a  b",)]


def test_log_lines(tmp_path: Path) -> None:
    told = [("^Q www.e.test IN ANY", f"LOG\tbefore\n{WWW}LOG\tbetween\nEND\n")]
    with Scripted("pipe", tmp_path, told, settings={"loglevel": "3"}) as server:
        assert rcode(server, "www.e.test") == ANSWERED
        assert server.wait_for_log("before") and server.wait_for_log("between")


def test_fail(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN ANY", "once:FAIL\n")]) as server:
        assert [rcode(server, "www.e.test") for _ in range(2)] == ["SERVFAIL", ANSWERED]
        assert len(server.askers("^Q www.e.test IN ANY")) == 1


@pytest.mark.parametrize(("answer", "processes"), [("FAIL\nEND\n", 1), ("FAIL\n", 2)], ids=["end", "no end"])
def test_fail_of_a_soa_question(tmp_path: Path, answer: str, processes: int) -> None:
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN SOA", answer)], timeout=SHORT) as server:
        assert rcode(server, "www.e.test") == "SERVFAIL"
        assert len(server.askers("^Q www.e.test IN SOA")) == processes
        assert rcode(server, "mail.e.test", "MX") == ANSWERED


@pytest.mark.parametrize("line", ["GARBAGE\n", "\n", "DATA\t0\t1\twww.e.test\n"], ids=["word", "empty", "short"])
@pytest.mark.parametrize("once", ["once:", ""], ids=["once", "always"])
def test_a_line_that_cannot_be_read(tmp_path: Path, line: str, once: str) -> None:
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN ANY", f"{once}{line}END\n")]) as server:
        assert rcode(server, "www.e.test") == (ANSWERED if once else "SERVFAIL")
        assert len(server.askers("^Q www.e.test IN ANY")) == 2


def test_a_ttl_that_is_no_number(tmp_path: Path) -> None:
    told = [("^Q www.e.test IN ANY", "once:" + WWW.replace("60", "x") + "END\n")]
    with Scripted("pipe", tmp_path, told) as server:
        assert rcode(server, "www.e.test") == "SERVFAIL"
        assert not server.dig("www.e.test").answer
        assert len(server.askers("^Q ")) == 1


def test_empty_nonterminals(tmp_path: Path) -> None:
    ent, other = (
        f"DATA\t0\t1\t{name}.e.test\tIN\t{rest}\nEND\n"
        for name, rest in (("ent", "ENT\t60\t7"), ("other", "TYPE65280\t60\t7\t\\# 0"))
    )
    with Scripted("pipe", tmp_path, [("^Q ent.e.test IN ANY", ent), ("^Q other.e.test IN ANY", other)]) as server:
        assert rcode(server, "ent.e.test") == (ANSWERED if VERSION >= (5, 1) else "SERVFAIL")
        assert rcode(server, "other.e.test") == ANSWERED
        assert not server.dig("other.e.test").answer
        assert server.dig("other.e.test", "ANY").answer


def test_silence(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path, [("^Q www.e.test IN ANY", "hang")], timeout=SHORT) as server:
        assert rcode(server, "www.e.test") == "SERVFAIL"
        assert len(server.askers("^Q www.e.test IN ANY")) == 2


def test_an_end_while_idle(tmp_path: Path) -> None:
    with Scripted("pipe", tmp_path) as server:
        assert rcode(server, "e.test", "SOA") == ANSWERED
        dead = server.askers("^Q e.test")
        for pid in dead:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not dead & server.coprocesses(), "their end")
        assert [rcode(server, "e.test", "SOA") for _ in range(2)] == ["REFUSED", ANSWERED]
