"""The keeper: whatever happens to the process that answers, the one that PowerDNS knows does what PowerDNS can mend."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipebackend.server import supervisor
from tests.process.coprocess import LOOKUP, Coprocess, Q, children, coprocesses, is_alive, wait_for, write_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.process.coprocess import Start


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with coprocesses(tmp_path) as start:
        yield start


BOTH = pytest.mark.parametrize("program", ["pipebackend", "remoteshim"])


@BOTH
def test_a_process_killed_while_idle_is_replaced_and_no_question_lost(start: Start, program: str) -> None:
    coprocess = start(program)
    coprocess.begin()
    expected = coprocess.ask()
    assert b"Los Angeles" in expected
    for _ in range(20):
        coprocess.kill_child()
        assert coprocess.ask() == expected
    assert coprocess.process.poll() is None
    assert coprocess.log.count("was killed by signal 9") == 20


@BOTH
def test_it_is_replaced_after_a_handshake_without_question(start: Start, program: str) -> None:
    """The new process knows what HELO or initialize said, though PowerDNS says it once."""
    coprocess = start(program)
    coprocess.begin()
    coprocess.kill_child()
    assert b"Los Angeles" in coprocess.ask()


def test_the_configuration_that_initialize_named_stays(start: Start, tmp_path: Path) -> None:
    write_table(tmp_path, "first")
    coprocess = start("remoteshim")
    coprocess.begin(b', "config": "%s"' % os.fsencode(tmp_path / "own.toml"))
    coprocess.kill_child()
    question = LOOKUP.replace(b"lax.airports.aa.", b"x.t.example.")
    assert b"first" in coprocess.ask(question)
    write_table(tmp_path, "second")
    coprocess.kill_child()
    assert b"second" in coprocess.ask(question)


@BOTH
def test_a_process_killed_over_a_question_ends_the_keeper(start: Start, tmp_path: Path, program: str) -> None:
    """Half a line was read: nobody could tell another process what it was."""
    coprocess = start(program)
    coprocess.begin()
    coprocess.say(b"Q\thalf.a.line")
    coprocess.wait_until_read()
    coprocess.wait_until_asleep()
    os.kill(coprocess.child, signal.SIGKILL)
    assert coprocess.ends() == 128 + signal.SIGKILL
    assert coprocess.hear() == b""
    assert "was killed by signal 9 over " in coprocess.log


def test_a_process_killed_within_a_transaction_ends_the_keeper(start: Start, tmp_path: Path) -> None:
    """Its writes are gone; in a new process, what comes next would be kept without them."""
    write_table(tmp_path, "x")
    coprocess = start("remoteshim", f"--config={tmp_path / 'own.toml'}")
    coprocess.begin()
    began = b'{"method": "startTransaction", "parameters": {"domain": "t.example.", "domain_id": -1, "trxid": 1}}\n'
    assert coprocess.ask(began) == b'{"result":true}\n'
    os.kill(coprocess.child, signal.SIGKILL)
    assert coprocess.ends() == 128 + signal.SIGKILL


def test_after_a_transaction_it_is_replaced_again(start: Start, tmp_path: Path) -> None:
    write_table(tmp_path, "x")
    coprocess = start("remoteshim", f"--config={tmp_path / 'own.toml'}")
    coprocess.begin()
    for method in (b"startTransaction", b"abortTransaction"):
        request = b'{"method": "%s", "parameters": {"domain": "t.example.", "domain_id": -1, "trxid": 1}}\n'
        assert coprocess.ask(request % method) == b'{"result":true}\n'
    coprocess.kill_child()
    assert b'"result":[{' in coprocess.ask(LOOKUP.replace(b"lax.airports.aa.", b"x.t.example."))


@BOTH
def test_the_end_of_input_ends_both_with_status_0(start: Start, program: str) -> None:
    coprocess = start(program)
    coprocess.begin()
    child = coprocess.child
    assert coprocess.process.stdin is not None
    coprocess.process.stdin.close()
    assert coprocess.ends() == 0
    assert not is_alive(child)


@BOTH
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_signal_that_ends_the_keeper_ends_both(start: Start, program: str, number: int) -> None:
    coprocess = start(program)
    coprocess.begin()
    child = coprocess.child
    os.kill(coprocess.process.pid, number)
    assert coprocess.ends() == -number
    wait_for(lambda: not is_alive(child), "the end of the serving process")
    assert "Traceback" not in coprocess.log


@BOTH
def test_a_hang_up_is_no_end_and_changes_are_in_force_after_it(start: Start, tmp_path: Path, program: str) -> None:
    write_table(tmp_path, "first")
    coprocess = start(program, f"--config={tmp_path / 'own.toml'}")
    coprocess.begin()
    question = (Q if coprocess.is_pipe else LOOKUP).replace(b"lax.airports.aa", b"x.t.example")
    assert b"first" in coprocess.ask(question)
    write_table(tmp_path, "second")
    os.kill(coprocess.process.pid, signal.SIGHUP)
    os.kill(coprocess.child, signal.SIGHUP)
    wait_for(lambda: b"second" in coprocess.ask(question), "the change in force")


def is_told_of_no_change(coprocess: Coprocess) -> bool:
    """After another hang-up: the first may come while the table has not rested since it was written."""
    os.kill(coprocess.process.pid, signal.SIGHUP)
    time.sleep(0.2)
    return "SIGHUP: no file has changed" in coprocess.log


@BOTH
def test_a_hang_up_has_changes_read_at_once(start: Start, tmp_path: Path, program: str) -> None:
    """Also one of a file that is still written to, which is otherwise left alone until it rests."""
    write_table(tmp_path, "first")
    coprocess = start(program, f"--config={tmp_path / 'own.toml'}")
    coprocess.begin()
    question = (Q if coprocess.is_pipe else LOOKUP).replace(b"lax.airports.aa", b"x.t.example")
    assert b"first" in coprocess.ask(question)
    for _ in range(2):  # the second time to a process that was replaced
        wait_for(lambda: is_told_of_no_change(coprocess), "a word in the log")
        write_table(tmp_path, "second")
        os.kill(coprocess.process.pid, signal.SIGHUP)
        wait_for(lambda: b"second" in coprocess.ask(question), "the change in force")
        coprocess.kill_child()
        assert b"second" in coprocess.ask(question)
    assert coprocess.process.poll() is None


def test_a_process_that_hangs_does_not_outlive_a_killed_keeper(start: Start, hanging: str) -> None:
    coprocess = start("pipebackend", hanging)
    coprocess.begin()
    coprocess.say(Q.replace(b"lax.airports.aa", b"spin.c.example"))
    child = coprocess.child
    coprocess.wait_until_read()
    coprocess.process.kill()
    coprocess.process.wait()
    wait_for(lambda: not is_alive(child), "the end of the serving process")


def test_a_process_that_hangs_ends_when_nobody_reads_its_answers(start: Start, hanging: str) -> None:
    """So it is when pdns_server is killed."""
    coprocess = start("pipebackend", hanging)
    coprocess.begin()
    coprocess.say(Q.replace(b"lax.airports.aa", b"spin.c.example"))
    child = coprocess.child
    coprocess.wait_until_read()
    assert coprocess.process.stdin is not None
    assert coprocess.process.stdout is not None
    coprocess.process.stdin.close()
    coprocess.process.stdout.close()
    assert coprocess.ends() == 128 + signal.SIGKILL
    assert not is_alive(child)
    assert "nobody reads the answers any more" in coprocess.log


def test_a_poisonous_question_over_pipe_is_refused_and_in_the_log(start: Start, hanging: str) -> None:
    """PowerDNS would launch us twice, and over SOA wait for two timeouts (rule P-15); FAIL costs neither."""
    coprocess = start("pipebackend", hanging)
    coprocess.begin()
    poison = Q.replace(b"lax.airports.aa", b"poison.c.example")
    for _ in range(supervisor.MOST_VAIN + 1):
        refused = coprocess.ask(poison)
        assert refused.startswith(b"LOG\tthe process that answers died")
        assert refused.endswith(b"\nFAIL\n")
    assert coprocess.ask(Q.replace(b"lax.airports.aa", b"good.c.example")) == b"END\n"
    assert "was killed by signal 6 over b'Q\\tpoison.c.example" in coprocess.log


def test_a_poisonous_question_over_remote_ends_the_keeper_and_is_in_the_log(start: Start, hanging: str) -> None:
    coprocess = start("remoteshim", hanging)
    coprocess.begin()
    assert coprocess.ask(LOOKUP.replace(b"lax.airports.aa", b"poison.c.example")) == b""
    assert coprocess.ends() == 128 + signal.SIGABRT
    assert "was killed by signal 6 over lookup poison.c.example. TXT;" in coprocess.log


def test_a_process_killed_in_the_middle_of_an_answer_ends_the_keeper(start: Start) -> None:
    """A refusal would come after a part of the answer: PowerDNS would be out of step."""
    coprocess = start("pipebackend")
    coprocess.begin()
    coprocess.say(b"AXFR\t1\tairports.aa\n")
    wait_for(lambda: unread(coprocess) > 1 << 15, "the first part of the answer")
    os.kill(coprocess.child, signal.SIGKILL)
    assert coprocess.ends() == 128 + signal.SIGKILL
    assert b"FAIL" not in coprocess.hear()


@BOTH
def test_a_faulty_configuration_ends_with_status_2_before_the_handshake(
    start: Start, tmp_path: Path, program: str
) -> None:
    (tmp_path / "own.toml").write_text("zone = 5\n")
    coprocess = start(program, f"--config={tmp_path / 'own.toml'}")
    assert coprocess.ends() == 2
    assert coprocess.hear() == b""
    assert "own.toml" in coprocess.log
    assert len(coprocess.log.splitlines()) == 1


def test_processes_that_die_at_start_end_the_keeper_with_the_next_question(start: Start, tmp_path: Path) -> None:
    """Not before: PowerDNS would never launch us again (rule L-1)."""
    write_table(tmp_path, "x")
    coprocess = start("pipebackend", f"--config={tmp_path / 'own.toml'}")
    coprocess.begin()
    (tmp_path / "own.toml").write_text("zone = 5\n")
    os.kill(coprocess.child, signal.SIGKILL)
    wait_for(lambda: "no more are started" in coprocess.log, "giving up")
    assert coprocess.log.count("must be tables") == supervisor.MOST_VAIN
    assert coprocess.process.poll() is None
    assert coprocess.ask() == b""
    assert coprocess.ends() == 2


@BOTH
def test_without_a_keeper_there_is_one_process(start: Start, program: str) -> None:
    coprocess = start(program, "--no-keeper")
    coprocess.begin()
    assert b"Los Angeles" in coprocess.ask()
    assert children(coprocess.process.pid) == set()


def test_a_large_answer_is_whole_and_leaves_the_process_replaceable(start: Start) -> None:
    coprocess = start("remoteshim")
    coprocess.begin()
    request = b'{"method": "list", "parameters": {"zonename": "airports.aa.", "domain_id": -1}}\n'
    expected = coprocess.ask(request)
    assert len(expected) > 1_000_000
    coprocess.kill_child()
    assert coprocess.ask(request) == expected


def unread(coprocess: Coprocess) -> int:
    """How many octets of answers wait in the pipe."""
    assert coprocess.process.stdout is not None
    return int.from_bytes(fcntl.ioctl(coprocess.process.stdout, termios.FIONREAD, bytes(4)), sys.byteorder)


@pytest.fixture
def hanging(tmp_path: Path) -> str:
    """An option: a zone of a user whose code may never come back, or take the process with it."""
    (tmp_path / "harm.py").write_text(
        "import os\n"
        "class Harm:\n"
        "    def lookup(self, name, client):\n"
        '        if name == "spin":\n'
        "            while True: pass\n"
        '        if name == "poison": os.abort()\n'
        "        return []\n"
    )
    (tmp_path / "harm.toml").write_text(
        '[[zone]]\nname = "c.example"\nkind = "custom"\nobject = "harm:Harm"\nns = ["ns1.c.example"]\n'
        'soa = { mname = "ns1.c.example", rname = "hostmaster.c.example" }\n'
    )
    return f"--config={tmp_path / 'harm.toml'}"
