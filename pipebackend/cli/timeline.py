"""``zoneutil key timeline``: the keys of a zone as bars, with what is to come."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipebackend.base.errors import BackendError
from pipebackend.config import policies

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pipebackend.backend.backend import Backend
    from pipebackend.rollover.forecast import Forecast
    from pipebackend.rollover.maintainer import Report

__all__ = ["command", "drawn", "page", "svg"]

SUFFIXES = (".html", ".png", ".svg")
DAY = 86_400
LANES = {"dnskey": "DNSKEY", "key_rrsig": "signs DNSKEY", "zone_rrsig": "signs zone", "ds": "DS"}
COLOURS = {"rumoured": "#ffcc80", "omnipresent": "#2e7d32", "unretentive": "#b0bec5"}
_LANE, _KEY = 0.2, 1.0  # heights, in units of a key
_WIDTH, _MAX_STEPS = 14.0, 200


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
    if path.suffix.lower() not in SUFFIXES:
        raise click.UsageError(f"-o {path}: the suffix must be one of {', '.join(SUFFIXES)}")
    if not ahead:
        raise click.UsageError(f"--days {days}: write a duration such as 30d or 1y")
    report, found = Maintainer(open_backend()).foreseen(name, ahead)
    try:
        _save(report, found, ahead, path)
    except ImportError as exc:
        raise BackendError(f"timelines need {exc.name}: install it with pip install 'pipebackend[map]'") from exc
    except OSError as exc:
        raise BackendError(f"-o {path}: {exc.strerror}") from exc
    click.echo(f"{path}: {len(found.names)} keys, {len(found.steps)} steps", err=True)


def _save(report: Report, found: Forecast, ahead: int, path: Path) -> None:
    figure = drawn(report, found, ahead)
    suffix = path.suffix.lower()
    if suffix == ".png":
        figure.savefig(path, format="png", dpi=100)
        return
    picture = svg(figure)
    path.write_text(page(report, found, picture) if suffix == ".html" else picture, encoding="utf-8")


def drawn(report: Report, found: Forecast, ahead: int) -> Figure:
    """The figure: a block for each key, in it a lane for each record."""
    from matplotlib.dates import AutoDateFormatter, AutoDateLocator
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    order = {key_id: place for place, key_id in enumerate(sorted(found.names))}
    figure = Figure(figsize=(_WIDTH, 1.4 + 0.7 * max(1, len(order))), layout="tight")
    axes = figure.add_subplot()
    locator: Any = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib has types in parts
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(AutoDateFormatter(locator))  # type: ignore[no-untyped-call]  # as above
    for bar in found.bars:
        lane = list(LANES).index(bar.record)
        low = order[bar.key_id] * _KEY + lane * _LANE
        start, end = (_days(report, moment) for moment in (bar.start, bar.end))
        axes.broken_barh([(start, end - start)], (low, _LANE * 0.85), facecolors=COLOURS[bar.state])
    now = _days(report, report.now)
    axes.axvline(now, color="#c62828", linewidth=1)
    axes.set_xlim(now - ahead / DAY / 20, now + ahead / DAY)
    axes.set_ylim(max(1, len(order)) * _KEY, -0.1)
    ticks = [(order[one] + (lane + 0.45) * _LANE, LANES[record], found.names[one])
             for one in order for lane, record in enumerate(LANES)]  # fmt: skip
    axes.set_yticks([height for height, *_ in ticks])
    axes.set_yticklabels([f"{name}  {lane}" if lane == "DNSKEY" else lane for _, lane, name in ticks], fontsize=7)
    axes.set_title(f"{report.apex or '.'}, policy {report.policy.name}", loc="left")
    axes.legend(
        handles=[Patch(color=colour, label=state) for state, colour in COLOURS.items()],
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=3,
        frameon=False,
    )
    return figure


def svg(figure: Figure) -> str:
    """The figure as SVG, the same octets for the same keys."""
    from matplotlib import rc_context

    target = io.StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "keys"}):
        figure.savefig(target, format="svg", metadata={"Date": None, "Creator": "zoneutil"})
    return target.getvalue()


def page(report: Report, found: Forecast, picture: str) -> str:
    """The picture in a page of its own, with the steps below it."""
    rows = "".join(
        f"<tr><td>{_moment(report, at)}</td><td>{escape(text)}</td></tr>\n" for at, text in found.steps[:_MAX_STEPS]
    )
    title = escape(f"Keys of {report.apex or '.'}")
    style = "body{font-family:sans-serif;margin:1em}svg{width:100%;height:auto}td{padding:.1em 1em .1em 0}"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{style}</style></head>\n"
        f"<body>\n{picture[picture.index('<svg') :]}\n<table>\n{rows}</table>\n</body></html>\n"
    )


def _days(report: Report, moment: int) -> float:
    return (report.wall + moment - report.now) / DAY


def _moment(report: Report, at: int) -> str:
    return f"{datetime.fromtimestamp(report.wall + at - report.now, UTC):%Y-%m-%d %H:%M}"
