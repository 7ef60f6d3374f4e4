"""How many people declined on the tablets of a wave: per site and day, on the page and in the exports."""

from __future__ import annotations

import datetime as dt
import io
import json
from pathlib import Path

import openpyxl
import pytest
from flask import Flask
from flask.testing import FlaskClient

from survey_app import waves
from survey_app.clock import today_in_paris
from survey_app.database import db, write_transaction
from survey_app.device_models import DeviceRefusals
from survey_app.responses import refusals
from tests.survey_app.staff_site import WAVE, StaffSite, seed_wave
from tests.survey_app.tablet_chains import a_device

RESULTS, EXPORTS = f"/gestion/resultats/{WAVE}", f"/gestion/exports/{WAVE}"
TODAY = today_in_paris()
YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    made = StaffSite(tmp_path)
    with made.database():
        seed_wave(24, 6)
    return made


def declined(site: StaffSite) -> None:
    """Two tablets at one desk, one at another; one asks something else, one day lies before the wave."""
    long_ago = TODAY - dt.timedelta(days=100)
    with site.database():
        counted = (
            (a_device("Accueil-1"), {YESTERDAY: 2, TODAY: 3, long_ago: 50}),
            (a_device("Accueil-2"), {TODAY: 4}),
            (a_device("Numérique", site="point_numerique"), {TODAY: 1}),
            (a_device("Autre", slugs=["elus"]), {TODAY: 60}),
            (a_device("Ailleurs", site="immigration"), {TODAY: 70}),
        )
        with write_transaction() as transaction:
            for device, days in counted:
                refusals.keep(transaction, device, days)


def test_refusals_are_added_up_by_site_and_day_and_name_no_tablet(site: StaffSite) -> None:
    declined(site)
    with site.database():
        wave = waves.find_wave(WAVE)
        assert wave is not None
        found = dict(refusals.of_wave(db.session(), wave))
        assert found == {
            ("accueil_general", YESTERDAY): 2,
            ("accueil_general", TODAY): 7,
            ("point_numerique", TODAY): 1,
        }
        assert dict(refusals.of_wave(db.session(), wave, site="point_numerique", period="2001-01")) == {}


def test_only_the_highest_word_for_a_day_stays_on_both_databases(database: Flask) -> None:
    device = a_device()
    for told in ({TODAY: 3, YESTERDAY: 1}, {TODAY: 5}, {TODAY: 2, YESTERDAY: 1}):
        with write_transaction() as transaction:
            refusals.keep(transaction, device, told)
    kept = {row.day: row.count for row in db.session.query(DeviceRefusals)}
    assert kept == {TODAY: 5, YESTERDAY: 1}


def test_the_results_page_shows_them_as_fieldwork(site: StaffSite) -> None:
    client = site.client("reader")
    assert "Refus" not in client.get(RESULTS).text
    declined(site)
    page = client.get(RESULTS).text
    assert "<dt>Refus sur tablette</dt><dd>10</dd>" in page
    assert "Refus par site et par jour" in page
    assert "Accueil-1" not in page
    assert "<dt>Refus sur tablette</dt><dd>1</dd>" in client.get(f"{RESULTS}?site=point_numerique").text


def file_of(client: FlaskClient, name: str) -> bytes:
    with client.get(f"{EXPORTS}/{name}") as answer:
        return bytes(answer.data)


def test_the_exports_hold_them(site: StaffSite) -> None:
    declined(site)
    client = site.client("reader")
    lines = file_of(client, "refus").decode("utf-8-sig").splitlines()
    assert lines[0] == "Jour;Site (code);Site;Refus"
    assert lines[1:] == [
        f"{YESTERDAY:%d/%m/%Y};accueil_general;Accueil général;2",
        f"{TODAY:%d/%m/%Y};accueil_general;Accueil général;7",
        f"{TODAY:%d/%m/%Y};point_numerique;Point numérique;1",
    ]
    told = json.loads(file_of(client, "json"))["refusals"]
    assert {"site": "accueil_general", "day": TODAY.isoformat(), "refusals": 7} in told
    book = openpyxl.load_workbook(io.BytesIO(file_of(client, "classeur")))
    method = {row[0].value: row[1].value for row in book["Méthode"].iter_rows()}
    assert method["Refus sur tablette\u00a0: Accueil général"] == 9
