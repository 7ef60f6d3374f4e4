"""Faults 36 to 38: the tablet's clock and its time zone are wrong, or change under somebody's hands."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from playwright.sync_api import expect

from survey_app.clock import today_in_paris
from survey_app.responses.envelope import read_envelope
from tests.browser.tablet_browser import begin, next_person, stored, to_last_screen
from tests.faults.field import LANGUAGE_CARD, SHIFT_THE_CLOCK, Field

pytestmark = [pytest.mark.browser]

DAY_MS: Final = 86_400_000
YEAR_MS: Final = 365 * DAY_MS


def set_clock(field: Field, milliseconds: float) -> None:
    """From now on the tablet's clock is wrong by so much, on this page and the next ones."""
    field.page.evaluate(SHIFT_THE_CLOCK, milliseconds)
    field.page.context.add_init_script(f"({SHIFT_THE_CLOCK})({milliseconds})")


def durations(field: Field) -> list[timedelta]:
    """How long each person took, as the records say."""
    bodies = field.site.bodies()
    return [body.finished_at - body.started_at for body in bodies if body.finished_at and body.started_at]


@pytest.mark.fault(36)
def test_a_clock_set_back_a_year_in_mid_interview_keeps_order_durations_and_days(field: Field) -> None:
    field.one_person("avant")
    set_back_under_somebody_s_hands(field, "pendant")
    next_person(field.page)
    field.say_hello()
    field.one_person("après")
    field.deliver()
    field.look("horloge retarde de 365 jours")
    field.assert_all_arrived()
    frames = field.envelopes()
    links = [read_envelope(json.dumps(frame).encode()).link for frame in frames]
    assert [frame["id"] for frame in frames] == [line.split()[0] for line in field.saved]
    assert [(frame["seq"], frame["prev"]) for frame in frames] == [(1, None), (2, links[0]), (3, links[1])]
    assert [timedelta() <= spent < timedelta(minutes=2) for spent in durations(field)] == [True] * 3
    responses = field.responses()
    assert [response.answers["comment"] for response in responses] == ["avant", "pendant", "après"]
    assert {response.answered_on for response in responses} <= {today_in_paris()}
    # What was being answered cannot know how far its clock jumped; the one after it does.
    assert [response.flags for response in responses] == [[], ["clock"], []]


def set_back_under_somebody_s_hands(field: Field, comment: str) -> None:
    """One person, in the middle of whose interview the clock goes back a year."""
    begin(field.page)
    field.page.locator("label.option:visible").first.click()
    set_clock(field, -YEAR_MS)
    field.page.locator("#next").click()
    field.page.locator("[name=minutes]").fill("12")
    field.page.locator("#next").click()
    field.page.locator("[name=comment]").fill(comment)
    field.end()


def test_a_duration_measured_with_the_clock_alone_would_be_negative(field: Field) -> None:
    """The control."""
    field.page.context.add_init_script("performance.now = () => Date.now();")
    set_back_under_somebody_s_hands(field, "contrôle")
    field.deliver()
    assert durations(field)[0] < timedelta()


@pytest.mark.fault(37)
def test_a_clock_ten_years_ahead_makes_nothing_expire(field: Field) -> None:
    field.one_person("reçu")
    field.deliver()
    field.disconnect()
    field.one_person("en attente")
    set_clock(field, 10 * YEAR_MS)
    field.page.goto(field.address)
    # Without the server's clock it takes the wave for closed, and says that it keeps what waits.
    expect(field.page.locator("#closed-title")).to_be_visible()
    expect(field.page.locator("#agent-waiting")).to_have_text("1 en attente")
    assert [record["state"] for record in stored(field.page)].count("receipted") == 1
    field.connect()
    field.start_page()
    expect(field.page.locator(LANGUAGE_CARD)).to_be_visible(timeout=20_000)
    field.deliver()
    field.one_person("après")
    field.deliver()
    field.assert_all_arrived()
    assert len(stored(field.page)) == 3, "copies stay until a backup holds them, whatever the year"
    assert [response.flags for response in field.responses()] == [[], [], []]
    assert {response.answered_on for response in field.responses()} <= {today_in_paris()}
    field.look("horloge avance de 3650 jours")


END_OF_SUMMER_TIME: Final = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)


@pytest.mark.fault(38)
@pytest.mark.parametrize("change", ["another zone", "the end of summer time"])
def test_a_change_of_zone_or_of_summer_time_in_mid_interview_changes_no_time(
    field: Field, change: str
) -> None:
    zone = field.page.context.new_cdp_session(field.page)
    zone.send("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Paris"})
    before = datetime.now(UTC) - timedelta(seconds=1)
    if change == "the end of summer time":
        shift = END_OF_SUMMER_TIME - timedelta(seconds=2) - datetime.now(UTC)
        set_clock(field, shift / timedelta(milliseconds=1))
        before += shift
    begin(field.page)
    field.page.wait_for_timeout(2_500)
    if change == "another zone":
        zone.send("Emulation.setTimezoneOverride", {"timezoneId": "Pacific/Kiritimati"})
        assert field.page.evaluate("new Date().getTimezoneOffset()") == -14 * 60
    to_last_screen(field.page, "fuseau")
    field.end()
    field.deliver()
    field.assert_all_arrived()
    (body,) = field.site.bodies()
    assert body.started_at is not None
    assert body.finished_at is not None
    assert before < body.started_at < body.finished_at - timedelta(seconds=2)
    assert body.finished_at - body.started_at < timedelta(seconds=30)
    (response,) = field.responses()
    assert response.flags == []
    assert response.answered_on == today_in_paris()
