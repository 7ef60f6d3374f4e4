"""A tablet in the field: its browser, its server with the staff's pages, and what it showed as saved."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect
from pysqlite3 import dbapi2 as sqlite

from survey_app.database import db
from survey_app.models import Response
from survey_app.responses.intake import judge_waiting
from survey_app.responses.record_keys import held
from tests.browser.tablet_browser import (
    PATIENCE,
    Network,
    enrol,
    finish,
    interview,
    next_person,
    tablet_browser,
    wait_for_empty_outbox,
)
from tests.browsers import free_port
from tests.faults.ledger import look_into
from tests.survey_app.staff_site import StaffSite
from tests.survey_app.tablet_site import QUESTIONNAIRE, TabletSite

STAFF_PAGE: Final = "/gestion/tablettes"
STORED: Final = "SELECT id, content_hash FROM {}"
LANGUAGE_CARD: Final = "a.language-card[data-language=fr]"

SHIFT_THE_CLOCK = """(milliseconds) => {
  const real = (window.realDate ??= Date);
  window.Date = class extends real {
    constructor(...given) { if (given.length > 0) super(...given); else super(real.now() + milliseconds); }
    static now() { return real.now() + milliseconds; }
  };
}"""
"""The page's clock jumps and goes on from there; what does not hang on it (timers, ``performance``) stays."""


READ_FACT = """(key) => new Promise((resolve) => {
  const opening = indexedDB.open('tablet');
  opening.onsuccess = () => {
    const fact = opening.result.transaction('facts').objectStore('facts').get(key);
    fact.onsuccess = () => { opening.result.close(); resolve(fact.result ?? null); };
  };
})"""


@dataclass
class Field:
    """One tablet, one server, and what people were told."""

    staff: StaffSite
    site: TabletSite
    database: Path
    page: Page
    network: Network
    address: str
    line: ExitStack
    """Closing it takes the network away."""
    playwright: Playwright
    profile: Path
    port: int
    saved: list[str] = field(default_factory=list)
    """`id hash` of what was on the disk when « Merci » was shown."""

    def disconnect(self) -> None:
        """No network any more."""
        self.line.close()

    def connect(self) -> None:
        """The network is back."""
        self.line.enter_context(self.network.up(self.port))

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
        last = (page or self.page).evaluate(READ_FACT, "head")
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


def arrived(database: Path) -> Counter[str]:
    """What a server stores as `id hash`, variants as well, read without the program."""
    connection = sqlite.connect(str(database), isolation_level=None)
    tables = ("inbox_record", "inbox_conflict")
    rows = [row for table in tables for row in connection.execute(STORED.format(table))]
    connection.close()
    return Counter(f"{row[0]} {row[1]}" for row in rows)


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
    with server(folder / "server", source) as (staff, site), ExitStack() as line, ExitStack() as browsers:
        network, port, profile = Network(site), free_port(), folder / "profile"
        address = line.enter_context(network.up(port))
        page = browsers.enter_context(tablet_browser(playwright, profile))
        enrol(page, address, site)
        expect(page.locator("#agent-corner[data-state=good]")).to_be_attached(timeout=PATIENCE)
        database = folder / "server" / "survey.db"
        yield Field(staff, site, database, page, network, address, line, playwright, profile, port)
