"""The codes that enrol a tablet, on the staff page: which ones wait, and how one is withdrawn."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from survey_app import enrolment
from tests.survey_app.staff_site import StaffSite, post

TABLETS = "/gestion/tablettes"
pytestmark = pytest.mark.usefixtures("open_edition")
TABLET = {"name": "Accueil 1", "site": "accueil_general", "slugs": ["essai"], "languages": ["fr"]}


def a_code(client: FlaskClient) -> str:
    """A fresh code, as its page shows it once."""
    found = re.search(r'class="secret">([^<]+)<', post(client, TABLETS, TABLET).text)
    assert found
    return found[1]


def withdrawals(client: FlaskClient) -> list[str]:
    """The addresses of the buttons that withdraw a code."""
    return re.findall(r'action="(/gestion/tablettes/codes/\w+/retirer)"', client.get(TABLETS).text)


def test_the_codes_that_wait_are_listed_with_who_made_them_and_never_shown_again(site: StaffSite) -> None:
    with time_machine.travel("2026-11-20T09:00:00+01:00", tick=False):
        client = site.client("technician")
        assert "Codes en attente" not in client.get(TABLETS).text
        code = a_code(client)
        page = client.get(TABLETS).text
        assert re.search(
            r"Accueil 1</th><td>Accueil général</td><td>21 novembre 2026 à 09:00</td>"
            r"<td>technician@prefecture.test.fr</td>",
            page,
        )
    for secret in (code, code.replace("-", ""), enrolment.code_hash(code)):
        assert secret not in page


def test_a_code_leaves_the_list_when_it_is_used_or_too_old(site: StaffSite) -> None:
    client = site.client("technician")
    code = a_code(client)
    a_code(client)
    assert len(withdrawals(client)) == 2
    with site.database():
        assert enrolment.redeem(code) is not None
    assert len(withdrawals(client)) == 1
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(days=1, seconds=1)):
        assert withdrawals(site.client("technician")) == []


def test_a_withdrawn_code_enrols_nothing_and_a_second_press_says_why(site: StaffSite) -> None:
    client = site.client("technician")
    lost, kept = a_code(client), a_code(client)
    first, second = withdrawals(client)
    assert first != second
    assert post(client, first, page=TABLETS).status_code == 303
    assert "Le code est retiré" in client.get(TABLETS).text
    assert withdrawals(client) == [second]
    with site.database():
        devices = [enrolment.redeem(code) for code in (lost, kept)]
        assert [device is None for device in devices] == [True, False]
    for address in (first, second, f"{TABLETS}/codes/é/retirer"):
        assert post(client, address, page=TABLETS).status_code == 303
        assert "Ce code ne sert déjà plus" in client.get(TABLETS).text
    log = site.client().get("/gestion/journal").text
    assert log.count("Code de tablette retiré") == 1
