"""The two coprocesses as a person at a shell, or a PowerDNS with bad manners, meets them."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipebackend.base.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPE, REMOTE = (os.path.join(sys.prefix, "bin", name) for name in ("pipebackend", "remoteshim"))
PATIENCE = 60.0  # seconds until a process that says nothing counts as hanging
BANNER = f"OK\tpipebackend {VERSION}, 1 zones".encode()
QUESTION = b"Q\tLAX.airports.aa\tIN\tANY\t-1\t127.0.0.1\n"
LOOKUP = b'{"method":"lookup","parameters":{"qname":"lax.airports.aa.","qtype":"ANY"}}\n'
LOC = "33 56 32.986 N 118 24 28.976 W 38.95m 1.00m 10000.00m 10.00m"
MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def _built_in_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIPEBACKEND_CONFIG", raising=False)


def run(command: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([command], input=given, capture_output=True, timeout=PATIENCE, check=True)


class Conversation:
    """A process that stays, asked line by line."""

    def __init__(self, command: str, pass_fds: tuple[int, ...] = ()) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([command], stdin=pipe, stdout=pipe, stderr=pipe, pass_fds=pass_fds)
        assert self.process.stdin and self.process.stdout
        self._input = self.process.stdin
        self._output = self.process.stdout.fileno()
        self._said = b""

    def ask(self, given: bytes) -> list[bytes]:
        """The lines of one answer, up to END, FAIL, a banner or a line of JSON."""
        self._input.write(given)
        self._input.flush()
        lines = [self.line()]
        while lines[-1] not in (b"END", b"FAIL") and not lines[-1].startswith((b"{", b"OK\t")):
            lines.append(self.line())
        return lines

    def line(self) -> bytes:
        """The next line of output, without its end."""
        while b"\n" not in self._said:
            assert self.says_something(PATIENCE), "no answer"
            chunk = os.read(self._output, MEGABYTE)
            assert chunk, f"the process ended with status {self.process.wait(PATIENCE)}"
            self._said += chunk
        line, _, self._said = self._said.partition(b"\n")
        return line

    def says_something(self, patience: float) -> bool:
        return bool(self._said or select.select([self._output], [], [], patience)[0])

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def pipe() -> Iterator[Conversation]:
    """``pipebackend`` after HELO 1."""
    talk = Conversation(PIPE)
    assert talk.ask(b"HELO\t1\n") == [BANNER]
    yield talk
    talk.end()


@pytest.fixture
def remote() -> Iterator[Conversation]:
    talk = Conversation(REMOTE)
    yield talk
    talk.end()


def found(answer: list[bytes]) -> bool:
    return answer[-1] == b"END" and len(answer) == 3


def test_one_question_by_printf() -> None:
    done = run(PIPE, b"HELO\t1\n" + QUESTION)
    banner, txt, loc, end, rest = done.stdout.decode().split("\n")
    assert banner == BANNER.decode()
    ident = re.fullmatch(r'DATA\tLAX\.airports\.aa\tIN\tTXT\t60\t(\d+)\t"Los Angeles International Airport"', txt)
    assert ident
    assert loc == f"DATA\tLAX.airports.aa\tIN\tLOC\t60\t{ident[1]}\t{LOC}"
    assert (end, rest) == ("END", "")
    assert done.stderr == b""


def test_one_request_by_echo() -> None:
    done = run(REMOTE, LOOKUP)
    assert done.stdout.count(b"\n") == 1
    answer = json.loads(done.stdout)
    assert done.stdout == json.dumps(answer, separators=(",", ":")).encode() + b"\n"
    txt, loc = answer["result"]
    assert txt["qtype"] == "TXT"
    assert txt["content"] == '"Los Angeles International Airport"'
    assert loc["qtype"] == "LOC"
    assert loc["content"] == LOC
    for record in (txt, loc):
        assert record["qname"].lower() == "lax.airports.aa"
        assert record["ttl"] == 60
        assert "domain_id" not in record, "that of the SOA is enough"
    assert done.stderr == b""


@pytest.mark.parametrize("abi", [1, 2, 3, 4, 5])
def test_each_abi_has_its_fields(abi: int) -> None:
    tail = b"".join([b"\t127.0.0.1" if abi >= 2 else b"", b"\t192.0.2.0/24" if abi >= 3 else b""])
    done = run(PIPE, b"HELO\t%d\n" % abi + QUESTION[:-1] + tail + b"\n")
    data = [line.split("\t") for line in done.stdout.decode().splitlines() if line.startswith("DATA")]
    assert [fields[1:-6] for fields in data] == ([["0", "1"]] * 2 if abi >= 3 else [[], []])
    assert [fields[-3] for fields in data] == ["60", "60"]


@pytest.mark.parametrize("line", [b"HELO\t9\n", b"HELO\n", b"HELO\t\n", b"HELO\tone\n", b"HELO\t-1\n"])
def test_a_wrong_abi_is_fail_and_the_process_stays(line: bytes) -> None:
    done = run(PIPE, line + QUESTION + b"HELO\t1\n" + QUESTION)
    answers = done.stdout.splitlines()
    assert answers[0] == b"FAIL"
    assert answers[1].startswith(b"LOG\t")
    assert answers[2:4] == [b"FAIL", BANNER]
    assert answers[-1] == b"END"
    assert b"set pipe-abi-version to one of 1, 2, 3, 4, 5" in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\t",
        b"\t\t\t\t\t\t\t",
        b"Q",
        b"Q\tlax.airports.aa",
        b"Q\tlax.airports.aa\tIN\tANY\tmany\t127.0.0.1",
        b"Q\tlax.airports.aa\tIN\tANY\t-\t127.0.0.1",
        b"Q\t" + b"a" * 64 + b".aa\tIN\tANY\t-1\t127.0.0.1",
        b"Q\ta..aa\tIN\tANY\t-1\t127.0.0.1",
        b"Q\t\\999.airports.aa\tIN\tANY\t-1\t127.0.0.1",
        b"Q\t\xff\xfe\xc3.airports.aa\tIN\tANY\t-1\t127.0.0.1",
        b"q\tlax.airports.aa\tIN\tANY\t-1\t127.0.0.1",
        b"PING",
        b"AXFR",
        b"AXFR\t99999",
        b"AXFR\tx",
        b"\x00\x01\x02\x1b[2J",
        b"x" * 100_000,
    ],
)
def test_a_bad_line_is_one_fail_and_the_next_question_is_answered(pipe: Conversation, line: bytes) -> None:
    answer = pipe.ask(line + b"\n")
    assert answer[-1] == b"FAIL"
    assert len(answer) == 2
    assert answer[0].startswith(b"LOG\t")
    assert answer[0][4:].decode("ascii").isprintable()
    assert found(pipe.ask(QUESTION))


@pytest.mark.parametrize("label", [b"\x00", b"\x7f", b"\\009", b"\\000", b"\\010", b"\\255", b"a\\.b", b"\\\\"])
def test_odd_octets_in_a_name_are_not_found(pipe: Conversation, label: bytes) -> None:
    assert pipe.ask(b"Q\t" + label + b".airports.aa\tIN\tANY\t-1\t127.0.0.1\n") == [b"END"]
    assert found(pipe.ask(QUESTION))


def test_a_soa_question_that_fails_also_gets_an_end(pipe: Conversation) -> None:
    """PowerDNS reads on after FAIL here (rule P-15)."""
    assert pipe.ask(b"Q\ta..aa\tIN\tSOA\t-1\t127.0.0.1\n")[-1] == b"FAIL"
    assert pipe.line() == b"END"
    assert found(pipe.ask(QUESTION))


def test_a_command_that_fails_ends_with_end(pipe: Conversation) -> None:
    """After CMD PowerDNS waits for END and for nothing else (rule P-9)."""
    answer = pipe.ask(b"CMD\tno-such-command\n")
    assert answer[-1] == b"END"
    assert b"no-such-command" in b"".join(answer)
    assert found(pipe.ask(QUESTION))


def test_commands(pipe: Conversation) -> None:
    assert pipe.ask(b"CMD\tversion\n") == [f"pipebackend {VERSION}".encode(), b"END"]
    assert len(pipe.ask(b"CMD\thelp\n")) > 4
    found(pipe.ask(QUESTION))
    assert pipe.ask(b"CMD\tstats\n")[0] == b"questions 1"


def test_a_carriage_return_before_the_line_end_is_no_part_of_the_line(pipe: Conversation) -> None:
    assert found(pipe.ask(QUESTION[:-1] + b"\r\n"))


def test_a_line_of_more_than_a_megabyte_is_one_fail(pipe: Conversation) -> None:
    answer = pipe.ask(b"Q\t" + b"a" * (2 * MEGABYTE) + b"\n")
    assert answer[-1] == b"FAIL"
    assert not pipe.says_something(0.2)
    assert found(pipe.ask(QUESTION))


def test_a_megabyte_of_empty_lines_is_a_fail_for_each() -> None:
    answers = run(PIPE, b"HELO\t1\n" + b"\n" * 10_000 + QUESTION).stdout.splitlines()
    assert answers.count(b"FAIL") == 10_000
    assert answers[-1] == b"END"


def test_many_questions_in_one_write_are_answered_in_their_order() -> None:
    asked = b"".join(b"Q\t%s.airports.aa\tIN\tTXT\t-1\t127.0.0.1\n" % iata for iata in (b"LAX", b"XXXX", b"AMS") * 100)
    answers = run(PIPE, b"HELO\t1\n" + asked).stdout.splitlines()[1:]
    owners = [answer.split(b"\t")[1] if b"\t" in answer else answer for answer in answers]
    assert owners == [b"LAX.airports.aa", b"END", b"END", b"AMS.airports.aa", b"END"] * 100


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"lookup"',
        b"{}",
        b'{"method":"lookup"}',
        b'{"method":"lookup","parameters":[]}',
        b'{"method":"lookup","parameters":{"qname":"lax.airports.aa."}}',
        b'{"method":"lookup","parameters":{"qname":7,"qtype":"ANY"}}',
        b'{"method":"lookup","parameters":{"qname":"a..b","qtype":"ANY"}}',
        b'{"method":"lookup","parameters":{"qname":"\xff\xfe","qtype":"ANY"}}',
        b'{"method":"lookup","parameters":{"qname":"lax.airports.aa.","qtype":"ANY","zone-id":"x"}}',
        b'{"method":"no-such-method","parameters":{}}',
        b'{"method":7,"parameters":{}}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"method":"' + b"a" * (2 * MEGABYTE) + b'"}',
    ],
)
def test_a_bad_request_is_false_with_a_reason_and_the_next_one_is_answered(remote: Conversation, line: bytes) -> None:
    (said,) = remote.ask(line + b"\n")
    answer = json.loads(said)
    assert answer["result"] is False
    assert [bool(reason) and reason.isprintable() for reason in answer["log"]] == [True]
    assert not remote.says_something(0.05)
    (said,) = remote.ask(LOOKUP)
    assert len(json.loads(said)["result"]) == 2


@pytest.mark.parametrize("command", [PIPE, REMOTE])
def test_end_of_input_is_the_end(command: str) -> None:
    done = run(command, b"")
    assert (done.stdout, done.stderr) == (b"", b"")


@pytest.mark.parametrize(("command", "given"), [(PIPE, b"HELO\t1\n" + QUESTION), (REMOTE, LOOKUP)])
def test_a_last_line_without_its_end_is_answered(command: str, given: bytes) -> None:
    assert run(command, given[:-1]).stdout == run(command, given).stdout


@pytest.mark.parametrize("command", [PIPE, REMOTE])
def test_closed_standard_files_do_not_make_it_hang(command: str) -> None:
    """Started with stdin closed there is nothing to answer, and no traceback."""
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" <&-', command], capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.stdout == b""
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(("command", "given"), [(PIPE, b"HELO\t1\n" + QUESTION), (REMOTE, LOOKUP)])
def test_nobody_who_reads_is_a_quiet_end(command: str, given: bytes) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open(write_end, "wb") as nobody:
        done = subprocess.run([command], input=given, stdout=nobody, stderr=subprocess.PIPE, timeout=PATIENCE)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(("command", "given"), [(PIPE, b"HELO\t1\n"), (REMOTE, LOOKUP)])
def test_inherited_files_are_closed(command: str, given: bytes) -> None:
    """PowerDNS leaks the pipes of our siblings into us (rule L-5)."""
    read_end, write_end = os.pipe()
    talk = Conversation(command, pass_fds=(write_end,))
    os.close(write_end)
    try:
        talk.ask(given)
        assert select.select([read_end], [], [], PATIENCE)[0]
        assert os.read(read_end, 1) == b""  # the end of file: no process holds the other end
    finally:
        talk.end()
        os.close(read_end)


@pytest.mark.parametrize(("command", "given"), [(PIPE, b"HELO\t1\n"), (REMOTE, LOOKUP)])
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(command: str, given: bytes, signum: signal.Signals) -> None:
    talk = Conversation(command)
    talk.ask(given)
    talk.process.send_signal(signum)
    talk.process.wait(PATIENCE)
    rest = talk.process.communicate()[0]
    assert rest == b""


@pytest.mark.parametrize("command", [PIPE, REMOTE])
def test_it_stays_while_nobody_asks(command: str) -> None:
    """A coprocess that ends while idle is never started again by REMOTE (rule L-1)."""
    talk = Conversation(command)
    try:
        talk.ask(b"HELO\t1\n" if command == PIPE else LOOKUP)
        with pytest.raises(subprocess.TimeoutExpired):
            talk.process.wait(1.0)
    finally:
        talk.end()


@pytest.mark.parametrize("command", [PIPE, REMOTE])
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--version"], 0, VERSION),
        (["--help"], 0, "usage: "),
        (["--nonsense"], 2, "unknown option '--nonsense'"),
        (["--config"], 2, "--config needs a file"),
        (["--config", "/does/not/exist.toml"], 2, "/does/not/exist.toml: cannot be read"),
    ],
)
def test_options(command: str, words: list[str], status: int, said: str) -> None:
    done = subprocess.run([command, *words], input="", capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == status
    assert said in (done.stderr if status else done.stdout)
    assert (done.stdout if status else done.stderr) == ""
