"""The codes that enrol a tablet, on the staff page: which ones wait, and how one is withdrawn."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask.testing import FlaskClient

from survey_app import audit, enrolment
from survey_app.database import db
from survey_app.device_models import Device
from tests.survey_app.staff_site import StaffSite, post

TABLETS = "/gestion/tablettes"
pytestmark = pytest.mark.usefixtures("open_edition")
TABLET = {
    "name": "Accueil 1",
    "site": "accueil_general",
    "slugs": ["essai"],
    "languages": ["fr"],
    "pin": "2580",
}


def a_code(client: FlaskClient) -> str:
    """A fresh code, as its page shows it once."""
    found = re.search(r'class="secret">([^<]+)<', post(client, TABLETS, TABLET).text)
    assert found
    return found[1]


def test_the_code_page_and_both_guides_give_one_order_install_open_by_the_icon_then_enrol(
    site: StaffSite,
) -> None:
    docs = Path(__file__).parents[2] / "docs"
    texts = [post(site.client("technician"), TABLETS, TABLET).text.partition("dans cet ordre")[2]]
    for name, begins, ends in (
        ("tablettes.md", "## Sur tout appareil", "##"),
        ("guide-referent.md", "2. Sur la tablette,", "3."),
    ):
        texts.append((docs / name).read_text("utf-8").partition(begins)[2].partition(ends)[0])
    for text in texts:
        places = [text.lower().find(word) for word in ("installez la page", "par son icône", "code")]
        assert -1 < places[0] < places[1] < places[2], text


def test_a_code_may_wait_for_its_tablet_until_midnight(site: StaffSite) -> None:
    with time_machine.travel("2026-11-20T09:00:00+01:00", tick=False):
        client = site.client("technician")
        made = post(client, TABLETS, {**TABLET, "window": "journee"}).text
        assert "21 novembre 2026 à 00:00" in made
        assert "21 novembre 2026 à 00:00" in client.get(TABLETS).text
    code = re.search(r'class="secret">([^<]+)<', made)
    assert code
    with site.database():
        assert enrolment.redeem(code[1], datetime(2026, 11, 20, 23, 0, tzinfo=UTC)) is None
        assert enrolment.redeem(code[1], datetime(2026, 11, 20, 22, 59, tzinfo=UTC)) is not None


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "٢٥٨٠", "0000", "1234", "8765"])
def test_a_pin_that_is_none_or_the_first_guess_makes_no_code(site: StaffSite, pin: str) -> None:
    client = site.client("technician")
    answer = post(client, TABLETS, {**TABLET, "pin": pin})
    assert answer.status_code == 422
    assert "code de l’agent" in answer.text
    assert withdrawals(client) == []


def test_the_pin_reaches_the_tablet_as_a_hash_that_it_can_check_alone(site: StaffSite) -> None:
    enrolled = site.client(None).post("/api/v1/devices/enrol", json={"code": a_code(site.client())}).json
    assert enrolled is not None
    pin = enrolled["pin"]
    made = hashlib.pbkdf2_hmac("sha256", b"2580", bytes.fromhex(pin["salt"]), pin["iterations"])
    assert made.hex() == pin["hash"]
    assert pin["iterations"] >= 600_000
    assert enrolled["idle_seconds"] == 120


def test_a_changed_pin_is_in_the_log_and_its_digits_are_nowhere(site: StaffSite) -> None:
    client = site.client("technician")
    with site.database():
        device = enrolment.redeem(a_code(client))
        assert device is not None
        number, before = device.id, device.pin
    address = f"{TABLETS}/{number}/code-agent"
    assert post(client, address, {"pin": "1111"}, page=TABLETS).status_code == 422
    assert post(client, address, {"pin": "74108520"}, page=TABLETS).status_code == 303
    assert post(client, f"{TABLETS}/x/code-agent", {"pin": "7410"}, page=TABLETS).status_code == 404
    with site.database():
        after = db.session.get_one(Device, number).pin
        details = [entry.detail for entry in audit.latest(5)]
    assert after != before
    assert "74108520" not in f"{after} {details}"
    assert "Code de l’agent changé" in site.client().get("/gestion/journal").text


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
            r"Accueil 1</th><td>Accueil général</td><td[^>]*>20 novembre 2026 à 09:10</td>"
            r"<td[^>]*>technician@prefecture.test.fr</td>",
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
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=10, seconds=1)):
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
