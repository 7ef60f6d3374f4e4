"""An interview that does not reach its end, and the copies that a restored server asks for again."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect

from survey_app.database import write_connection
from survey_app.models import InboxRecord, ServerFact
from tests.browser.tablet_browser import (
    TRY_NOW,
    begin,
    finish,
    interview,
    next_person,
    outbox,
    stored,
    to_last_screen,
    until,
    wait_for_draft,
    wait_for_empty_outbox,
)
from tests.survey_app.tablet_site import TabletSite

pytestmark = pytest.mark.browser

NOBODY_ANSWERS = """() => navigator.locks.query().then(({ held }) => !held.some(
  (lock) => lock.name.startsWith('interview ')))"""
"""A tab that closes lets go of its locks a moment later."""


def test_nothing_is_sent_while_an_interview_lives_in_another_tab(tablet: Page, server: TabletSite) -> None:
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    wait_for_draft(tablet)
    other = tablet.context.new_page()
    other.goto(tablet.url.split("/tablette/")[0] + "/tablette/")
    for _round in range(3):
        other.evaluate(TRY_NOW)
        other.wait_for_timeout(200)
    assert [record["state"] for record in outbox(other)] == ["draft"]
    assert server.records() == []
    tablet.close()
    until(other, NOBODY_ANSWERS)
    wait_for_empty_outbox(other)
    assert [body.complete for body in server.bodies()] == [False]


def test_a_visitor_who_cancels_leaves_a_number_and_no_answer(tablet: Page, server: TabletSite) -> None:
    begin(tablet)
    tablet.locator("label.option:visible").first.click()
    wait_for_draft(tablet)
    tablet.locator("#back").click()
    tablet.locator("[data-screen-name=welcome] [data-action=restart]").click()
    tablet.locator("a.language-card[data-language=fr]").wait_for()
    wait_for_empty_outbox(tablet)
    assert [(body.answers, body.withdrawn) for body in server.bodies()] == [({}, True)]
    interview(tablet)
    wait_for_empty_outbox(tablet)
    assert [record.seq for record in server.records()] == [1, 2]


def test_a_finished_interview_is_sent_as_one_record_whatever_was_drafted(
    tablet: Page, server: TabletSite
) -> None:
    begin(tablet)
    to_last_screen(tablet, "jusqu’au bout")
    wait_for_draft(tablet, 2)
    finish(tablet)
    wait_for_empty_outbox(tablet)
    assert [body.complete for body in server.bodies()] == [True]
    assert [record["state"] for record in stored(tablet)] == ["receipted"]


def test_a_restored_server_is_refilled_by_the_tablet(tablet: Page, server: TabletSite) -> None:
    for comment in ("avant la panne", "après la sauvegarde"):
        interview(tablet, comment)
        wait_for_empty_outbox(tablet)
        next_person(tablet)
    before = [(record.id, record.content_hash) for record in server.records()]
    lose_everything_under_a_new_epoch(server)
    assert server.records() == []
    tablet.evaluate(
        """() => new Promise((resolve) => {
          const opening = indexedDB.open('tablet');
          opening.onsuccess = () => {
            const writing = opening.result.transaction('facts', 'readwrite');
            writing.objectStore('facts').put(0, 'hello');
            writing.oncomplete = () => { opening.result.close(); resolve(); };
          };
        })"""
    )
    tablet.reload()  # the next page says hello, and hears of the new epoch
    tablet.wait_for_function("() => document.querySelector('#agent-corner')?.dataset.state === 'good'")
    tablet.evaluate(TRY_NOW)
    for _wait in range(50):
        if len(server.records()) == len(before):
            break
        tablet.wait_for_timeout(200)
    assert sorted((record.id, record.content_hash) for record in server.records()) == sorted(before)


def lose_everything_under_a_new_epoch(server: TabletSite) -> None:
    """What a restored backup looks like that was made before any of these records."""
    with server.app.app_context(), write_connection() as connection:
        for trigger in connection.scalars(
            sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).all():
            connection.execute(sa.text(f"DROP TRIGGER {trigger}"))
        connection.execute(sa.delete(InboxRecord))
        connection.execute(sa.update(ServerFact).where(ServerFact.key == "epoch").values(value="f" * 32))


FAULTS = {
    "full": "QuotaExceededError",
    "damaged": "UnknownError",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_tablet_that_cannot_save_says_so_before_the_next_person_and_goes_on_by_itself(
    tablet: Page, fault: str
) -> None:
    tablet.add_init_script(
        f"""const put = IDBObjectStore.prototype.put;
        window.fails = true;
        IDBObjectStore.prototype.put = function (...given) {{
          if (window.fails) throw new DOMException('it happens', '{FAULTS[fault]}');
          return put.apply(this, given);
        }};"""
    )
    tablet.reload()
    expect(tablet.locator(f"[data-reason={fault}]")).to_be_visible()
    expect(tablet.locator(f"[data-notice={'full' if fault == 'full' else 'fault'}]")).to_be_visible()
    tablet.evaluate("() => { window.fails = false; window.dispatchEvent(new Event('online')); }")
    tablet.locator("a.language-card[data-language=fr]").wait_for()
