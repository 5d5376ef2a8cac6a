"""``zoneutil key status|maintain|roll|ds-seen`` and ``zone set-policy``: keys that roll over by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from pipebackend.base.errors import BackendError, KeyFault
from pipebackend.cli import keyreport
from pipebackend.cli.output import json_option
from pipebackend.config.policies import ALGORITHMS, LATE_STATUS
from pipebackend.dnsdata import names

if TYPE_CHECKING:
    from pipebackend.backend.backend import Backend
    from pipebackend.rollover.maintainer import Maintainer, Report

__all__ = ["ds_seen", "maintain", "roll", "set_policy", "status"]


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def status(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """Show where the keys of a zone stand.

    Looks at the parent, and tells what a run of `maintain` would do now. Writes nothing. Exit status 3 if the parent
    is waited for longer than the policy allows.

    Example: zoneutil key status example.org
    """
    report = _maintainer(open_backend).look(name)
    keyreport.show_json([report], one=True) if as_json_ else keyreport.show(report, is_dry=True)
    _leave([report])


@click.command()
@click.argument("zones", metavar="[NAME]...", nargs=-1)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@json_option
@click.pass_obj
def maintain(open_backend: Callable[[], Backend], zones: tuple[str, ...], dry_run: bool, as_json_: bool) -> None:
    """Do what is due with the keys of zones.

    Of all zones that have a policy, if none is named. It may run as often as one likes, from cron or a timer, and on
    several machines. Exit status 1 if a zone could not be looked after, 3 if a parent is waited for too long.

    Example: zoneutil key maintain
    """
    maintainer = _maintainer(open_backend)
    work = maintainer.look if dry_run else maintainer.maintain
    reports, failed = [], False
    for zone in zones or [apex for apex, _ in maintainer.zones()]:
        try:
            reports.append(work(zone or "."))
        except BackendError as exc:
            failed = True
            click.echo(f"zoneutil: {exc}", err=True)
    if as_json_:
        keyreport.show_json(reports)
    for report in () if as_json_ else reports:
        keyreport.tell(report, is_dry=dry_run, waits_to_stderr=True)
    _leave(reports, failed)


@click.command()
@click.argument("name")
@click.option("--ksk", "roles", flag_value="ksk csk", help="The key that the parent has a DS of.")
@click.option("--zsk", "roles", flag_value="zsk", help="The key that signs all else.")
@click.option("--algorithm", metavar="NAME", help="Change to keys of this algorithm.")
@click.option("--now", is_flag=True, help="Begin now, not with the next run of maintain.")
@json_option
@click.pass_obj
def roll(
    open_backend: Callable[[], Backend], name: str, roles: str | None, algorithm: str | None, now: bool, as_json_: bool
) -> None:
    """Replace keys of a zone.

    All of them by default. No step is taken before it is safe; --now does not change that.

    Example: zoneutil key roll example.org --zsk --now
    """
    number = 0
    if algorithm is not None:
        if algorithm.lower() not in ALGORITHMS:
            raise KeyFault(f"--algorithm {algorithm[:40]}: use one of {', '.join(ALGORITHMS)}")
        number = ALGORITHMS[algorithm.lower()]
    wanted = tuple((roles or "ksk csk zsk").split()) if not number else ()
    report = _maintainer(open_backend).maintain(name, roles=wanted, algorithm=number, run=now)
    keyreport.show_json([report], one=True) if as_json_ else keyreport.show(report)


@click.command("ds-seen")
@click.argument("name")
@json_option
@click.pass_obj
def ds_seen(open_backend: Callable[[], Backend], name: str, as_json_: bool) -> None:
    """Confirm that the parent has changed its DS.

    All servers of the parent must have the DS of the keys that `key status` waits for, and no DS that it is to
    remove. For policies with parent_check = "by hand".

    Example: zoneutil key ds-seen example.org
    """
    report = _maintainer(open_backend).confirm(name)
    keyreport.show_json([report], one=True) if as_json_ else keyreport.show(report)


@click.command("set-policy")
@click.argument("name")
@click.argument("policy")
@click.pass_obj
def set_policy(open_backend: Callable[[], Backend], name: str, policy: str) -> None:
    """Set the key policy of a stored zone.

    POLICY is the name of a [[policy]] of the configuration, or a hyphen to take it away; then keys stay as they are.

    Example: zoneutil zone set-policy example.org usual
    """
    from pipebackend.admin.operator import Operator

    backend = open_backend()
    apex = Operator(backend).own(names.from_text(name))
    _maintainer(lambda: backend).set_policy(apex, None if policy == "-" else policy)


def _maintainer(open_backend: Callable[[], Backend]) -> Maintainer:
    from pipebackend.rollover.maintainer import Maintainer

    return Maintainer(open_backend())


def _leave(reports: list[Report], failed: bool = False) -> None:
    if failed:
        raise SystemExit(1)
    if any(report.is_late for report in reports):
        raise SystemExit(LATE_STATUS)
