"""A tablet from the code on the staff's page to the first look of the server at it, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, Playwright, expect

from form_definitions import load_translations
from survey_app.database import db
from survey_app.device_models import Device
from survey_app.enrolment import make_code
from survey_app.questionnaires import publish_source
from survey_app.waves import create_wave, open_wave
from tests.browser.tablet_browser import PATIENCE, Network, tablet_browser
from tests.browsers import free_port
from tests.survey_app.tablet_site import QUESTIONNAIRE, SITE, TabletSite, a_plan, tablet_site

pytestmark = pytest.mark.browser

CARDS: Final = """() => [...document.querySelectorAll('a.language-card')]
  .filter((card) => card.checkVisibility())
  .map((card) => [card.dataset.slug, card.lang, card.querySelector('.language-name').textContent])"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[TabletSite]:
    with tablet_site(tmp_path / "server") as made:
        yield made


@pytest.fixture
def tablet(site: TabletSite, playwright: Playwright, tmp_path: Path) -> Iterator[Page]:
    """A browser on the start page that nobody has enrolled yet."""
    with Network(site).up(free_port()) as address, tablet_browser(playwright, tmp_path / "profile") as page:
        page.goto(address)
        yield page


def enrolled(page: Page) -> None:
    """Send the code that is in the field."""
    page.get_by_role("button", name="Inscrire").click()
    expect(page.locator("#agent-corner[data-state=good]")).to_be_attached(timeout=PATIENCE)


def also_ask(site: TabletSite, slug: str, **plan: Any) -> None:
    """Open an edition of another questionnaire."""
    with site.app.app_context():
        source = QUESTIONNAIRE.replace("questionnaire: usagers", f"questionnaire: {slug}")
        version = publish_source(source, load_translations(), actor="test")
        create_wave(replace(a_plan(f"{slug}-2026", version.digest), **plan), actor="test")
        open_wave(f"{slug}-2026", actor="test")


def test_the_code_behind_the_address_of_the_qr_code_fills_the_field_and_leaves_the_address(
    tablet: Page, site: TabletSite
) -> None:
    code, address = site.code(), tablet.url
    tablet.goto("about:blank")
    tablet.goto(f"{address}#{code}")
    expect(tablet.locator("#enrolment-code")).to_have_value(code)
    assert tablet.url == address
    enrolled(tablet)


def test_a_tablet_offers_what_it_was_enrolled_for_each_language_in_its_own_script(
    tablet: Page, site: TabletSite
) -> None:
    also_ask(site, "autres")
    also_ask(site, "ailleurs", sites=("immigration",), headline_sites=("immigration",))
    with site.app.app_context():
        slugs, languages = ["usagers", "ailleurs"], ["fr", "ar"]
        code = make_code(name="T-07", site=SITE, slugs=slugs, languages=languages, created_by="test")
    tablet.reload()
    tablet.fill("#enrolment-code", code)
    enrolled(tablet)
    assert tablet.evaluate(CARDS) == [["usagers", "fr", "Français"], ["usagers", "ar", "العربية"]]


def test_the_server_knows_at_once_how_a_tablet_is(tablet: Page, site: TabletSite) -> None:
    bundle = site.app.test_client().get("/tablette/bundle.json").get_json()
    tablet.fill("#enrolment-code", site.code())
    enrolled(tablet)
    tablet.reload()
    with tablet.expect_response("**/heartbeat"):
        tablet.reload()
    with site.app.app_context():
        (device,) = db.session.query(Device)
        assert device.app_digest == bundle["bundle_digest"]
        assert device.questionnaires == [one["questionnaire_digest"] for one in bundle["questionnaires"]]
        assert (device.waiting, device.quarantined, device.high_seq) == (0, 0, 0)
        assert device.clock_offset_ms is not None
        assert abs(device.clock_offset_ms) < PATIENCE
        assert device.persisted in (True, False)
        assert device.readiness in ("green", "amber")
        assert device.battery_percent is not None
