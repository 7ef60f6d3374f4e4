"""Faults 51 to 56: stolen tablets, people who walk away, the next person, weeks without a network."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
import time_machine
from playwright.sync_api import Error, Page, Playwright, expect

from survey_app import server_facts
from survey_app.database import write_transaction
from tests.browser.tablet_browser import (
    PATIENCE,
    begin,
    next_person,
    outbox,
    stop_the_clock,
    stored,
    tablet_browser,
    to_last_screen,
    wait_for_draft,
)
from tests.browser.test_power_cut import processes_of, send
from tests.browser.test_stolen_profile import DUMP, copied, files_that_hold, forms_of
from tests.browser.test_tablet import assert_nothing_left
from tests.faults.field import LANGUAGE_CARD, SHIFT_THE_CLOCK, Field, in_the_field
from tests.survey_app.staff_site import upload
from tests.survey_app.tablet_site import QUESTIONNAIRE

pytestmark = [pytest.mark.browser]

EARLIER: Final = "Réponse rangée : l’écureuil"
CURRENT: Final = "Réponse en cours : le hérisson"
STEP_S: Final = 5
LONGEST_PATIENCE_S: Final = 240
"""More than any time after which the tablet takes somebody for gone."""


def readable(page: Page, text: str) -> bool:
    """Whether somebody who holds the tablet finds this text: on the page or in its stores."""
    shown = page.evaluate(
        """() => [document.documentElement.outerHTML, location.href,
          ...[...document.querySelectorAll('input, textarea')].map((field) => field.value)].join('\\n')"""
    )
    dump = page.evaluate(DUMP)
    return any(form.decode("latin-1") in shown + dump or text in shown for form in forms_of(text))


def walk_away(page: Page) -> None:
    """Nobody touches the tablet any more: after a warning it is at the start again."""
    until_it_is_there(page, LANGUAGE_CARD)


@pytest.mark.fault(52)
def test_a_tablet_stolen_in_use_shows_the_current_interview_alone_and_that_no_longer_after_a_while(
    field: Field, tmp_path: Path
) -> None:
    page = field.page
    field.disconnect()
    field.one_person(EARLIER)
    stop_the_clock_offline(page)
    begin(page)
    to_last_screen(page, CURRENT)
    assert readable(page, CURRENT), "the search finds nothing"
    assert not readable(page, EARLIER)
    walk_away(page)
    assert not readable(page, CURRENT)
    assert not readable(page, EARLIER)
    copy = copied(field.profile, tmp_path / "copy")
    assert [files_that_hold(copy, text) for text in (CURRENT, EARLIER)] == [[], []]
    (device,) = {record["device"] for record in outbox(page)}
    field.site.revoke(device)
    field.connect()
    page.goto(field.address)
    page.clock.run_for(2_000)
    expect(page.locator("#agent-waiting")).to_have_text("0 en attente", timeout=PATIENCE)
    with field.site.app.app_context(), write_transaction() as transaction:
        soon = datetime.now(UTC) + timedelta(minutes=10)
        server_facts.write(transaction, server_facts.BACKUP_WATERMARK, soon.isoformat())
    page.goto(field.address)
    page.clock.run_for(2_000)
    expect(page.locator("#revoked-title")).to_be_visible(timeout=PATIENCE)
    assert stored(page) == []
    assert [response.flags for response in field.responses()] == [["revoked_device"]] * 2
    field.assert_all_arrived(beside=1)


def stop_the_clock_offline(page: Page) -> None:
    """From here on time passes only when a test says so."""
    expect(page.locator("[data-notice=unreachable]")).to_be_visible(timeout=PATIENCE)
    page.clock.install()


@pytest.mark.fault(53)
@pytest.mark.parametrize("policy", ["keep", "discard"])
def test_somebody_who_walks_away_is_warned_and_leaves_what_the_questionnaire_keeps_and_a_clean_tablet(
    playwright: Playwright, tmp_path: Path, policy: str
) -> None:
    source = QUESTIONNAIRE.replace("partial_policy: keep", f"partial_policy: {policy}")
    with in_the_field(playwright, tmp_path, source) as field:
        page = field.page
        stop_the_clock(page)
        begin(page, "ar")
        page.locator("label.option:visible").first.click()
        page.locator("#next").click()
        page.locator("[name=minutes]").fill("12")
        until_it_is_there(page, "#idle-title")
        page.locator("#stay").click()
        expect(page.locator("[name=minutes]")).to_have_value("12")
        walk_away(page)
        assert_nothing_left(page)
        assert page.evaluate("[document.documentElement.lang, document.dir, scrollY]") == ["fr", "ltr", 0]
        page.clock.run_for(2_000)
        field.deliver()
        kept = [(body.complete, body.answers) for body in field.site.bodies()]
        expected = [(False, {"courtesy": ["very_satisfied"], "minutes": 12})]
        assert kept == (expected if policy == "keep" else [])


def until_it_is_there(page: Page, selector: str) -> None:
    """Let time pass until this is on the screen."""
    for _step in range(LONGEST_PATIENCE_S // STEP_S):
        with suppress(Error):  # the page may be on its way to another one
            page.clock.run_for(STEP_S * 1_000)
            if page.locator(selector).locator("visible=true").count():
                return
    expect(page.locator(selector)).to_be_visible()


WAYS_BACK: Final[dict[str, Callable[[Page, str], object]]] = {
    "back": lambda page, _url: page.go_back(),
    "forward": lambda page, _url: page.go_forward(),
    "its address": lambda page, url: page.goto(url),
    "reload": lambda page, _url: page.reload(),
    "address and reload": lambda page, url: (page.goto(url), page.reload()),
    "from the browser's memory": lambda page, url: (
        page.goto(url),
        page.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))"),
    ),
}


@pytest.mark.fault(54)
def test_no_way_back_and_no_memory_of_the_browser_shows_the_next_person_an_earlier_answer(
    field: Field,
) -> None:
    page = field.page
    begin(page)
    to_last_screen(page, "Madame Martin, guichet 3")
    with pytest.raises(AssertionError):
        assert_nothing_left(page)  # the search finds what is there
    field.end()
    interview_page = page.url
    next_person(page)
    for go in WAYS_BACK.values():
        with suppress(Error):  # a page that sends somebody to the start interrupts the way to itself
            go(page, interview_page)
        if page.url != "about:blank":  # what the tab was before: the tablet leaves nothing to go back to
            page.locator(f"{LANGUAGE_CARD}:visible, #begin:visible").first.wait_for()
        assert_nothing_left(page)
    page.goto(interview_page)
    page.locator("#begin").click()
    offered = page.locator("input:not([type=hidden]), textarea").evaluate_all(
        "(fields) => fields.map((field) => field.autocomplete || field.form.autocomplete)"
    )
    assert set(offered) == {"off"}
    other = page.context.new_page()
    other.goto(interview_page)
    other.locator("#begin").click()
    assert_nothing_left(other)


def test_a_browser_that_crashed_brings_no_answer_back(field: Field) -> None:
    page = field.page
    begin(page)
    to_last_screen(page, "Madame Martin, guichet 3")
    wait_for_draft(page)
    interview_page = page.url
    send(signal.SIGKILL, processes_of(field.profile))
    with suppress(Error):
        page.context.close()
    with tablet_browser(field.playwright, field.profile) as again:
        for address in (field.address, interview_page):
            again.goto(address)
            again.locator(f"{LANGUAGE_CARD}:visible, #begin:visible").first.wait_for()
            assert_nothing_left(again)
        assert not readable(again, "Martin, guichet")


WEEKS: Final = 3
WEEK_MS: Final = 7 * 86_400_000


@pytest.mark.fault(56)
def test_weeks_without_a_network_lose_nothing_and_are_told_on_the_tablet_and_to_the_staff(
    field: Field,
) -> None:
    page, now = field.page, datetime.now(UTC)
    field.disconnect()
    for week in range(WEEKS):
        field.one_person(f"semaine {week}")
        page.context.add_init_script(f"({SHIFT_THE_CLOCK})({(week + 1) * WEEK_MS})")
        page.goto(field.address)
        page.locator(LANGUAGE_CARD).wait_for()
    expect(page.locator("#agent-offline")).to_have_text("sans réseau depuis 21 jours", timeout=PATIENCE)
    expect(page.locator("#agent-waiting")).to_have_text("3 en attente")
    with time_machine.travel(now + timedelta(weeks=WEEKS)):
        assert "Sans nouvelles depuis 21 jours" in field.look("T-07")
    page.locator("#agent-open").click()
    with page.expect_download() as download:
        page.locator("#agent-export").click()
    copied_out = download.value.path().read_bytes()
    assert b"semaine" not in copied_out
    assert {json.loads(one)["suite"] for one in json.loads(copied_out)["records"]} == {
        "hpke-p256-sha256-aes256gcm"
    }
    told = upload(field.staff.client("technician"), "/gestion/fichier-de-secours", "file", copied_out)
    assert "Reçu par ce fichier\u00a0: 3" in told.text
    field.assert_all_arrived()
    field.connect()
    field.start_page()
    field.deliver()
    field.assert_all_arrived()
    expect(page.locator("#agent-offline")).to_be_hidden()
    assert [one.answers["comment"] for one in field.responses()] == ["semaine 0", "semaine 1", "semaine 2"]
