"""``zoneutil key timeline``: the keys of a zone as bars, with what is to come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipebackend.base.errors import BackendError
from pipebackend.cli import figures
from pipebackend.cli.output import counted
from pipebackend.config import policies

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pipebackend.backend.backend import Backend
    from pipebackend.rollover.forecast import Forecast
    from pipebackend.rollover.maintainer import Report

__all__ = ["command", "drawn", "page", "svg"]

DAY = 86_400
LANES = {"dnskey": "DNSKEY", "key_rrsig": "signs DNSKEY", "zone_rrsig": "signs zone", "ds": "DS"}
COLOURS = {"rumoured": "#ffcc80", "omnipresent": "#2e7d32", "unretentive": "#b0bec5"}
_WIDTH, _LANE, _GAP = 14.0, 0.17, 0.08  # inches: of all, of a record, and between keys
_MAX_STEPS = 200


@click.command("timeline")
@click.argument("name")
@click.option("-o", "--output", "path", metavar="FILE", required=True, type=click.Path(path_type=Path))
@click.option("--days", metavar="N", default="180d", show_default=True, help="How far to look ahead, as 30d or 1y.")
@click.pass_obj
def command(open_backend: Callable[[], Backend], name: str, path: Path, days: str) -> None:
    """Draw the keys of a zone over time.

    As .svg, .png or .html by the suffix of FILE: what each record of each key is now, and what it will be if the parent
    follows at once and nobody interferes. Writes nothing to the store. Needs the extra "map".

    Example: zoneutil key timeline example.org -o keys.svg
    """
    from pipebackend.rollover.maintainer import Maintainer

    ahead = policies.seconds(days)
    figures.demand_suffix(path)
    if not ahead:
        raise click.UsageError(f"--days {days}: write a duration such as 30d or 1y")
    report, found = Maintainer(open_backend()).foreseen(name, ahead)
    try:
        _save(report, found, ahead, path)
    except ImportError as exc:
        raise BackendError(f"timelines need {exc.name}: install it with pip install 'pipebackend[map]'") from exc
    except OSError as exc:
        raise BackendError(f"-o {path}: {exc.strerror}") from exc
    click.echo(f"{path}: {counted(len(found.names), 'key')}, {counted(len(found.steps), 'step')}", err=True)


def _save(report: Report, found: Forecast, ahead: int, path: Path) -> None:
    figure = drawn(report, found, ahead)
    figures.save(path, figure, lambda: svg(figure), lambda picture: page(report, found, picture), dpi=100)


def drawn(report: Report, found: Forecast, ahead: int) -> Figure:
    """The figure: a block for each key, in it a lane for each record that the key has at any time."""
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    lanes = _lanes(found)
    height = max([_LANE, *(low + _LANE for low, _ in lanes.values())])
    figure = Figure(figsize=(_WIDTH, 1.2 + height), layout="tight")
    axes = figure.add_subplot()
    _put_dates(axes)
    for bar in found.bars:
        low, _ = lanes[bar.key_id, bar.record]
        start, end = (_days(report, moment) for moment in (bar.start, bar.end))
        axes.broken_barh([(start, end - start)], (low, _LANE * 0.85), facecolors=COLOURS[bar.state])
    now = _days(report, report.now)
    axes.axvline(now, color="#c62828", linewidth=1)
    axes.set_xlim(now - ahead / DAY / 20, now + ahead / DAY)
    axes.set_ylim(height + _GAP, -_GAP)
    axes.set_yticks([low + _LANE / 2 for low, _ in lanes.values()])
    axes.set_yticklabels([label for _, label in lanes.values()], fontsize=8)
    title = f"{report.apex or '.'}, policy {report.policy.name}"
    axes.set_title(title, loc="left", parse_math=False)  # a dollar sign in a name begins no formula
    axes.legend(
        handles=[Patch(color=colour, label=state) for state, colour in COLOURS.items()],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
    )
    return figure


def _lanes(found: Forecast) -> dict[tuple[int, str], tuple[float, str]]:
    """Of each record of a key: where its lane begins, and what stands beside it."""
    lanes: dict[tuple[int, str], tuple[float, str]] = {}
    has = {(bar.key_id, bar.record) for bar in found.bars}
    height = 0.0
    for key_id, name in sorted(found.names.items()):
        mine = [(record, text) for record, text in LANES.items() if (key_id, record) in has]
        for record, text in mine:
            lanes[key_id, record] = height, f"{name}  {text}" if record == mine[0][0] else text
            height += _LANE
        height += _GAP
    return lanes


def _put_dates(axes: Axes) -> None:
    from matplotlib.dates import AutoDateFormatter, AutoDateLocator

    locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has types in parts
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(AutoDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above


def svg(figure: Figure) -> str:
    """The figure as SVG, the same octets for the same keys."""
    return figures.svg(figure, "keys")


def page(report: Report, found: Forecast, picture: str) -> str:
    """The picture in a page of its own, with the steps below it."""
    rows = "".join(
        f"<tr><td>{_moment(report, at)}</td><td>{escape(text)}</td></tr>\n" for at, text in found.steps[:_MAX_STEPS]
    )
    title = escape(f"Keys of {report.apex or '.'}")
    style = "body{font-family:sans-serif;margin:.5em}svg{width:100%;height:auto}td{padding:.1em 1em .1em 0}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{style}</style></head>\n"
        f"<body>\n{picture[picture.index('<svg') :]}\n<table>\n{rows}</table>\n</body></html>\n"
    )


def _days(report: Report, moment: int) -> float:
    return (report.wall + moment - report.now) / DAY


def _moment(report: Report, at: int) -> str:
    return f"{datetime.fromtimestamp(report.wall + at - report.now, UTC):%Y-%m-%d %H:%M}"
