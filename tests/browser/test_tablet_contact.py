"""What the staff see of a tablet is true a moment later, and what the server says is followed at once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, Playwright, expect

from survey_app.database import db
from survey_app.device_models import Device
from tests.browser.tablet_browser import (
    PATIENCE,
    TRY_NOW,
    Network,
    enrol,
    interview,
    next_person,
    tablet_browser,
)
from tests.browsers import free_port
from tests.survey_app.tablet_site import TabletSite, tablet_site

pytestmark = pytest.mark.browser

BUSY = ("503 Service Unavailable", "text/plain", b"")
NETWORK_IS_BACK = "window.dispatchEvent(new Event('online'))"


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    with tablet_site(tmp_path / "server") as site:
        yield Network(site)


@pytest.fixture
def tablet(network: Network, playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    with ExitStack() as stack:
        address = stack.enter_context(network.up(free_port()))
        page = stack.enter_context(tablet_browser(playwright, tmp_path / "profile"))
        enrol(page, address, network.site)
        yield page


def until_the_staff_see(tablet: Page, site: TabletSite, fits: Callable[[Device], bool]) -> None:
    """Long before the heartbeat of every five minutes."""
    end = time.monotonic() + PATIENCE / 1_000
    while True:
        with site.app.app_context():
            (device,) = db.session.scalars(sa.select(Device))
            if fits(device):
                return
            assert time.monotonic() < end, (device.waiting, device.readiness, device.readiness_reason)
        tablet.wait_for_timeout(100)


def test_the_staff_see_at_once_that_the_application_is_installed(tablet: Page, network: Network) -> None:
    until_the_staff_see(tablet, network.site, lambda device: device.readiness_reason == "persistence")


def test_the_staff_see_at_once_that_the_queue_is_empty(tablet: Page, network: Network) -> None:
    network.instead = lambda method, _path: BUSY if method == "PUT" else None
    interview(tablet)
    next_person(tablet)
    until_the_staff_see(tablet, network.site, lambda device: device.waiting == 1)
    expect(tablet.locator("#agent-corner")).to_have_attribute("data-readiness", re.compile("."))
    network.instead = lambda _method, _path: None
    tablet.evaluate(NETWORK_IS_BACK)
    until_the_staff_see(tablet, network.site, lambda device: device.waiting == 0)
    assert len(network.site.records()) == 1


def test_an_idle_tablet_stops_asking_as_soon_as_it_hears_that_the_wave_is_closed(
    tablet: Page, network: Network
) -> None:
    network.site.close_wave()
    tablet.evaluate(TRY_NOW)
    expect(tablet.locator("#closed-title")).to_be_visible(timeout=PATIENCE)


def test_the_agent_sends_now_with_nothing_to_send_and_learns_whether_the_network_works(
    tablet: Page, network: Network
) -> None:
    tablet.locator("#agent-open").click()
    network.instead = lambda _method, _path: BUSY
    tablet.locator("#agent-send").click()
    expect(tablet.locator("[data-sent=busy]")).to_be_visible(timeout=PATIENCE)
    network.instead = lambda _method, _path: None
    tablet.locator("#agent-send").click()
    expect(tablet.locator("[data-sent=reached]")).to_have_text("Le serveur a répondu. 0 en attente.")
    expect(tablet.locator("[data-sent]:visible")).to_have_count(1)


def test_a_link_with_a_code_works_in_a_tab_that_is_open_and_leaves_nothing_in_the_address(
    tablet: Page, network: Network
) -> None:
    code = network.site.code()
    tablet.evaluate("(code) => { location.hash = code; }", code)
    expect(tablet.locator("#enrolment-code")).to_have_value(code)
    expect(tablet.locator("#enrolment-title")).to_be_visible()
    assert tablet.evaluate("location.hash") == ""


def test_a_tablet_says_its_name_and_a_new_enrolment_can_be_left(tablet: Page) -> None:
    expect(tablet.locator("#agent-site")).to_have_text("T-07 · Accueil général")
    tablet.locator("#agent-open").click()
    tablet.locator("#agent-enrol").click()
    tablet.locator("#enrolment-cancel").click()
    expect(tablet.locator("a.language-card[data-language=fr]")).to_be_visible()


def test_the_file_of_what_waits_says_which_tablet_and_which_day(tablet: Page, network: Network) -> None:
    network.instead = lambda method, _path: BUSY if method == "PUT" else None
    interview(tablet)
    next_person(tablet)
    tablet.locator("#agent-open").click()
    with tablet.expect_download() as download:
        tablet.locator("#agent-export").click()
    assert re.fullmatch(r"avis-en-attente-T-07-\d{4}-\d\d-\d\d\.json", download.value.suggested_filename)
