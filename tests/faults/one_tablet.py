"""One tablet whose browser is killed, starved and started again, and the list of what it showed as saved."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import CDPSession, Page, Playwright, expect
from pysqlite3 import dbapi2 as sqlite

from survey_app.database import db
from survey_app.device_models import Device
from survey_app.responses.chains import Fork, chains
from survey_app.responses.envelope import read_envelope
from survey_app.responses.intake import judge_waiting
from survey_app.responses.tablet_accounts import accounts_of
from survey_app.staff.reconciliation import counted_of
from survey_app.waves import find_wave
from tests.browser.enrolled_tablet import EnrolledTablet, enrolled
from tests.browser.tablet_browser import (
    PATIENCE,
    Network,
    fact,
    next_person,
    outbox,
    stored,
    to_last_screen,
    wait_for_empty_outbox,
)
from tests.browser.tablet_browser import begin as begin_on
from tests.browser.test_power_cut import processes_of, send
from tests.faults.ledger import look_into
from tests.survey_app.tablet_site import TabletSite, tablet_site

Reply = tuple[str, str, bytes]

CARD: Final = "a.language-card[data-language=fr]"
BUSY: Final = ("503 Service Unavailable", "application/json", b"{}")

STOP_AT: Final = """
const stop = (step) => {
  if (window.stopAt !== step) return;
  const request = new XMLHttpRequest();
  request.open('POST', '/stopped-here', false);
  request.send();
};
const before = (prototype, name, stepOf) => {
  const original = prototype[name];
  prototype[name] = function (...given) {
    stop(stepOf(...given));
    return original.apply(this, given);
  };
};
before(SubtleCrypto.prototype, 'encrypt', () => 'sealing');
before(SubtleCrypto.prototype, 'digest', () => 'sealed');
before(IDBObjectStore.prototype, 'delete', () => 'draft taken away');
before(IDBObjectStore.prototype, 'add', () => 'record put');
const stepOfPut = (value, key) =>
  key === 'head' ? 'chain moved' : value?.state === 'receipted' && 'receipt noted';
before(IDBObjectStore.prototype, 'put', stepOfPut);
const open = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...given) {
  const transaction = open.apply(this, given);
  const keepsRecords = given[1] === 'readwrite' && transaction.objectStoreNames.contains('records');
  if (keepsRecords) transaction.addEventListener('complete', () => stop('on disk'));
  return transaction;
};"""
"""The page stands still, in the middle of whatever it does, at the step that `stopAt` names."""


@dataclass(kw_only=True)
class OneTablet(EnrolledTablet):
    """A tablet that stands still, dies and starts again, and what people were told on it."""

    database: Path
    saved: Counter[str] = field(default_factory=Counter)
    """`id hash` of what was on the disk when « Merci » was shown."""
    stopped: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """A page that stands still asks the server."""
        self.network.instead = self.answer

    def disconnect(self) -> None:
        """No network any more, and nobody stands still."""
        self._released.set()
        super().disconnect()

    def open(self, *scripts: str) -> None:
        """As any tablet; its pages can stand still."""
        super().open(STOP_AT, *scripts)

    def ready(self) -> None:
        """The next person may choose a language."""
        self.page.locator(CARD).wait_for()

    def cdp(self) -> CDPSession:
        """The browser's own controls for this page."""
        return self.page.context.new_cdp_session(self.page)

    def kill(self) -> None:
        """SIGKILL to every process of the browser."""
        send(signal.SIGKILL, [process for process in processes_of(self.profile) if process != os.getpid()])
        self._released.set()
        self.switch_off()

    def begin(self, comment: str = "") -> None:
        """Answer up to the last screen."""
        begin_on(self.page)
        to_last_screen(self.page, comment)

    def thanked(self) -> None:
        """Finish, and write down what is promised from now on."""
        self.page.locator("#next").click()
        self.merci()

    def merci(self) -> None:
        """Wait for « Merci », and write down what is promised from now on."""
        expect(self.page.locator("#thanks-title")).to_be_visible(timeout=PATIENCE)
        self.saved[last_of(self.page)] += 1

    def one_person(self, comment: str = "") -> None:
        """From the choice of a language to « Merci », and back."""
        self.begin(comment)
        self.thanked()
        next_person(self.page)

    def stop_at(self, step: str) -> None:
        """Tap « Terminer », and wait until the page stands still at this step of what follows."""
        self.stopped.clear()
        self._released.clear()
        self.page.evaluate(
            "(step) => { window.stopAt = step; setTimeout(() => document.getElementById('next').click()); }",
            step,
        )
        assert self.stopped.wait(PATIENCE / 1_000), f"the page never came to «{step}»"

    def answer(self, method: str, path: str) -> Reply | None:
        """What the server says in place of the application: to a page that stands still, nothing."""
        if path != "/stopped-here":
            return None
        self.stopped.set()
        self._released.wait(PATIENCE / 1_000)
        return "200 OK", "text/plain", method.encode()

    def deliver(self) -> None:
        """Until everything on the tablet has its receipt."""
        wait_for_empty_outbox(self.page)

    def on_disk(self) -> Counter[str]:
        """Everything on the tablet as `id hash`."""
        return Counter(f"{record['id']} {record['hash']}" for record in stored(self.page))

    def waiting(self) -> Counter[str]:
        """Everything without a receipt as `id hash`."""
        return Counter(f"{record['id']} {record['hash']}" for record in outbox(self.page))

    def assert_all_arrived(self, *, beside: Counter[str] | None = None) -> None:
        """What was shown as saved is stored, each once, and nothing else but what is named."""
        found = look_into(self.database, [f"record {line}" for line in self.saved])
        assert not found.is_bad, found
        assert arrived(self.database) == self.saved + (beside or Counter())


