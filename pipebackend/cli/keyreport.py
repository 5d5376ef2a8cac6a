"""What is printed of a zone whose keys roll over by themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from pipebackend.cli.output import as_json, print_rows
from pipebackend.rollover import goals
from pipebackend.rollover.forecast import next_step
from pipebackend.rollover.states import RECORDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipebackend.rollover.maintainer import Report
    from pipebackend.rollover.states import Key

__all__ = ["facts", "moment", "show", "show_json", "tell"]


def show(report: Report, *, is_dry: bool = False) -> None:
    """Keys, what was done, and what comes next."""
    print_rows([_row(key) for key in report.zone.keys])
    tell(report, is_dry=is_dry)


def tell(report: Report, *, is_dry: bool, waits_to_stderr: bool = False) -> None:
    """What was done, and what comes next."""
    for text in report.done:
        click.echo(f"{report.apex or '.'}: {'would ' if is_dry else ''}{text}")
    for line in waits(report):
        click.echo(f"{report.apex or '.'}: {line}", err=waits_to_stderr)


def show_json(reports: Sequence[Report], one: bool = False) -> None:
    """The same for programs."""
    found = [facts(report) for report in reports]
    as_json(found[0] if one else found)


def waits(report: Report) -> list[str]:
    """What comes next, when, and what it waits for."""
    plan, tags = report.plan, {key.id: key.tag for key in report.zone.keys}
    lines = []
    if plan.ds_in:
        lines.append(f"waits for the parent to have the DS of {_listed(plan.ds_in, tags)}{_since(report)}")
    if plan.ds_out:
        lines.append(f"waits for the parent to remove the DS of {_listed(plan.ds_out, tags)}{_since(report)}")
    if report.zone.parent:
        lines.append(f"the parent is not known: {report.zone.parent}")
    lines += [f"the {goals.NAMES[role]} is being replaced already" for role in report.ignored]
    if report.now < report.zone.hold_until:
        lines.append(plan.blocked)
    if plan.at is None:
        return [*lines, "nothing is due by time alone"]
    at, text = next_step(report.zone, report.policy, report.now) or (plan.at, plan.blocked)
    if plan.ds_in or plan.ds_out:
        return [*lines, f"then: {text}"] if text else lines
    return [*lines, f"next: {text}, at {moment(report, at)}" if text else f"next look: {moment(report, at)}"]


def moment(report: Report, at: int) -> str:
    """A moment of the clock of roll-overs as time of day."""
    return f"{datetime.fromtimestamp(report.wall + at - report.now, UTC):%Y-%m-%dT%H:%M:%SZ}"


def facts(report: Report) -> dict[str, object]:
    """A report as JSON has it."""
    plan = report.plan
    return {
        "zone": report.apex or ".",
        "policy": report.policy.name,
        "keys": [_facts(report, key) for key in report.zone.keys],
        "done": report.done,
        "next": None if plan.at is None else moment(report, plan.at),
        "then": plan.blocked or None,
        "ds_wanted": [_tag(report, key_id) for key_id in plan.ds_in],
        "ds_unwanted": [_tag(report, key_id) for key_id in plan.ds_out],
        "waited": report.waited,
        "late": report.is_late,
        "parent": report.zone.parent or None,
    }


def _facts(report: Report, key: Key) -> dict[str, object]:
    spans = {record: getattr(key, record) for record in RECORDS}
    return {
        "id": key.id if not key.is_gone else None,
        "role": key.role.upper(),
        "tag": key.tag,
        "algorithm": key.algorithm,
        "goal": key.goal,
        "active": key.active,
        "published": key.published,
        **{
            record: {
                "state": span.state,
                "since": moment(report, span.since) if span.since else None,
                "until": moment(report, span.end) if span.end is not None else None,
            }
            for record, span in spans.items()
        },
    }


def _row(key: Key) -> dict[str, object]:
    states = {record.replace("_", " "): getattr(key, record).state for record in RECORDS}
    return {
        "id": key.id,
        "role": key.role.upper(),
        "tag": key.tag or "new",
        "alg": key.algorithm,
        "goal": key.goal,
        **states,
    }


def _since(report: Report) -> str:
    days, rest = divmod(report.waited, 86_400)
    shown = f"{days} d {rest // 3600} h" if days else f"{rest // 3600} h {rest % 3600 // 60} min"
    return f", for {shown}" + (": TOO LONG" if report.is_late else "")


def _listed(ids: Sequence[int], tags: dict[int, int]) -> str:
    return ", ".join(str(tags[key_id]) for key_id in ids)


def _tag(report: Report, key_id: int) -> int:
    return report.zone.key(key_id).tag
