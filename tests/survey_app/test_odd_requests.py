"""What no page of ours sends is refused alike on both databases, and never breaks a page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from survey_app import create_app
from survey_app.accounts import add_user
from survey_app.database import db
from survey_app.settings import testing
from tests.survey_app.staff_site import sign_in

TOO_LARGE = "9" * 23


@pytest.fixture
def application(database_url: str, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(testing(database_url=database_url, data_folder=tmp_path))
    app.config["PREFERRED_URL_SCHEME"] = "https"
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("address", ["/q/%00/fr", "/q/usagers%00/fr/imprimer", "/q/usagers/fr?site=%00"])
def test_a_nul_in_a_public_address_is_refused(application: Flask, address: str) -> None:
    assert application.test_client().get(address).status_code in (400, 404)


@pytest.mark.parametrize(
    ("address", "statuses"),
    [
        ("/gestion/resultats/%00", {400}),
        ("/gestion/journal?avant=" + TOO_LARGE, {200}),
        (f"/gestion/questionnaires/brouillons/{TOO_LARGE}", {404}),
        ("/gestion/questionnaires/brouillons/99999999999", {404}),
    ],
)
def test_odd_staff_addresses_never_break_a_page(application: Flask, address: str, statuses: set[int]) -> None:
    with application.app_context():
        passphrase = add_user("r@prefecture.test.fr", "Référente", ["referent"], actor="test")
    client = application.test_client()
    client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
    sign_in(client, "r@prefecture.test.fr", passphrase)
    assert client.get(address, base_url="https://localhost").status_code in statuses
