"""A few smoke paths of the tablet in WebKitGTK, the engine nearest to an iPad's (it is not one)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.tablet_browser import READ_OUTBOX, Network
from tests.browsers import free_port
from tests.survey_app.tablet_site import tablet_site

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("webkit"),
    pytest.mark.timeout(180),
    # Selenium's own start of WebKitGTK still uses what its newest version calls deprecated.
    pytest.mark.filterwarnings("ignore:setting remote_server_addr:DeprecationWarning"),
]


def shown(driver: Any, selector: str) -> Any:
    """The element, as soon as it can be seen."""

    def look(_driver: Any) -> Any:
        found = driver.find_elements(By.CSS_SELECTOR, selector)
        return found[0] if found and found[0].is_displayed() else None

    return WebDriverWait(driver, 20).until(look)


def outbox(driver: Any) -> list[dict[str, Any]]:
    """The records that have no receipt."""
    script = f"const done = arguments[0]; ({READ_OUTBOX})().then(done);"
    found: list[dict[str, Any]] = driver.execute_async_script(script)
    return [record for record in found if record["state"] != "receipted"]


def answer(driver: Any) -> None:
    shown(driver, "a.language-card[data-language=fr]").click()
    shown(driver, "#begin").click()
    shown(driver, "label.option").click()
    for _screen in range(3):
        shown(driver, "#next").click()
    assert shown(driver, "#thanks-title").text == "Merci, votre avis est enregistré"


def test_the_tablet_works_in_webkit_with_the_server_stopped(driver: Any, tmp_path: Path) -> None:
    with tablet_site(tmp_path) as site:
        port = free_port()
        with Network(site).up(port) as address:
            driver.get(address)
            shown(driver, "#enrolment-code").send_keys(site.code())
            driver.find_element(By.CSS_SELECTOR, "#enrolment-form button").click()
            shown(driver, "a.language-card")
            is_controlled = "return !!navigator.serviceWorker.controller"
            WebDriverWait(driver, 20).until(lambda _driver: driver.execute_script(is_controlled))
        driver.refresh()
        answer(driver)
        assert [record["seq"] for record in outbox(driver)] == [1]
        with Network(site).up(port):
            driver.execute_script("window.dispatchEvent(new Event('online'))")
            WebDriverWait(driver, 20).until(lambda _driver: outbox(driver) == [])
        assert site.answers() == [{"courtesy": ["very_satisfied"]}]
