"""The one way in which a browser becomes a tablet of the prefecture: fixtures, and a class to build on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.browser.tablet_browser import PATIENCE, Network, enrol, open_profile
from tests.browsers import free_port
from tests.survey_app.tablet_site import TabletSite, tablet_site


@dataclass(kw_only=True)
class EnrolledTablet:
    """A browser on a profile of its own, and a server that it reaches or not."""

    playwright: Playwright
    network: Network
    profile: Path
    browser: str = "chromium"
    arguments: tuple[str, ...] = ()
    """What the browser is started with besides the usual."""
    port: int = field(default_factory=free_port)
    _context: BrowserContext | None = None
    _line: ExitStack = field(default_factory=ExitStack)

    @property
    def site(self) -> TabletSite:
        """The application on the server."""
        return self.network.site

    @property
    def address(self) -> str:
        """Of the start page."""
        return f"http://127.0.0.1:{self.port}/tablette/"

    @property
    def origin(self) -> str:
        """Whose storage it is."""
        return self.address.removesuffix("/tablette/")

    @property
    def page(self) -> Page:
        """What is on the screen."""
        assert self._context is not None
        return self._context.pages[0]

    def connect(self) -> None:
        """The server can be reached."""
        self._line.enter_context(self.network.up(self.port))

    def disconnect(self) -> None:
        """No network any more."""
        self._line.close()

    def open(self, *scripts: str) -> None:
        """Start the browser on an empty page, with these scripts in every page."""
        self._context = open_profile(self.playwright, self.profile, self.browser, *self.arguments)
        for script in scripts:
            self._context.add_init_script(script)

    def switch_on(self, *scripts: str) -> Page:
        """Start the browser and open the start page."""
        self.open(*scripts)
        self.page.goto(self.address)
        return self.page

    def switch_off(self) -> None:
        """Close the browser as its user does; one that was killed is closed already."""
        if self._context is not None:
            with suppress(Error):
                self._context.close()
        self._context = None

    def enrol_here(self, pin: str | None = None) -> None:
        """Type a new code."""
        enrol(self.page, self.address, self.site, pin)


Tablet = TypeVar("Tablet", bound=EnrolledTablet)


@contextmanager
def enrolled(tablet: Tablet, *scripts: str, pin: str | None = None) -> Iterator[Tablet]:
    """It is switched on for the first time, and its server has answered it; at the end it is switched off."""
    try:
        tablet.connect()
        tablet.open(*scripts)
        tablet.enrol_here(pin)
        expect(tablet.page.locator("#agent-corner[data-state=good]")).to_be_attached(timeout=PATIENCE)
        yield tablet
    finally:
        tablet.switch_off()
        tablet.disconnect()


@pytest.fixture
def server_settings() -> Mapping[str, Any]:
    """What a module wants otherwise on the server: it has a fixture of this name."""
    return {}


@pytest.fixture
def agents_pin() -> str | None:
    """What the agents type: a module whose agents have one has a fixture of this name."""
    return None


@pytest.fixture
def page_scripts() -> tuple[str, ...]:
    """What runs in every page before its own scripts: a module that wants some has a fixture of this name."""
    return ()


@pytest.fixture
def network(tmp_path: Path, server_settings: Mapping[str, Any]) -> Iterator[Network]:
    """The application with an open wave, and what may stand before it."""
    with tablet_site(tmp_path / "server", **server_settings) as site:
        yield Network(site)


@pytest.fixture
def server(network: Network) -> TabletSite:
    """The application behind it."""
    return network.site


@pytest.fixture
def enrolled_tablet(
    playwright: Playwright,
    network: Network,
    tmp_path: Path,
    agents_pin: str | None,
    page_scripts: tuple[str, ...],
) -> Iterator[EnrolledTablet]:
    """An enrolled tablet that is switched on, with the server running."""
    made = EnrolledTablet(playwright=playwright, network=network, profile=tmp_path / "profile")
    with enrolled(made, *page_scripts, pin=agents_pin):
        yield made


@pytest.fixture
def tablet(enrolled_tablet: EnrolledTablet) -> Page:
    """What is on its screen."""
    return enrolled_tablet.page