def last_of(page: Page) -> str:
    """`id hash` of the record with the highest number."""
    last = max(stored(page), key=lambda record: (record["seq"], record["revision"]))
    return f"{last['id']} {last['hash']}"


def arrived(database: Path) -> Counter[str]:
    """What a server stores, read without the program; variants as well."""
    connection = sqlite.connect(str(database), isolation_level=None)
    rows = connection.execute(
        "SELECT id, content_hash FROM inbox_record UNION ALL SELECT id, content_hash FROM inbox_conflict"
    ).fetchall()
    connection.close()
    return Counter(f"{row[0]} {row[1]}" for row in rows)


def chain_faults(page: Page) -> list[str]:
    """Where records, the end of the chain and the count of the day contradict each other."""
    records = sorted(stored(page), key=lambda record: (record["seq"], record["revision"]))
    ends: dict[str, Any] = fact(page, "head") or {"seq": 0, "hash": None}
    faults = []
    numbers = [record["seq"] for record in records]
    if numbers != list(range(1, len(records) + 1)):
        faults.append(f"numbers {numbers}")
    links = [None, *(read_envelope(record["envelope"].encode()).link for record in records)]
    named = [json.loads(record["envelope"])["prev"] for record in records]
    followed = zip(numbers, named, links, strict=False)
    faults += [f"{seq} follows another record" for seq, prev, link in followed if prev != link]
    if records and (ends["seq"], ends["hash"]) != (records[-1]["seq"], records[-1]["hash"]):
        faults.append(f"the chain ends with {ends['seq']}, the last record is {records[-1]['seq']}")
    finished = sum(record["kind"] == "finished" for record in records)
    day = fact(page, "day")
    if (day or {"count": 0})["count"] != finished:
        faults.append(f"{finished} finished, {day} counted")
    return faults


def forks_seen(site: TabletSite) -> list[Fork]:
    """Where the server takes a tablet for two."""
    with site.app.app_context():
        devices = db.session.scalars(db.select(Device)).all()
        return [fork for chain in chains(db.session(), devices).values() for fork in chain.forks]


def refuse_records(tablet: OneTablet) -> None:
    """The server is there and takes no record."""

    def busy(method: str, path: str) -> Reply | None:
        return BUSY if method == "PUT" else tablet.answer(method, path)

    tablet.network.instead = busy


def take_records(tablet: OneTablet) -> None:
    """The server is as usual."""
    tablet.network.instead = tablet.answer


def expect_refusal(page: Page, reason: str, words: str) -> None:
    """Nobody can begin, and the screen says why."""
    expect(page.locator(f"[data-reason={reason}]")).to_be_visible(timeout=PATIENCE)
    expect(page.locator(f"[data-reason={reason}]")).to_contain_text(words)
    expect(page.locator("a.language-card").first).to_be_hidden()


def lines_told(site: TabletSite) -> list[str]:
    """What the reconciliation says of each tablet of the wave, once everything is judged."""
    with site.app.app_context():
        wave = find_wave(site.wave)
        assert wave is not None
        judge_waiting(now=datetime.now(UTC) + timedelta(days=1))
        return sorted(map(counted_of, accounts_of(db.session(), wave)))


@contextmanager
def one_tablet(
    playwright: Playwright, folder: Path, profile: Path | None = None, **how: Any
) -> Iterator[OneTablet]:
    """A server and one enrolled tablet that is switched on."""
    with tablet_site(folder / "server", **how) as site:
        made = OneTablet(
            playwright=playwright,
            network=Network(site),
            profile=profile or folder / "profile",
            database=folder / "server" / "survey.db",
        )
        with enrolled(made):
            yield made
