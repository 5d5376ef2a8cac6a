"""``zoneutil zone map``: points where they belong, in all three forms; the picture in the documentation is of today."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from pipebackend.cli import worldmap
from pipebackend.cli.map import places
from pipebackend.cli.worldmap import Place
from pipebackend.dnsdata.records import Record

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = re.compile(r"M ([\d.]+) ([\d.]+)")  # where a line of next to no length begins
ROOT = Path(__file__).parents[3]


def points_of(picture: str) -> list[tuple[float, float]]:
    """The points of a picture, in shares of its width and height."""
    root = ElementTree.fromstring(picture)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    paths = [path.attrib["d"] for path in root.iter(f"{SVG}path") if worldmap._POINT_COLOUR in path.get("style", "")]
    return [(float(x) / width, float(y) / height) for path in paths for x, y in DRAWN.findall(path)]


def drawn(tmp_path, *found: Place, suffix: str = ".svg") -> str:
    path = tmp_path / f"map{suffix}"
    worldmap.save(found, "x.example", path)
    return path.read_text(encoding="utf-8")


def test_a_dollar_sign_in_a_name_begins_no_formula(tmp_path):
    r"""matplotlib read $\frac{$ as one, and raised."""
    worldmap.save([Place(1, 1, "p")], r"$\frac{$.example", tmp_path / "map.svg")
    assert r"$\frac{$.example" in (tmp_path / "map.svg").read_text()


@pytest.mark.parametrize(
    ("latitude", "longitude", "x", "y"),
    [
        (0, 0, 0.5, 0.5),
        (0, 90, 0.75, 0.5),
        (0, -180, 0, 0.5),
        (90, 0, 0.5, 0),
        (-90, 0, 0.5, 1),
        (90, 180, 0.7965, 0),  # Equal Earth draws a pole as a line of 0.593 of the equator
    ],
)
def test_a_point_is_where_it_belongs(tmp_path, latitude, longitude, x, y):
    ((at_x, at_y),) = points_of(drawn(tmp_path, Place(latitude, longitude, "p")))
    assert (at_x, at_y) == (pytest.approx(x, abs=5e-4), pytest.approx(y, abs=5e-4))


def test_equal_areas_are_equal_on_the_map():
    """Two fields of one degree by one, weighed by what they are on the globe."""
    from math import cos, radians

    def area(latitude: float) -> float:
        west, south = worldmap._projected(latitude - 0.01, 0)
        east, north = worldmap._projected(latitude + 0.01, 1)
        return (east - west) * (north - south) / cos(radians(latitude))

    assert area(75) == pytest.approx(area(1), rel=2e-3)


def test_the_coasts_are_around_the_land():
    from matplotlib.path import Path as Line

    coasts = [Line(coast) for coast in worldmap._coasts()]

    def is_land(latitude: float, longitude: float) -> bool:
        return any(coast.contains_point(worldmap._projected(latitude, longitude)) for coast in coasts)

    assert is_land(48.2, 14.0) and is_land(-25, 134) and is_land(-85, 60) and is_land(66, -172)
    assert not is_land(40, -40) and not is_land(-40, -130) and not is_land(0, 0)


def test_a_picture_is_the_same_octets_each_time(tmp_path):
    found = [Place(48.1, 16.6, "vie"), Place(33.9, -118.4, "lax")]
    assert drawn(tmp_path, *found) == drawn(tmp_path, *found)


def test_the_command_draws_svg(zoneutil, tmp_path):
    done = zoneutil.good("zone", "map", "cities.example", "-o", tmp_path / "map.svg")
    picture = (tmp_path / "map.svg").read_text(encoding="utf-8")
    assert len(points_of(picture)) == 3
    assert "3 LOC records" in picture.replace("\u202f", " ")
    assert "cities.example" in picture
    assert (done.out, done.err) == ("", f"{tmp_path}/map.svg: 3 places\n")


def test_the_command_draws_png_with_points_in_it(zoneutil, tmp_path):
    from matplotlib.image import imread

    zoneutil.good("zone", "map", "cities.example", "-o", tmp_path / "map.PNG")
    height, width, _ = imread(tmp_path / "map.PNG").shape
    assert width == 1600
    x, y = worldmap._projected(48.1103, 16.5697)
    row = round((0.5 - y / worldmap._HALF_HEIGHT / 2) * height)
    column = round((0.5 + x / worldmap._HALF_WIDTH / 2) * width)
    red, _, blue, _ = imread(tmp_path / "map.PNG")[row, column]
    assert red > 2 * blue  # orange on blue


def test_the_page_has_the_name_and_the_text_of_each_point_and_fetches_nothing(zoneutil, tmp_path):
    zoneutil.good("zone", "map", "cities.example", "-o", tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    points = json.loads(re.search(r"const points = (.*);\n", page)[1])
    assert {label for _, _, label in points} == {
        "LAX.Cities.Example — Los Angeles",
        "VIE.Cities.Example — Wien „Schwechat“",
        "GRU.Cities.Example — São Paulo",
    } or {label.lower() for _, _, label in points} == {
        "lax.cities.example — los angeles",
        "vie.cities.example — wien „schwechat“",
        "gru.cities.example — são paulo",
    }
    assert not re.search(r'(?:src|href)="http|url\([^#]|fetch\(|import ', page)


def test_a_text_cannot_leave_its_place_in_the_page(tmp_path):
    page = drawn(tmp_path, Place(0, 0, "x", "</script><b>@PICTURE@"), suffix=".html")
    assert page.count("</script>") == 1
    assert "\\u003c/script>\\u003cb>@PICTURE@" in page


def test_a_place_without_a_text_is_its_name():
    loc = Record("x.example", "LOC", 60, "1 0 0.000 S 2 30 0.000 W 5.00m 1.00m 10000.00m 10.00m")
    assert places([Record("y.example", "TXT", 60, '"y"'), loc]) == [Place(-1.0, -2.5, "x.example", "")]


def test_what_cannot_be_drawn_is_said(zoneutil, tmp_path):
    assert "there is no zone nowhere.example" in zoneutil.refused("zone", "map", "nowhere.example", "-o", "x.svg")
    assert "No such file" in zoneutil.refused("zone", "map", "cities.example", "-o", tmp_path / "none" / "x.svg")
    done = zoneutil("zone", "map", "cities.example", "-o", "x.gif")
    assert (done.status, done.out) == (2, "")
    assert "must be one of .html, .png, .svg" in done.err


def test_a_zone_without_loc_has_no_map(zoneutil, tmp_path):
    zoneutil.extend(
        '[[zone]]\nname = "plain.example"\nkind = "table"\nfile = "cities.tsv"\nkey = "code"\n'
        'ns = ["ns1.plain.example"]\nsoa = { mname = "ns1.plain.example", rname = "h.plain.example" }\n'
    )
    said = zoneutil.refused("zone", "map", "plain.example", "-o", tmp_path / "x.svg")
    assert "has no LOC record" in said
    assert not (tmp_path / "x.svg").exists()


def test_without_the_extra_it_says_what_to_install(zoneutil, tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert "pip install 'pipebackend[map]'" in zoneutil.refused(
        "zone", "map", "cities.example", "-o", tmp_path / "x.svg"
    )


def test_the_picture_in_the_documentation_shows_all_airports():
    """Coordinates within a tenth of a unit of 1152: versions of matplotlib may write the rest of a file otherwise."""
    rows = (ROOT / "airports.tsv").read_text(encoding="utf-8").splitlines()
    assert len(points_of((ROOT / "docs" / "airports.svg").read_text(encoding="utf-8"))) == len(rows) - 1
