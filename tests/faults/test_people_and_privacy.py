"""Faults 51 to 56: stolen tablets, people who walk away, the next person, curious hands, weeks without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
import time_machine
from playwright.sync_api import Page, expect

from survey_app.database import db
from survey_app.models import Device
from tests.browser.tablet_browser import (
    PATIENCE,
    begin,
    next_person,
    open_profile,
    outbox,
    stop_the_clock,
    stored,
    to_last_screen,
    wait_for_draft,
)
from tests.browser.test_stolen_profile import DUMP, copied, files_that_hold, forms_of
from tests.faults.field import LANGUAGE_CARD, SHIFT_THE_CLOCK, STAFF_PAGE, Field, plain
from tests.survey_app.staff_site import upload
from tests.survey_app.tablet_site import QUESTIONNAIRE

pytestmark = [pytest.mark.browser]

EARLIER: Final = "Réponse rangée : l’écureuil"
CURRENT: Final = "Réponse en cours : le hérisson"
LONGEST_PATIENCE_S: Final = 240
"""More than any time after which the tablet takes somebody for gone."""


def readable(page: Page, text: str) -> bool:
    """Whether somebody who holds the tablet and knows browsers finds this text: on the page or in its stores."""
    shown = page.evaluate(
        """() => [document.documentElement.outerHTML, location.href,
          ...[...document.querySelectorAll('input, textarea')].map((field) => field.value)].join('\\n')"""
    )
    dump = page.evaluate(DUMP)
    return any(form.decode("latin-1") in shown + dump or text in shown for form in forms_of(text))


def walk_away(page: Page) -> None:
    """Nobody touches the tablet any more: after a warning it is at the start again."""
    for _second in range(LONGEST_PATIENCE_S):
        page.clock.run_for(1_000)
        if page.locator(LANGUAGE_CARD).count():
            break
    page.locator(LANGUAGE_CARD).wait_for()


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
    expect(page.locator("#revoked-title")).to_be_visible(timeout=PATIENCE)
    assert stored(page) == []
    assert [response.flags for response in field.responses()] == [["revoked_device"]] * 2
    field.assert_all_arrived(beside=1)


def stop_the_clock_offline(page: Page) -> None:
    """From here on time passes only when a test says so."""
    expect(page.locator("[data-notice=unreachable]")).to_be_visible(timeout=PATIENCE)
    page.clock.install()
