"""The application with open waves of the shipped questionnaires, and a visitor who fills in forms by hand."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

import form_definitions
from form_definitions import from_canonical, load_translations
from survey_app import create_app
from survey_app.database import db, write_transaction
from survey_app.models import InboxConflict, InboxRecord, Response, Survey, Wave, WaveQuestionnaire
from survey_app.questionnaires import publish_source
from survey_app.responses.intake import judge_waiting
from survey_app.settings import testing
from tests.survey_app.empty_database import empty_database

QUESTIONNAIRES = Path(form_definitions.__file__).parent / "questionnaires"
LANGUAGES = ["fr", "en", "ar"]

SMALL = """
questionnaire: petit
title: Un petit questionnaire
description: Deux pages pour les essais.
audience: users
framework: qual_e_pref
estimated_minutes: 1
modes: [tablet, website, paper]
sites: [accueil_general, immigration]
sections:
  - section: first
    title: La première page
    questions:
      - item: came
        type: single_choice
        label: Êtes-vous venu ?
        requirement: required
        options:
          - {option: came_in, label: "Oui"}
          - {option: stayed_away, label: "Non"}
      - item: reasons
        type: multiple_choice
        label: Pour quelles raisons ?
        relevant_if: {is: [came, came_in]}
        requirement: required
        options:
          - {option: paper, label: Un papier}
          - {option: question, label: Une question}
          - {option: other, label: Autre chose, specify: Précisez}
          - {option: nothing, label: Rien, exclusive: true}
      - item: minutes
        type: number
        label: Combien de minutes ?
        requirement: advised
        minimum: 0
        maximum: 300
        unit: minutes
  - section: away
    title: À distance
    relevant_if: {is: [came, stayed_away]}
    questions:
      - note: away_note
        label: Vous n’êtes pas venu. Une seule question, alors.
      - item: nickname
        type: short_text
        label: Un mot ?
        maximum_length: 20
  - section: last
    title: Pour finir
    questions:
      - item: opinion
        type: satisfaction
        scale: opinion_5
        label: Votre avis ?
      - grid: details
        label: Plus en détail
        scale: satisfaction_4
        rows:
          - {item: detail_words, label: Les mots}
          - {item: detail_place, label: Le lieu, relevant_if: {is: [came, came_in]}}
      - item: recommend
        type: recommendation
        label: Le conseilleriez-vous ?
      - item: comment
        type: long_text
        label: Autre chose à dire ?
        maximum_length: 50
"""
SMALL = re.sub(r" \?", "\u202f?", SMALL)


class WebsiteSite:
    """One application with open waves."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.app: Flask = create_app(testing(data_folder=folder, **settings))
        (folder / "survey.db").write_bytes(empty_database())

    def publish(self, source: str, *, state: str = "open", **wave: Any) -> str:
        """Publish a questionnaire and open a wave of it; gives the wave's name."""
        now = dt.datetime.now(dt.UTC)
        with self.app.app_context():
            version = publish_source(source, load_translations(), actor="test")
            questionnaire = from_canonical(version.canonical)
            with write_transaction() as transaction:
                survey = transaction.scalars(sa.select(Survey).where(Survey.slug == questionnaire.slug)).one()
                values: dict[str, Any] = {
                    "id": f"{questionnaire.slug}-2026",
                    "title": questionnaire.title,
                    "opens_on": now.date() - dt.timedelta(days=3),
                    "closes_on": now.date() + dt.timedelta(days=30),
                    "sites": list(questionnaire.sites),
                    "languages": LANGUAGES,
                    "modes": list(questionnaire.modes),
                    **wave,
                }
                transaction.add(
                    Wave(
                        **values,
                        survey_id=survey.id,
                        state=state,
                        questionnaire_digest=version.digest,
                        created_at=now,
                        opened_at=now - dt.timedelta(days=3),
                    )
                )
                transaction.flush()
                transaction.add(WaveQuestionnaire(wave_id=values["id"], digest=version.digest, since=now))
        return str(values["id"])

    def publish_shipped(self) -> None:
        """Open waves of the questionnaires that the application ships."""
        for name in ("users", "elected_officials"):
            self.publish((QUESTIONNAIRES / f"{name}.yaml").read_text("utf-8"))

    def move_wave(self, wave: str, **changes: Any) -> None:
        """Change the row of a wave."""
        with self.app.app_context(), write_transaction() as transaction:
            transaction.execute(sa.update(Wave).where(Wave.id == wave).values(**changes))

    def visitor(self) -> Visitor:
        """Somebody with a browser without JavaScript."""
        return Visitor(self.app.test_client())

    def responses(self) -> list[dict[str, Any]]:
        """The responses after the judgement, as plain rows; the record's own number left out."""
        with self.app.app_context():
            judge_waiting()
            rows = db.session.execute(sa.select(Response.__table__)).mappings().all()
            return [{key: value for key, value in row.items() if key != "record_id"} for row in rows]

    def count(self, model: type[Any]) -> int:
        """How many rows a table has."""
        with self.app.app_context():
            return db.session.scalar(sa.select(sa.func.count()).select_from(model)) or 0

    @property
    def records(self) -> int:
        """How many records are in the inbox."""
        return self.count(InboxRecord)

    @property
    def conflicts(self) -> int:
        """How many other variants of a record are kept apart."""
        return self.count(InboxConflict)


