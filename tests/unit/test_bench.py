"""The figures of scripts/bench: ratios, goals, the table and its JSON, the zones, and one tiny run of it all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import dns.zone
import pytest

from pipebackend.backend.opening import open_backend
from scripts.benchmarks import document, made
from scripts.benchmarks.figures import AT_LEAST, AT_MOST, Goal, Run, compared
from scripts.benchmarks.responders import PIPE, REMOTE, Responder, compiled, write_rules
from scripts.benchmarks.roundtrip import documented_form

TOP = Path(__file__).parents[2]


@pytest.fixture
def run() -> Run:
    run = Run("a run", "a machine")
    run.add(
        "a", "fast", "µs", [4.0, 5.0, 6.0], [2.0, 5.0, 12.0], "the limit", inverse=True, goals=[Goal(AT_LEAST, 0.9)]
    )
    run.add("d", "large", "MB", [30.0], [3.0], "a peer", goals=[Goal(AT_MOST, 16, of_value=True)], size=1000)
    run.add("b", "as it is", "q/s", [12_345.6], [24_691.2], "a peer")
    run.skip("the rest", "it is not there")
    return run


def test_ratios_are_made_round_by_round() -> None:
    """A round that was disturbed, on both sides, says as much as any other."""
    assert compared([10.0, 1000.0], [20.0, 2000.0]) == [0.5, 0.5]


def test_series_of_different_lengths_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="longer"):
        compared([1.0], [1.0, 2.0])


def test_the_share_of_the_limit_is_its_time_over_ours(run: Run) -> None:
    row = run.rows[0]
    assert (row.value, row.ratio, row.low, row.high) == (5.0, 1.0, 0.5, 2.0)


def test_speeds_are_compared_as_they_are(run: Run) -> None:
    assert run.rows[2].ratio == 0.5
    assert run.rows[2].verdict == ""


def test_goals_are_met_or_missed(run: Run) -> None:
    assert [row.verdict for row in run.rows] == ["met", "MISSED", ""]


def test_a_goal_for_each_row() -> None:
    run = Run("", "")
    run.add("a", "x", "s", [1.0], [2.0], "y", goals=[Goal(AT_MOST, 0.5), Goal(AT_MOST, 0.4)])
    assert [row.verdict for row in run.rows] == ["met", "MISSED"]


def test_the_table(run: Run) -> None:
    lines = run.text().splitlines()
    assert lines[0] == "a run; a machine"
    assert lines[2].split() == ["a", "fast", "5", "µs", "1.00", "0.50", "to", "2.00", "the", "limit", "≥", "0.9", "met"]
    assert lines[3].split() == [
        "d",
        "large",
        "30",
        "MB",
        "10.00",
        "10.00",
        "to",
        "10.00",
        "a",
        "peer",
        "≤",
        "16",
        "MB",
        "MISSED",
    ]
    assert lines[4].split() == ["b", "as", "it", "is", "12,346", "q/s", "0.50", "0.50", "to", "0.50", "a", "peer"]
    assert lines[5:] == ["left out: the rest: it is not there"]


def test_json_holds_the_whole_run(run: Run) -> None:
    again = Run.from_json(run.json())
    assert again == run
    assert '"verdict": "MISSED"' in run.json()


def test_parts_that_were_measured_one_after_the_other_are_one_run(run: Run) -> None:
    other = Run("other", "machine")
    other.add("g", "import", "s", [1.0], [2.0], "a peer")
    other.skip("the peer", "it is not installed")
    both = Run.joined([run, other])
    assert both.rows == [*run.rows, *other.rows]
    assert (both.title, both.machine) == (run.title, run.machine)
    assert both.left_out == [*run.left_out, *other.left_out]


def test_what_is_left_out_is_said_once(run: Run) -> None:
    run.skip("the rest", "it is not there")
    assert len(run.left_out) == 1


@pytest.mark.parametrize("kind", ["table", "file", "custom"])
def test_kinds_of_zones_hold_the_same(kind: str, tmp_path: Path) -> None:
    zone = made.make(tmp_path, kind, 30)
    backend = open_backend(str(zone.config))
    for number in (0, 29):
        found = backend.lookup(f"{made.name_of(number)}.{zone.apex}", "ANY").records
        expected = [record for record in made.written_out(zone.apex, 30) if record.owner == found[0].owner]
        assert list(found) == expected
    assert not backend.lookup(f"{made.name_of(30)}.{zone.apex}", "ANY").records


def test_ranges_answer_the_names_that_are_asked(tmp_path: Path) -> None:
    zone = made.make(tmp_path, "ranges", 30)
    backend = open_backend(str(zone.config))
    for name in zone.names(10, 1, in_mixed_case=True):
        assert backend.lookup(name, "ANY").records[0].content.startswith("10.0.0.")


def test_zone_files_are_zone_files(tmp_path: Path) -> None:
    made.write_zone_file(tmp_path / "zone", "a.example", 3)
    assert len(dns.zone.from_file(str(tmp_path / "zone"), "a.example").nodes) == 5


def test_names_in_mixed_case_are_names_of_the_zone_and_new(tmp_path: Path) -> None:
    zone = made.make(tmp_path, "table", 10)
    names = list(zone.names(500, 1, in_mixed_case=True))
    assert {name.lower() for name in names} == {f"{made.name_of(n)}.{zone.apex}" for n in range(10)}
    assert len(set(names)) > 450


def test_absent_names_are_all_different() -> None:
    assert len(set(made.absent(5000, 1))) == 5000


def test_names_between_others_have_neighbours_all_over_the_zone(tmp_path: Path) -> None:
    zone = made.make(tmp_path, "table", 10)
    labels = list(made.between(zone, 500, 1))
    assert len(set(labels)) == 500
    backend = open_backend(str(zone.config))
    assert not any(backend.lookup(f"{label}.{zone.apex}", "ANY").records for label in labels)
    ident = backend.zones.all()[0].ident
    assert {backend.neighbours(ident, label)[0].before for label in labels} == {made.name_of(n) for n in range(10)}


def test_documented_form() -> None:
    answer = b'{"result":[{"qname":"a.example","qtype":"A","content":"192.0.2.1","ttl":60,"domain_id":7}]}\n'
    plain = b'{"result":[{"qtype":"A", "qname":"a.example", "content":"192.0.2.1", "ttl": 60}]}\n'
    assert documented_form(answer) == plain


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler (cc)")
def test_the_responder_in_c_answers_by_the_first_rule_that_fits(tmp_path: Path) -> None:
    native = compiled(tmp_path)
    assert native is not None
    rules = write_rules(tmp_path / "rules", [("HELO\t", b"OK\n"), ("Q\ta", b"DATA\n\nEND\n"), ("", b"END\n")])
    questions = tmp_path / "questions"
    questions.write_bytes(PIPE.lookup("a.example") + PIPE.lookup("b.example"))
    with Responder(PIPE, [str(native.constant), str(rules)], native).greet() as responder:
        assert responder.ask(PIPE.lookup("a.example")) == b"DATA\n\nEND\n"
        assert responder.ask(PIPE.lookup("b.example")) == b"END\n"
        assert responder.seconds(questions, 0, 2) > 0
        assert responder.seconds(questions, 1, 1) > 0


def test_without_a_compiler_python_asks(tmp_path: Path) -> None:
    zone = made.make(tmp_path, "table", 5)
    questions = tmp_path / "questions"
    questions.write_bytes(b"".join(REMOTE.lookup(name) for name in zone.names(5, 1, in_mixed_case=False)))
    command = [f"{sys.prefix}/bin/remoteshim", "--config", str(zone.config)]
    with Responder(REMOTE, command).greet() as responder:
        assert responder.seconds(questions, 0, 5) > 0


def test_a_tiny_run(tmp_path: Path) -> None:
    """What a user starts, but for the environment; the goals are not looked at."""
    given = ["--quick", "--parts", "cfg", "--json", str(tmp_path / "figures.json")]
    command = [sys.executable, "-m", "scripts.benchmarks", *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=TOP, check=True)
    run = Run.from_json((tmp_path / "figures.json").read_text("utf-8"))
    assert done.stdout == run.text()
    assert {"start to first answer, PIPE airports", "REMOTE answer, A and TXT", "zone import, 1,000 names"} <= {
        row.what for row in run.rows
    }
    assert all(row.ratio > 0 for row in run.rows)


def test_unknown_parts_are_refused() -> None:
    command = [sys.executable, "-m", "scripts.benchmarks", "--parts", "xz"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 2
    assert "there is no part 'xz'" in done.stderr


def test_the_page_has_goals_parts_and_what_is_missing(run: Run) -> None:
    run.add("b", "ours unix: unsigned positive, caches off", "q/s", [5.0], [4.0], "ours REMOTE timeout=0")
    page = document.text_of(run, {"growth": False, "ratios": False})
    assert "1 of 2 goals are met" in page
    assert "| large | 30 MB | 10.00 | 10.00 to 10.00 | a peer | ≤ 16 MB | **MISSED** |" in page
    assert "a unix socket 1.25" in " ".join(page.split())  # a figure of the run in the prose
    assert "- the rest: it is not there" in page
    assert "## Growth" not in page
    assert "{{" not in page


def test_plots_are_the_same_for_the_same_figures(run: Run, tmp_path: Path) -> None:
    plots = pytest.importorskip("scripts.benchmarks.plots", reason="matplotlib is not installed; scripts/bench has it")
    run.add("e", "start to first answer, PIPE table: 1,000 names", "ms", [2.0], [1.0], "bare Python", size=1000)
    for name in ("one.svg", "two.svg"):
        assert plots.draw_ratios(run, tmp_path / name)
        assert plots.draw_growth(run, tmp_path / f"growth-{name}")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "growth-one.svg").read_bytes() == (tmp_path / "growth-two.svg").read_bytes()
    assert not plots.draw_growth(Run("", ""), tmp_path / "none.svg")
