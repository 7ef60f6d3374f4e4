"""The website on a real socket, and the browsers that the tests drive besides Chromium."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright
from selenium import webdriver
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import HTTPError

from survey_app.collection_modes import website
from survey_app.responses.bursts import BurstCounter
from tests.browser.enrolled_tablet import (
    agents_pin,
    enrolled_tablet,
    network,
    page_scripts,
    server,
    server_settings,
    tablet,
)
from tests.browsers import free_port, launch_arguments, served, virtual_display
from tests.survey_app.website_site import SMALL, WebsiteSite

__all__ = [
    "agents_pin",
    "enrolled_tablet",
    "network",
    "page_scripts",
    "server",
    "server_settings",
    "tablet",
]

WEBKIT_PATIENCE = 45
MINI_BROWSER = "/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WebsiteSite:
    """The website with a small questionnaire and the shipped ones; what other tests sent is no burst here."""
    monkeypatch.setattr(website, "_bursts", BurstCounter())
    site = WebsiteSite(tmp_path, trusted_hosts=("127.0.0.1",))
    site.publish(SMALL)
    site.publish_shipped()
    return site


@pytest.fixture
def address(site: WebsiteSite, pages_closed_first: ExitStack) -> Iterator[str]:
    """Where it is served."""
    site.app.extensions["survey_rate_limits"].enabled = False
    with served(site.app) as url, pages_closed_first:
        yield url


@pytest.fixture
def pages_closed_first(request: pytest.FixtureRequest) -> ExitStack:
    """Closes the pages of a test, to be left before its server is.

    A page that is still loading something when its server goes complains, and in the test after this one.
    """
    closing = ExitStack()
    for name in {"browser", "either_browser"}.intersection(request.fixturenames):
        closing.callback(_close_contexts, request.getfixturevalue(name))
    return closing


def _close_contexts(browser: Browser) -> None:
    for context in browser.contexts:
        context.close()


@pytest.fixture(scope="session", params=["chromium", "firefox"])
def either_browser(request: pytest.FixtureRequest, playwright: Playwright) -> Iterator[Browser]:
    """Chromium, then Firefox."""
    started = getattr(playwright, request.param).launch(**launch_arguments(request.param))
    yield started
    started.close()


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """WebKitGTK, the engine nearest to Safari's (it is not Safari)."""
    with virtual_display() as display:
        monkeypatch.setenv("DISPLAY", display)
        driver = start_webkit()
        driver.set_script_timeout(20)
        driver.set_window_size(1280, 900)
        yield driver
        driver.quit()


def start_webkit() -> Any:
    """A session of WebKit's driver. On a busy machine its start can hang: it is then started anew, once."""
    options = Options()
    options.binary_location = MINI_BROWSER
    options.add_argument("--automation")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(WEBKIT_PATIENCE)
    try:
        for attempt in (1, 2):
            service = Service("/usr/bin/WebKitWebDriver", port=free_port(), env=dict(os.environ))
            try:
                return webdriver.WebKitGTK(options=options, service=service)
            except (HTTPError, OSError):
                service.stop()
                if attempt == 2:
                    raise
    finally:
        socket.setdefaulttimeout(before)
