"""The sheet to print, as a printer gets it: few pages, legible letters, boxes that a pen can tick."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.survey_app.website_site import LANGUAGES

pytestmark = pytest.mark.browser

MOST_PAGES = {
    "usagers/{}/imprimer?site=accueil_general": 2,
    "usagers/{}/imprimer?site=point_numerique": 2,
    "usagers/{}/imprimer?site=immigration": 2,
    "usagers/{}/imprimer?site=a_distance": 2,
    "elus/{}/imprimer": 3,
}
"""One sheet of paper, both sides; for the officials, who take five minutes, a second one."""
SIZES = """() => {
  const shown = [...document.querySelectorAll('main *')].filter(e => e.getClientRects().length);
  const words = shown.filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()));
  const asked = [...document.querySelectorAll('.asked')];
  const boxes = [...document.querySelectorAll('.box')].map(e => e.getBoundingClientRect());
  return {
    points: Math.min(...words.map(e => parseFloat(getComputedStyle(e).fontSize) * 0.75)),
    box: Math.min(...boxes.map(b => Math.min(b.width, b.height) / 96 * 25.4)),
    split: asked.filter(e => getComputedStyle(e).breakInside !== 'avoid').length,
    tallest: Math.max(...asked.map(e => e.offsetHeight)) / 96 * 25.4,
    wide: document.documentElement.scrollWidth > innerWidth,
  };
}"""


def pages_of(document: bytes) -> int:
    """How many pages a PDF has."""
    return len(re.findall(rb"/Type\s*/Page\b", document))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sheet", MOST_PAGES)
def test_a_questionnaire_takes_few_pages_with_letters_of_10_points_and_boxes_of_4_millimetres(
    browser: Browser, address: str, tmp_path: Path, sheet: str, language: str
) -> None:
    page = browser.new_context(viewport={"width": 695, "height": 1000}).new_page()
    page.goto(f"{address}/q/{sheet.format(language)}")
    assert pages_of(page.pdf(prefer_css_page_size=True)) <= MOST_PAGES[sheet]
    page.emulate_media(media="print")
    found = page.evaluate(SIZES)
    assert found["points"] >= 9.99  # pixels become points with a rounding
    assert found["box"] >= 4
    assert found["split"] == 0
    assert found["tallest"] < 270
    assert found["wide"] is False


@pytest.mark.parametrize("language", LANGUAGES)
def test_on_a_small_screen_the_sheet_does_not_overflow(browser: Browser, address: str, language: str) -> None:
    page = browser.new_context(viewport={"width": 320, "height": 640}).new_page()
    page.goto(f"{address}/q/usagers/{language}/imprimer?site=immigration")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
