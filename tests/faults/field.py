"""A tablet in the field: its browser, its server with the staff's pages, and what it showed as saved."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect

from survey_app.database import db
from survey_app.models import Response
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import held
from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    PATIENCE,
    Network,
    fact,
    finish,
    interview,
    next_person,
    wait_for_empty_outbox,
)
from tests.faults.ledger import look_into
from tests.faults.one_tablet import arrived
from tests.survey_app.staff_site import StaffSite
from tests.survey_app.tablet_site import QUESTIONNAIRE, TabletSite

STAFF_PAGE: Final = "/gestion/tablettes"
LANGUAGE_CARD: Final = "a.language-card[data-language=fr]"

SHIFT_THE_CLOCK = """(milliseconds) => {
  const real = (window.realDate ??= Date);
  window.Date = class extends real {
    constructor(...given) { if (given.length > 0) super(...given); else super(real.now() + milliseconds); }
    static now() { return real.now() + milliseconds; }
  };
}"""
"""The page's clock jumps and goes on from there; what does not hang on it (timers, ``performance``) stays."""


@dataclass(kw_only=True)
class Field(EnrolledTablet):
    """One tablet, one server with the staff's pages, and what people were told."""

    staff: StaffSite
    database: Path
    saved: list[str] = field(default_factory=list)
    """`id hash` of what was on the disk when « Merci » was shown."""

    def start_page(self, page: Page | None = None) -> None:
        """Open the start page, as at any new day."""
        (page or self.page).goto(self.address)
        (page or self.page).locator("#agent-corner:not([data-state=none])").wait_for()

    def say_hello(self, page: Page | None = None) -> None:
        """Open the start page and wait until the server has answered it."""
        page = page or self.page
        with page.expect_response("**/heartbeat"):
            page.goto(self.address)
        expect(page.locator("#agent-corner[data-state=good]")).to_be_attached(timeout=PATIENCE)

    def one_person(self, comment: str, page: Page | None = None, language: str = "fr") -> None:
        """From the choice of a language to « Merci », and back to the start."""
        page = page or self.page
        interview(page, comment, language)
        self.note(page)
        next_person(page)

    def end(self, page: Page | None = None) -> None:
        """Finish the interview under way."""
        page = page or self.page
        finish(page)
        self.note(page)

    def note(self, page: Page | None = None) -> None:
        """« Merci » is on the screen: what is on the disk now was promised."""
        last = fact(page or self.page, "head")
        self.saved.append(f"{last['id']} {last['hash']}")

    def deliver(self, page: Page | None = None) -> None:
        """Until everything on the tablet has its receipt."""
        wait_for_empty_outbox(page or self.page)

    def look(self, shown: str) -> str:
        """A page of the staff, as text without marks, as soon as it shows this: a tablet takes its time."""
        client = self.staff.client("technician")
        for _attempt in range(50):
            text = plain(client.get(STAFF_PAGE).text)
            if shown in text:
                break
            self.page.wait_for_timeout(100)
        assert shown in text
        return text

    def assert_all_arrived(self, *, beside: int = 0) -> None:
        """What was shown as saved is stored, each once, and nothing else but so many others."""
        found = look_into(self.database, [f"record {line}" for line in self.saved])
        assert not found.is_bad, found
        there = arrived(self.database)
        assert not Counter(self.saved) - there
        assert (there - Counter(self.saved)).total() == beside

    def responses(self) -> list[Response]:
        """Everything judged, in the order of the tablet's numbers."""
        order = {envelope["id"]: envelope["seq"] for envelope in self.envelopes()}
        with self.site.app.app_context():
            judge_waiting(now=datetime.now(UTC) + timedelta(days=2))
            found = list(db.session.scalars(sa.select(Response)))
        return sorted(found, key=lambda response: order[response.record_id])

    def envelopes(self) -> list[dict[str, Any]]:
        """The frames of what arrived, in the order of the tablet's numbers."""
        frames = [json.loads(record.envelope or b"") for record in self.site.records()]
        return sorted(frames, key=lambda frame: (frame["seq"], frame["revision"]))


def plain(html: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", html)).replace("\u202f", " "))


@contextmanager
def server(folder: Path, source: str = QUESTIONNAIRE) -> Iterator[tuple[StaffSite, TabletSite]]:
    """A server on a migrated database, with an open wave and the staff's pages."""
    folder.mkdir(parents=True, exist_ok=True)
    staff = StaffSite(folder)
    site = TabletSite(staff.app)
    with staff.app.app_context():
        held().make(datetime.now(UTC))
        site.open_wave(source)
    yield staff, site
    with staff.app.app_context():
        db.session.remove()
        db.engine.dispose()


@contextmanager
def in_the_field(playwright: Playwright, folder: Path, source: str = QUESTIONNAIRE) -> Iterator[Field]:
    """A server and one enrolled tablet that is linked to it."""
    with server(folder / "server", source) as (staff, site):
        made = Field(
            playwright=playwright,
            network=Network(site),
            profile=folder / "profile",
            staff=staff,
            database=folder / "server" / "survey.db",
        )
        with enrolled(made):
            yield made
