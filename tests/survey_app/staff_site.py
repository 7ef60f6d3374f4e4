"""The application on a database of its own, and members of staff who are signed in to it."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from form_definitions import load_framework
from survey_app import create_app, questionnaires, waves
from survey_app.access import REFERENT
from survey_app.accounts import add_user
from survey_app.clock import today_in_paris
from survey_app.database import write_connection
from survey_app.models import Response
from survey_app.responses import tallies
from survey_app.settings import testing
from survey_app.waves import WavePlan
from tests.survey_app.empty_database import empty_database

HERE = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says when the request comes from our own page."""


class StaffSite:
    """One application and the passphrases of the people that were added to it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.app: Flask = create_app(testing(data_folder=folder, **settings))
        # Our cookies are Secure: a test client, like a browser, only returns them over TLS.
        self.app.config["PREFERRED_URL_SCHEME"] = "https"
        self.passphrases: dict[str, str] = {}
        (folder / "survey.db").write_bytes(empty_database())

    def add(self, role: str) -> str:
        """An account with this role; gives its address."""
        email = f"{role}@prefecture.test.fr"
        if email not in self.passphrases:
            with self.app.app_context():
                self.passphrases[email] = add_user(email, role.title(), [role], actor="test")
        return email

    def client(self, role: str | None = REFERENT) -> FlaskClient:
        """A browser of somebody signed in under this role (None: nobody)."""
        client = self.app.test_client()
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        if role is not None:
            email = self.add(role)
            answer = sign_in(client, email, self.passphrases[email])
            assert answer.status_code == 302, answer.text
        return client

    @contextmanager
    def database(self) -> Iterator[None]:
        """Inside the application, to look at the tables or call a service."""
        with self.app.app_context():
            yield


def sign_in(client: FlaskClient, email: str, passphrase: str, **headers: str) -> TestResponse:
    """Fill in and send the sign-in form."""
    token = form_token(client.get("/gestion/connexion").text)
    form = {"email": email, "password": passphrase, "csrf_token": token}
    return client.post("/gestion/connexion", data=form, headers=headers)


def form_token(page: str) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, "no form token in the page"
    return found[1]


def post(
    client: FlaskClient, path: str, data: dict[str, Any] | None = None, *, page: str = ""
) -> TestResponse:
    """Send a form of a staff page, with the token that the page gave."""
    token = form_token(client.get(page or path).text)
    return client.post(path, data={**(data or {}), "csrf_token": token})


def upload(client: FlaskClient, path: str, field: str, text: str | bytes, **form: Any) -> TestResponse:
    """Send a file with a form."""
    content = text.encode() if isinstance(text, str) else text
    data = {**form, field: (io.BytesIO(content), "file.txt"), "csrf_token": form_token(client.get(path).text)}
    return client.post(path, data=data, content_type="multipart/form-data")


WAVE = "essai-2026"
QUESTIONNAIRE = """\
questionnaire: essai
title: Votre avis
audience: users
framework: qual_e_pref
estimated_minutes: 1
modes: [tablet, website, paper]
sites: [accueil_general, point_numerique]
sections:
  - section: welcome
    title: L’accueil
    questions:
      - item: courtesy
        type: satisfaction
        scale: satisfaction_4
        label: La courtoisie
        commitment: COMMITMENT
      - {item: comment, type: long_text, label: Un mot, maximum_length: 300}
"""


def some_commitment() -> str:
    """The code of a commitment of the shipped framework."""
    return next(iter(load_framework("qual_e_pref").commitments))


def a_source(**replacements: str) -> str:
    """The YAML of a small questionnaire, with some of its words replaced."""
    text = QUESTIONNAIRE.replace("COMMITMENT", some_commitment())
    for old, new in replacements.items():
        text = text.replace(old, new)
    return text


def a_plan(digest: str, **changes: Any) -> WavePlan:
    """A wave of the small questionnaire that runs now."""
    today = today_in_paris()
    plan: dict[str, Any] = {
        "id": WAVE,
        "title": "Essai 2026",
        "questionnaire_digest": digest,
        "opens_on": today - dt.timedelta(days=20),
        "closes_on": today + dt.timedelta(days=20),
        "sites": ("accueil_general", "point_numerique"),
        "languages": ("fr",),
        "modes": ("tablet", "website", "paper"),
        "headline_modes": ("tablet", "website"),
        "headline_sites": ("accueil_general", "point_numerique"),
    }
    return WavePlan(**{**plan, **changes})


def seed_wave(
    good: int = 24, bad: int = 6, *, site: str = "accueil_general", comment: str = "", **plan: Any
) -> None:
    """An open wave in the database at hand, with so many good and bad answers of one site."""
    version = questionnaires.publish_source(a_source(), {}, actor="test")
    waves.create_wave(a_plan(version.digest, **plan), actor="test")
    waves.open_wave(WAVE, actor="test")
    add_responses(version.digest, good, bad, site=site, comment=comment)


def another_edition() -> str:
    """An edition in preparation beside the one at hand, with its questionnaire; gives its code."""
    digest = questionnaires.versions()[0].digest
    return waves.create_wave(a_plan(digest, id="autre-2026", title="Autre"), actor="test").id


def add_responses(
    digest: str,
    good: int,
    bad: int,
    *,
    site: str,
    mode: str = "tablet",
    language: str = "fr",
    comment: str = "",
    text: Mapping[str, str] = MappingProxyType({}),
    wave_id: str = WAVE,
    day: dt.date | None = None,
    assisted: bool | None = None,
) -> None:
    """Judged responses with their tallies, as the intake would have written them."""
    text = {"comment": comment} if comment else text
    common = {"wave_id": wave_id, "questionnaire_digest": digest, "revision": 1, "site": site, "mode": mode}
    rows = [
        {
            **common,
            "record_id": str(uuid.uuid4()),
            "language": language,
            "answered_on": day or today_in_paris() - dt.timedelta(days=1),
            "complete": True,
            "practice": False,
            "assisted": assisted,
            "answers": {"courtesy": ["very_satisfied" if n < good else "very_dissatisfied"], **text},
            "other_answers": {},
            "flags": [],
        }
        for n in range(good + bad)
    ]
    with write_connection() as connection:
        if rows:
            connection.execute(sa.insert(Response), rows)
        tallies.rebuild(connection, wave_id)