class Visitor:
    """Reads the form on the page and sends it, as a browser without JavaScript does."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.page: TestResponse | None = None

    @property
    def html(self) -> str:
        """The page now on the screen."""
        assert self.page is not None
        return self.page.text

    @property
    def status(self) -> int:
        """Its status."""
        assert self.page is not None
        return self.page.status_code

    def open(self, address: str) -> Visitor:
        """Go to an address."""
        self.page = self.client.get(address)
        return self

    def fields(self) -> MultiDict[str, str]:
        """What the browser would send now: hidden fields, checked options, texts; nothing disabled."""
        html = re.sub(r"<fieldset[^>]* disabled.*?</fieldset>", "", self.html, flags=re.DOTALL)
        fields: MultiDict[str, str] = MultiDict()
        for tag in re.findall(r"<input ([^>]*)>", html):
            given = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
            chosen = given.get("type") not in ("radio", "checkbox") or re.search(r"\bchecked\b", tag)
            if chosen and not re.search(r"\bdisabled\b", tag):
                fields.add(given["name"], given.get("value", ""))
        for tag, text in re.findall(r"<textarea ([^>]*)>\n?(.*?)</textarea>", html, re.DOTALL):
            if not re.search(r"\bdisabled\b", tag):
                fields.add(re.findall(r'\bname="([^"]*)"', tag)[0], unescape(text))
        return fields

    def send(self, action: str = "next", *, language: str | None = None, **answers: Any) -> Visitor:
        """Fill in and press a button; ``item__option`` stands for the field ``item.option``."""
        fields = self.fields()
        for name, value in answers.items():
            fields.setlist(name.replace("__", "."), [value] if isinstance(value, str) else list(value))
        fields["_language" if language else "_action"] = language or action
        return self.post(fields)

    def post(self, fields: MultiDict[str, str]) -> Visitor:
        """Send these fields to where the form says."""
        action = re.findall(r'<form [^>]*action="([^"]*)"', self.html)[0]
        self.page = self.client.post(action, data=fields, headers={"Sec-Fetch-Site": "same-origin"})
        return self

    def follow(self) -> Visitor:
        """Go where the page sends the browser."""
        assert self.page is not None
        assert self.status == 303, self.html
        return self.open(self.page.headers["Location"])

    @property
    def heading(self) -> str:
        """The first heading."""
        return unescape(
            re.sub("<[^>]+>", "", re.findall(r"<h1[^>]*>(.*?)</h1>", self.html, re.DOTALL)[0])
        ).strip()

    def shows(self, item: str) -> bool:
        """Whether a question is on the page and not hidden."""
        tags = re.findall(rf'<(?:fieldset|div)[^>]* data-item="{item}"[^>]*>', self.html)
        return bool(tags) and " hidden" not in tags[0]


@contextmanager
def opened(folder: Path, *sources: str) -> Iterator[WebsiteSite]:
    """A site with these questionnaires open."""
    site = WebsiteSite(folder)
    for source in sources:
        site.publish(source)
    yield site
