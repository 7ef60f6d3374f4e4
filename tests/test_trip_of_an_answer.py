"""The trip of one answer, from the YAML to the workbook: the fourteen steps of README.md as one test."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect

import form_definitions
from analysis.axes import CommitmentResult
from analysis.wave_report import WaveReport
from form_definitions import RoutingContext, load_questionnaire, questionnaire_digest, relevant_items
from survey_app.database import db
from survey_app.exports import EXPORTS, Rights, gather
from survey_app.models import Response, TallyCell, Wave
from survey_app.reports import report_of
from survey_app.responses.doctor import rebuild_tallies
from survey_app.responses.intake import judge_waiting
from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    PATIENCE,
    Network,
    begin,
    outbox,
    wait_for_empty_outbox,
)
from tests.survey_app.tablet_site import SITE, FakeTablet, TabletSite, tablet_site

USERS = Path(form_definitions.__file__).parent / "questionnaires/users.yaml"
MOST_SCREENS = 40
OTHERS = 5

ANSWER_THE_SCREEN = """() => {
  const given = {};
  for (const question of document.querySelectorAll('fieldset.question')) {
    const option = question.querySelector('label.option');
    if (question.checkVisibility() && option) {
      option.click();
      given[question.dataset.item] = [option.querySelector('input').value];
    }
  }
  return given;
}"""


@pytest.mark.browser
def test_an_answer_travels_from_the_yaml_to_the_workbook(playwright: Playwright, tmp_path: Path) -> None:
    questionnaire = load_questionnaire(USERS)  # 1, 2
    digest = questionnaire_digest(questionnaire)  # 3
    with tablet_site(tmp_path / "server", USERS.read_text()) as site:
        made = EnrolledTablet(playwright=playwright, network=Network(site), profile=tmp_path / "profile")
        with enrolled(made) as tablet:  # 4: the worker keeps the page
            tablet.switch_off()
            tablet.disconnect()
            page = tablet.switch_on()
            tapped = answer_everything(page, digest)  # 5, 6
            (record,) = outbox(page)
            tablet.connect()
            wait_for_empty_outbox(page)  # 7
        (stored,) = site.records()  # 8
        assert (stored.id, stored.content_hash) == (record["id"], record["hash"])
        asked = relevant_items(questionnaire, tapped, RoutingContext("tablet", SITE))
        assert set(tapped) <= {item.name for item in asked}
        follow_on_the_server(site, digest, tapped, tmp_path)


def answer_everything(page: Page, digest: str) -> dict[str, Any]:
    """Tap the first option of every question until « Merci »; gives what was tapped."""
    begin(page)
    assert page.locator("[data-questionnaire]").first.get_attribute("data-questionnaire") == digest
    tapped: dict[str, Any] = {}
    for _screen in range(MOST_SCREENS):
        tapped |= page.evaluate(ANSWER_THE_SCREEN)
        page.locator("#next").click()
        page.wait_for_timeout(50)
        if page.locator("#thanks-title").is_visible():
            break
    expect(page.locator("#thanks-title")).to_be_visible(timeout=PATIENCE)
    return tapped


def follow_on_the_server(site: TabletSite, digest: str, tapped: dict[str, Any], folder: Path) -> None:
    with site.app.app_context():
        judge_waiting()
        response = db.session.scalars(sa.select(Response)).one()  # 9
        assert response.answers == tapped
        assert (response.questionnaire_digest, response.site, response.mode) == (digest, SITE, "tablet")
        assert response.complete
        assert db.session.scalar(sa.select(sa.func.count()).select_from(TallyCell)) == 1  # 10
        assert rebuild_tallies() == []
        check_the_figure(report_of(the_wave(site)), people=1)  # 11, 12
        assert rates_in_the_workbook(site.wave) == []  # 13: of one person nothing is shown
    others = FakeTablet.enrolled(site)
    for _person in range(OTHERS):
        sent = others.put(others.envelope(tapped, questionnaire_digest=digest))
        assert sent.status_code == 200
    with site.app.app_context():
        judge_waiting()
        courtesy = check_the_figure(report_of(the_wave(site)), people=1 + OTHERS)
        rates = rates_in_the_workbook(site.wave)  # 14
        assert float(courtesy.rate or 0) in rates
        assert all(isinstance(value, int | float) for value in rates)
        check_it_can_be_recomputed(site.wave, courtesy, folder)


def the_wave(site: TabletSite) -> Wave:
    db.session.expire_all()
    wave = db.session.get(Wave, site.wave)
    assert wave is not None
    return wave


def check_the_figure(report: WaveReport, people: int) -> CommitmentResult:
    assert (report.responses, report.complete) == (people, people)
    courtesy = next(result for result in report.commitments if result.commitment == "courtoisie")
    assert courtesy.rate == Fraction(1)
    assert (courtesy.favourable, courtesy.base) == (people, people)
    assert (courtesy.improvement_axis, courtesy.verdict) == (False, "too_few")
    return courtesy


def rates_in_the_workbook(wave: str) -> list[Any]:
    stream = io.BytesIO()
    EXPORTS["classeur"].write(gather(wave, Rights(rows=True, verbatims=True)), stream)
    workbook = openpyxl.load_workbook(stream)
    assert "Méthode" in workbook.sheetnames
    return [
        cell.value
        for row in workbook["Engagements"].iter_rows()
        for cell in row
        if cell.number_format.startswith("0.0") and "%" in cell.number_format and cell.value is not None
    ]


def check_it_can_be_recomputed(wave: str, courtesy: CommitmentResult, folder: Path) -> None:
    answers = folder / "answers.csv"
    with answers.open("wb") as stream:
        EXPORTS["recalculer"].write(gather(wave, Rights(rows=True, verbatims=True)), stream)
    command = [sys.executable, "-m", "analysis", str(answers), "--format", "json"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    again = next(
        row for row in json.loads(printed) if row["commitment"] == "courtoisie" and row["item"] is None
    )
    assert (again["favourable"], again["base"]) == (courtesy.favourable, courtesy.base)
    assert (again["improvement_axis"], again["verdict"]) == (courtesy.improvement_axis, courtesy.verdict)
