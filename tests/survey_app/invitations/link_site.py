"""The application with a wave by personal link, and people who follow their links."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from form_definitions import from_canonical, load_translations
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.invitation_models import Invitation
from survey_app.invitations import links
from survey_app.invitations.mixing import finish
from survey_app.models import Response
from survey_app.questionnaires import publish_source
from tests.survey_app.invitations import invited
from tests.survey_app.website_site import QUESTIONNAIRES, Visitor, WebsiteSite

SHIPPED = (QUESTIONNAIRES / "elected_officials.yaml").read_text("utf-8")
GONE = 410
HERE = {"Sec-Fetch-Site": "same-origin"}


class LinkSite(WebsiteSite):
    """One application; its wave is open today."""

    def __init__(self, folder: Path, people: int = 30, source: str = SHIPPED, **wave: Any) -> None:
        super().__init__(folder)
        self.app.extensions["survey_rate_limits"].enabled = False
        today = today_in_paris()
        with self.app.app_context():
            version = publish_source(source, load_translations(), actor="test")
            self.questionnaire = from_canonical(version.canonical)
            dates = {"opens_on": today - dt.timedelta(days=9), "closes_on": today + dt.timedelta(days=20)}
            self.numbers = invited.a_wave(
                people, questionnaire=self.questionnaire, digest=version.digest, **{**dates, **wave}
            )

    def token(self, place: int) -> str:
        """The secret of the link of this person on the list."""
        with self.app.app_context():
            return links.token(invited.invitation(self.numbers[place]))

    def code(self, place: int) -> str:
        """The code of their letter."""
        with self.app.app_context():
            return links.letter_code(invited.invitation(self.numbers[place]))

    def state(self, place: int) -> str:
        """How their invitation stands."""
        with self.app.app_context():
            return invited.invitation(self.numbers[place]).state

    def row(self, place: int) -> dict[str, Any]:
        """All that the table says of them."""
        with self.app.app_context():
            found = sa.select(Invitation.__table__).where(Invitation.id == self.numbers[place])
            return dict(db.session.execute(found).mappings().one())

    def official(self, place: int) -> Official:
        """This person, with the mail in front of them."""
        return Official(self, f"/r/{self.token(place)}")

    def close(self, others: int = 10) -> None:
        """Ten more answer from the end of the list; close the wave and mix its answers."""
        with self.app.app_context():
            for number in self.numbers[len(self.numbers) - others :]:
                said = {"overall_opinion": ["dissatisfied"]}
                invited.answer(number, said, today=today_in_paris(), questionnaire=self.questionnaire)
            invited.close()
            finish(invited.WAVE, actor="test")

    def mixed(self) -> list[dict[str, Any]]:
        """The answers of the mixed responses."""
        with self.app.app_context():
            return [dict(row) for row in db.session.scalars(sa.select(Response.answers))]


class Official(Visitor):
    """Follows a link with a browser without JavaScript."""

    def __init__(self, site: LinkSite, address: str) -> None:
        super().__init__(site.app.test_client())
        self.address = address

    def start(self, language: str = "fr") -> Official:
        """Open the link and press « Commencer »."""
        self.open(f"{self.address}?lang={language}")
        self.post(self.fields())
        return self

    def press(self, act: str) -> Official:
        """Open the link and press one of the other buttons."""
        self.open(self.address)
        action = unescape(re.findall(rf'formaction="(/r/lien/{act}/[a-z]+)"', self.html)[0])
        self.page = self.client.post(action, data=self.fields(), headers=HERE)
        return self

    def sure(self, **fields: str) -> Official:
        """Press the button of a page that asks."""
        sent = self.fields()
        sent["_sure"] = "1"
        for name, value in fields.items():
            sent[name] = value
        self.post(sent)
        return self

    def answer_all(self, opinion: str = "5", comment: str = "") -> Official:
        """Go through the whole form, with the one answer that is required."""
        for _page in range(20):
            if self.status == 303:
                self.follow()
                return self
            fields: dict[str, Any] = {}
            if 'name="overall_opinion"' in self.html:
                fields = {"overall_opinion": self.first_option("overall_opinion"), "comment": comment}
            self.send(**fields)
            if self.status == GONE:
                break
        raise AssertionError(self.html)

    def answer_all_until_dead(self) -> str:
        """Try to go on to the end; the heading of the page that stops it."""
        try:
            return self.answer_all().heading
        except AssertionError:
            return self.heading

    def first_option(self, item: str) -> str:
        """The first answer that a question offers."""
        return str(re.findall(rf'<input [^>]*name="{item}"[^>]*value="([^"]+)"', self.html)[0])

    def open(self, address: str) -> Official:
        """Go to an address."""
        super().open(address)
        return self

    def words(self) -> str:
        """What the page says, without its code."""
        return unescape(re.sub(r"<[^>]+>", " ", self.html))


def fields_of(**values: str) -> MultiDict[str, str]:
    """A form as a program would send it."""
    return MultiDict(values)


def same_page(first: TestResponse, second: TestResponse, *secrets: str) -> bool:
    """Whether two answers are equal, byte for byte, but for the secret that each was asked with."""
    bodies = []
    for answer in (first, second):
        body = answer.get_data()
        for secret in secrets:
            body = body.replace(secret.encode(), b"*")
        bodies.append((answer.status_code, body, sorted(answer.headers.items())))
    return bodies[0] == bodies[1]
