"""The pages that zoneutil makes, in headless Chromium: they open without an error, and what they draw can be seen."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest

from pipebackend.cli import worldmap
from pipebackend.cli.worldmap import Place
from tests.process.browser import HEIGHT, WIDTH, Browser, is_installed
from tests.unit.rollover.conftest import passing, url, zoneutil  # noqa: F401  # fixtures
from tests.unit.rollover.test_maintainer import ZONE, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest import TempPathFactory

pytestmark = pytest.mark.skipif(not is_installed(), reason="not installed: chromium; as root scripts/test installs it")

LEAST_TEXT = 9  # pixels from the top of a line to its bottom that one can read
BOX = "(box => [box.left, box.top, box.right, box.bottom])(document.querySelector({!r}).getBoundingClientRect())"
BOXES_OF_TEXT = """[...document.querySelectorAll("svg text, td")].map(element => {
    const box = element.getBoundingClientRect();
    return [element.textContent, box.left, box.top, box.right, box.bottom];
})"""
LABEL = "(label => [getComputedStyle(label).visibility, label.textContent])(document.getElementById('label'))"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


def texts(browser: Browser) -> list[tuple[str, float, float, float, float]]:
    """What is written in the page, and where."""
    return [tuple(found) for found in browser.value(BOXES_OF_TEXT)]


def test_the_keys_are_in_the_window(browser: Browser, zoneutil: Any, passing: Any) -> None:  # noqa: F811
    signed(zoneutil, passing)
    page = zoneutil.folder / "keys.html"
    zoneutil.good("key", "timeline", ZONE, "-o", page)
    browser.open(page)
    assert browser.complaints == []
    left, top, right, bottom = browser.value(BOX.format("svg"))
    assert 0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT
    assert right - left > 0.9 * WIDTH
    assert browser.value("document.documentElement.scrollWidth") == WIDTH, "nothing is beside the window"
    written = texts(browser)
    assert {"rumoured", "omnipresent", "unretentive", f"{ZONE}, policy usual"} <= {text for text, *_ in written}
    assert [text for text, _, top, _, bottom in written if bottom - top < LEAST_TEXT] == []
    labels = sorted((top, bottom) for text, _, top, _, bottom in written if "DNSKEY" in text or "signs" in text)
    assert all(bottom <= top + 1 for (_, bottom), (top, _) in itertools.pairwise(labels)), "they overlap"


def test_the_map_is_in_the_middle_of_the_window(browser: Browser, tmp_path: Any) -> None:
    worldmap.save([Place(0, 0, "zero"), Place(48.1, 16.6, "vie", "Vienna")], "map.example", tmp_path / "map.html")
    browser.open(tmp_path / "map.html")
    left, top, right, bottom = browser.value(BOX.format("svg"))
    assert (left, right) == (0, WIDTH)
    assert top == pytest.approx(HEIGHT - bottom, abs=1)
    assert top > 0
    assert {"map.example", "2 LOC records"} <= {text for text, *_ in texts(browser)}
    browser.mouse("mouseMoved", WIDTH / 2 + 3, HEIGHT / 2)
    assert browser.value(LABEL) == ["visible", "zero"]
    browser.mouse("mouseMoved", WIDTH / 2 + 100, HEIGHT / 2)
    assert browser.value(LABEL) == ["hidden", "zero"]
    assert browser.complaints == []


def test_the_wheel_leaves_what_is_under_the_mouse_where_it_is(browser: Browser, tmp_path: Any) -> None:
    worldmap.save([Place(0, 0, "zero")], "map.example", tmp_path / "map.html")
    browser.open(tmp_path / "map.html")
    browser.mouse("mouseWheel", WIDTH / 2, HEIGHT / 2, deltaX=0, deltaY=-1000)
    browser.mouse("mouseMoved", WIDTH / 2 + 3, HEIGHT / 2)
    assert browser.value(LABEL) == ["visible", "zero"]
    left, top, right, bottom = browser.value(BOX.format("svg"))
    assert right - left > 4 * WIDTH
    assert (left + right, top + bottom) == pytest.approx((WIDTH, HEIGHT), abs=2)
    browser.mouse("mouseWheel", 10, 10, deltaX=0, deltaY=5000)
    assert browser.value(BOX.format("svg"))[0] == 0, "zoomed out it is where it was"
    assert browser.complaints == []


def test_a_fault_of_a_page_is_seen(browser: Browser, tmp_path: Any) -> None:
    (tmp_path / "x.html").write_text("<!doctype html><script>nothing.at.all()</script><p>page")
    browser.open(tmp_path / "x.html")
    assert any("nothing is not defined" in complaint for complaint in browser.complaints)
    browser.complaints.clear()
