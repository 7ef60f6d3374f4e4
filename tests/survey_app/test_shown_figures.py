"""A wave as `create_wave` makes it, read everywhere: the same figures, and the same figures hidden."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask.testing import FlaskClient

from analysis.__main__ import main
from survey_app import questionnaires, waves
from tests.survey_app.staff_site import WAVE, StaffSite, a_plan, a_source, add_responses
from tests.survey_app.test_results_page import text_of

RESULTS, EXPORTS = f"/gestion/resultats/{WAVE}", f"/gestion/exports/{WAVE}"


def a_wave_of(groups: Mapping[tuple[str, str], tuple[int, int]], **plan: Any) -> None:
    """An open wave: site and mode → good and bad answers."""
    digest = questionnaires.publish_source(a_source(), {}, actor="test").digest
    waves.create_wave(a_plan(digest, **plan), actor="test")
    waves.open_wave(WAVE, actor="test")
    for (where, mode), (good, bad) in groups.items():
        add_responses(digest, good, bad, site=where, mode=mode)


def file_of(client: FlaskClient, address: str) -> bytes:
    """A file as it is downloaded."""
    with client.get(address) as answer:
        assert answer.status_code == 200, address
        return bytes(answer.data)


EVERY_MODE = {"headline_modes": ("tablet", "website", "paper")}
PEOPLE_256 = {("accueil_general", "tablet"): (100, 30), ("point_numerique", "paper"): (40, 10)}
"""140 of 180 satisfied: with 256 people in all, 74.2 to 80.9 %."""


def test_s3_the_population_of_a_wave_counts_alike_on_the_page_and_in_every_file(
    site: StaffSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with site.database():
        a_wave_of(PEOPLE_256, population=256, **EVERY_MODE)
    client = site.client()
    assert "74,2 – 80,9\u202f%" in text_of(client.get(RESULTS).text)

    told = json.loads(file_of(client, f"{EXPORTS}/json"))
    assert (told["results"][0]["method"], told["settings"]["population"]) == ("hypergeometric", 256)

    book = openpyxl.load_workbook(io.BytesIO(file_of(client, f"{EXPORTS}/classeur")))
    summary = [cell.value for row in book["Synthèse"].iter_rows() for cell in row]
    assert {0.742, 0.809} <= {value for value in summary if isinstance(value, float)}

    for name in ("recalculer", "comptes"):
        path = tmp_path / f"{name}.csv"
        path.write_bytes(file_of(client, f"{EXPORTS}/{name}"))
        assert main([str(path), "--format", "json"]) == 0
        assert json.loads(capsys.readouterr().out) == told["results"], name


def test_s3_a_census_is_told_on_the_page(site: StaffSite) -> None:
    with site.database():
        a_wave_of(PEOPLE_256, population=180, **EVERY_MODE)
    told = json.loads(file_of(site.client(), f"{EXPORTS}/json"))
    assert (told["results"][0]["method"], told["results"][0]["verdict"]) == ("census", "above")


@pytest.mark.parametrize("query", ["mode=tablet", "site=accueil_general", "langue=fr"])
def test_s3_a_part_of_the_wave_never_takes_its_population(site: StaffSite, query: str) -> None:
    with site.database():
        a_wave_of(PEOPLE_256, population=256, **EVERY_MODE)
    client = site.client()
    assert json.loads(file_of(client, f"{EXPORTS}/json?{query}"))["results"][0]["method"] == "wilson"
    for name in ("comptes", "recalculer"):
        assert "population" not in file_of(client, f"{EXPORTS}/{name}?{query}").decode().splitlines()[0]


def test_s3_a_headline_over_some_of_the_modes_says_why_the_population_does_not_serve(site: StaffSite) -> None:
    with site.database():
        a_wave_of(PEOPLE_256, population=256)
    assert "sans correction de population" in text_of(site.client().get(RESULTS).text)


def test_an_answer_of_an_unknown_site_counts_in_a_headline_over_all_sites(site: StaffSite) -> None:
    with site.database():
        a_wave_of({("accueil_general", "tablet"): (20, 10), ("", "tablet"): (10, 0)})
    client = site.client()
    assert json.loads(file_of(client, f"{EXPORTS}/json"))["headline_responses"] == 40
    rows = list(csv.DictReader(io.StringIO(file_of(client, f"{EXPORTS}/recalculer").decode())))
    assert len(rows) == 40


def test_an_answer_of_an_unplanned_site_never_leaves_the_headline_silently(site: StaffSite) -> None:
    with site.database():
        a_wave_of(
            {
                ("accueil_general", "tablet"): (20, 10),
                ("", "tablet"): (7, 0),
                ("elsewhere", "tablet"): (6, 0),
            },
            headline_sites=("accueil_general",),
        )
    assert "hors du chiffre principal\u00a0: 13." in site.client().get(RESULTS).text
