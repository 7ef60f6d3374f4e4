"""A tablet that was long without a network: 500 records wait in its outbox and are sent in one go."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bench.client_servers import SITE, SLUG, application
from bench.measure import Section, slower_than
from bench.servers import bare_server
from survey_app import create_app
from survey_app.database import db
from survey_app.enrolment import make_code
from survey_app.models import Wave
from survey_app.responses.envelope import Envelope, content_hash, encode_body, sealed, write_envelope
from survey_app.responses.record_keys import RecordKeys
from survey_app.settings import Settings
from tests.browsers import launch_arguments

ROUNDS, RECORDS = 3, 500
PATIENCE_SECONDS = 300
STORE = """(records) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('tablet');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const writing = opening.result.transaction(['records', 'facts'], 'readwrite', { durability: 'strict' });
    for (const record of records) writing.objectStore('records').put(record);
    const last = records[records.length - 1];
    writing.objectStore('facts').put({ seq: last.seq, hash: last.hash, id: last.id }, 'head');
    writing.oncomplete = () => { opening.result.close(); resolve(); };
  };
})"""
UNSENT = """() => new Promise((resolve) => {
  const opening = indexedDB.open('tablet');
  opening.onsuccess = () => {
    const states = opening.result.transaction('records').objectStore('records').index('state');
    const counts = ['queued', 'sending', 'quarantined'].map((state) => states.count(state));
    states.objectStore.transaction.oncomplete = () => {
      opening.result.close();
      resolve(counts.reduce((sum, count) => sum + count.result, 0));
    };
  };
})"""
FLOOR = """async (records) => {
  const database = await new Promise((resolve) => {
    const opening = indexedDB.open('floor', 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore('records', { keyPath: 'id' });
    opening.onsuccess = () => resolve(opening.result);
  });
  const write = (work) => new Promise((resolve) => {
    const writing = database.transaction('records', 'readwrite', { durability: 'strict' });
    work(writing.objectStore('records'));
    writing.oncomplete = resolve;
  });
  await write((store) => records.forEach((record) => store.put(record)));
  const start = performance.now();
  for (const record of records) {
    const answer = await fetch('/one', { method: 'PUT', body: record.envelope });
    if (!answer.ok) throw new Error(String(answer.status));
    await write((store) => store.delete(record.id));
  }
  database.close();
  return (performance.now() - start) / 1000;
}"""


def measure() -> Section:
    """In Chromium, without any slowing down."""
    section = Section(
        f"Tablet, {RECORDS} waiting records",
        "Seconds until the last receipt, in Chromium, one record after the other. Ours: each one hashed "
        "again, claimed under the lease and signed, its receipt checked, two strict writes. Floor: a page "
        "that sends the same bytes to the bare server and deletes each in one strict write. Of other tools "
        "no such figure is known.",
    )
    with sync_playwright() as playwright, ExitStack() as running:
        port, settings = running.enter_context(application())
        folder = running.enter_context(TemporaryDirectory())
        bare = running.enter_context(bare_server(settings, f"sqlite:///{folder}/bare.db"))
        browser = playwright.chromium.launch(**launch_arguments("chromium"))
        pairs = [_round(browser, port, bare, settings) for _ in range(ROUNDS)]
        browser.close()
    ours, floor = zip(*pairs, strict=True)
    section.lines.append(slower_than(f"{RECORDS} records, all receipted", ours, floor, at_most=5, unit="s"))
    return section


def _round(browser: Browser, port: int, bare: int, settings: Settings) -> tuple[float, float]:
    with browser.new_context() as context:
        page = context.new_page()
        device = _enrolled(page, f"http://127.0.0.1:{port}/tablette/", settings)
        records = list(_waiting(settings, device))
        plain = context.new_page()
        plain.goto(f"http://127.0.0.1:{bare}/page")
        return _drain(page, records), plain.evaluate(FLOOR, records)


def _enrolled(page: Page, address: str, settings: Settings) -> str:
    with create_app(settings).app_context():
        code = make_code(name="Mesure", site=SITE, slugs=[], languages=[], created_by="bench")
        db.session.remove()
        db.engine.dispose()
    page.goto(address)
    page.fill("#enrolment-code", code)
    with page.expect_response("**/api/v1/devices/enrol") as answer:
        page.get_by_role("button", name="Inscrire").click()
    page.locator("#agent-corner[data-state=good]").wait_for(state="attached")
    return str(answer.value.json()["device"])


def _waiting(settings: Settings, device: str) -> Iterator[dict[str, Any]]:
    """As the outbox keeps them: numbered, chained, sealed."""
    with create_app(settings).app_context():
        digest = db.session.get_one(Wave, SLUG).questionnaire_digest
        db.session.remove()
        db.engine.dispose()
    key = RecordKeys(settings.record_keys_folder).current()
    body: dict[str, Any] = {
        "answers": {},
        "language": "fr",
        "site": None,
        "complete": True,
        "practice": False,
    }
    body |= {"started_at": None, "finished_at": datetime.now(tz=UTC).isoformat()}
    body |= {"clock_offset_ms": 0, "assisted": None}
    prev = None
    for seq in range(1, RECORDS + 1):
        name = str(uuid.uuid4())
        frame = Envelope(name, 1, device, seq, prev, SLUG, digest, None, encode_body(body))
        raw = write_envelope(sealed(frame, key))
        yield {"id": name, "revision": 1, "kind": "finished", "device": device, "seq": seq, "prev": prev} | {
            "hash": content_hash(raw),
            "envelope": raw.decode(),
            "state": "queued",
            "attempts": 0,
            "notBefore": 0,
            "reason": None,
        }
        prev = frame.link


def _drain(page: Page, records: list[dict[str, Any]]) -> float:
    page.evaluate(STORE, records)
    start = time.perf_counter()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    while page.evaluate(UNSENT):
        if time.perf_counter() - start > PATIENCE_SECONDS:
            raise RuntimeError("the outbox does not empty")
        time.sleep(0.05)
    return time.perf_counter() - start
