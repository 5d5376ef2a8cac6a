"""A coprocess is tried as PowerDNS starts it; whatever it does ends in a sentence, and nothing is left running."""

from __future__ import annotations

import json
import socket
import sys
import threading

import pytest

from pipebackend.diagnosis.doctor import coprocess, pdnsconf, probe, users

ZONES = ("example.org",)
# What a program that is not well says and does, and what is then said about it
SICK = {
    "ends at once": ("import sys; sys.exit('no such zone file')", "ended"),
    "says nothing": ("import time; time.sleep(60)", "no answer within 0.3 s"),
    "refuses the ABI": ("input(); print('FAIL', flush=True); input()", "'FAIL' to HELO 5"),
    "prints elsewhere": ("input(); print('OK', flush=True); input(); print('debug', flush=True)", "not a line of PIPE"),
    "knows no zone": ("input(); print('OK', flush=True); input(); print('END', flush=True); input()", "no SOA for"),
}  # fmt: skip


def pipe_to(folder, code):
    """A backend of PIPE that runs this Python code; PowerDNS's splitting allows for no spaces in it."""
    file = folder / "program.py"
    file.write_text(code)
    (folder / "pdns.conf").write_text(f"launch=pipe\npipe-command={sys.executable} {file}\n")
    [found] = coprocess.found(pdnsconf.read(str(folder)))
    return found


@pytest.mark.parametrize(("code", "fault"), SICK.values(), ids=SICK)
def test_programs_that_are_not_well(tmp_path, code, fault):
    patience = 300 if code.startswith("import time") else 20_000
    trial = probe.try_out(pipe_to(tmp_path, code), "5", patience, users.current(), ZONES)
    assert fault in trial.fault
    assert ("no such zone file" in trial.stderr) == ("no such zone file" in code)


def test_where_and_how_it_is_started(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEBACKEND_CONFIG", "/of/the/shell")
    code = "import os\ninput()\nprint('OK\\t' + os.getcwd() + ' ' + ' '.join(sorted(os.environ)), flush=True)\ninput()"
    trial = probe.try_out(pipe_to(tmp_path, code), "5", 20_000, users.current(), ())
    where, *environment = trial.greeting.split()
    assert where == "/"
    assert set(environment) <= {"LANG", "PATH", "LC_CTYPE"}
    assert trial.memory > 0


def test_a_program_that_cannot_be_started(tmp_path):
    (tmp_path / "pdns.conf").write_text("launch=pipe\npipe-command=/nonexistent\n")
    [found] = coprocess.found(pdnsconf.read(str(tmp_path)))
    assert "/nonexistent cannot be started" in probe.try_out(found, "5", 2000, users.current(), ()).fault


def serve_json(server, answers):
    """One connection: an answer for each line."""
    client, _ = server.accept()
    with client, client.makefile("rwb") as stream:
        for answer in answers:
            json.loads(stream.readline())
            stream.write(f"{answer}\n".encode())
            stream.flush()


@pytest.mark.parametrize(
    ("answers", "content", "fault"),
    [
        (['{"result":true}', '{"result":[{"qtype":"SOA","content":"a b 1"}]}'], ["a b 1"], ""),
        (['{"result":true}', '{"result":false}'], [""], "no SOA for example.org"),
        (['{"result":true}', "hello"], [], "which is not JSON"),
        (['{"result":true}', "{}"], [], "has no result"),
        (['{"result":false}'], [], "refused initialize"),
        ([], [], "it ended "),
    ],
)
def test_a_server_on_a_socket(tmp_path, answers, content, fault):
    path = tmp_path / "s"
    (tmp_path / "pdns.conf").write_text(f"launch=remote\nremote-connection-string=unix:path={path}\n")
    [found] = coprocess.found(pdnsconf.read(str(tmp_path)))
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = threading.Thread(target=serve_json, args=(server, answers))
        thread.start()
        trial = probe.try_out(found, "", 20_000, users.current(), ZONES)
        thread.join()
    assert [answer.content for answer in trial.answers] == content
    assert fault in trial.fault and bool(trial.fault) == bool(fault)


def test_a_socket_that_is_not_there(tmp_path):
    (tmp_path / "pdns.conf").write_text(f"launch=remote\nremote-connection-string=unix:path={tmp_path}/s\n")
    [found] = coprocess.found(pdnsconf.read(str(tmp_path)))
    assert "cannot connect" in probe.try_out(found, "", 2000, users.current(), ()).fault
