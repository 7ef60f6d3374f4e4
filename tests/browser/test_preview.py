"""The preview in Chromium: it follows its file, through faults too, in every language and mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from survey_app.preview import create_preview
from tests.browsers import served

pytestmark = pytest.mark.browser

QUESTIONNAIRE = """\
questionnaire: essai
title: Essai
framework: qual_e_pref
estimated_minutes: 1
modes: [website, tablet]
sites: [accueil_general, point_numerique]
sections:
  - section: one
    title: Une rubrique
    questions:
      - item: courtesy
        type: satisfaction
        scale: satisfaction_4
        label: Comment avez-vous été reçu ?
        commitment: courtoisie
      - item: why
        type: short_text
        label: Pourquoi ?
        relevant_if: {is: [courtesy, dissatisfied]}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "essai.yaml"
    path.write_text(QUESTIONNAIRE)
    return path


@pytest.fixture
def address(file: Path, pages_closed_first: ExitStack) -> Iterator[str]:
    with served(create_preview(file)) as url, pages_closed_first:
        yield url


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def test_the_page_follows_the_file_through_a_fault_and_back(tab: Page, address: str, file: Path) -> None:
    tab.goto(address)
    expect(tab.get_by_role("heading", name="Essai")).to_be_visible()
    file.write_text(QUESTIONNAIRE.replace("title: Essai", "title: Un titre tout neuf"))
    expect(tab.get_by_role("heading", name="Un titre tout neuf")).to_be_visible()
    file.write_text(QUESTIONNAIRE.replace("satisfaction_4", "satisfaktion_4"))
    expect(tab.get_by_text("satisfaktion_4")).to_be_visible()
    expect(tab.get_by_text("Ligne 13")).to_be_visible()
    file.write_text(QUESTIONNAIRE)
    expect(tab.get_by_role("heading", name="Essai")).to_be_visible()


@pytest.mark.parametrize("choice", ["Français", "English", "العربية", "Tablette", "Point numérique"])
def test_every_language_mode_and_site_is_one_click_away(tab: Page, address: str, choice: str) -> None:
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
    tab.goto(address)
    tab.get_by_role("link", name=choice).click()
    expect(tab.get_by_role("link", name=choice)).to_have_attribute("aria-current", "page")
    expect(tab.get_by_text("Comment avez-vous été reçu")).to_be_visible()
    assert errors == []


def test_a_conditional_question_comes_with_its_answer(tab: Page, address: str) -> None:
    tab.goto(address)
    expect(tab.get_by_text("Pourquoi")).to_be_hidden()
    tab.locator("input[name=courtesy][value=dissatisfied]").check()
    expect(tab.get_by_text("Pourquoi")).to_be_visible()
