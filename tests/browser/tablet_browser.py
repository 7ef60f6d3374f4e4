"""A tablet in a real browser: how it is enrolled, answered, and looked into."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playwright.sync_api import BrowserContext, Error, Page, Playwright, expect

from tests.browsers import launch_arguments, served
from tests.survey_app.tablet_site import TabletSite

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PORTRAIT: Any = {"width": 800, "height": 1280}
LANDSCAPE: Any = {"width": 1280, "height": 800}
PATIENCE = 20_000

READ_OUTBOX = """() => new Promise((resolve, reject) => {
  const opening = indexedDB.open('tablet');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const all = opening.result.transaction('records').objectStore('records').getAll();
    all.onsuccess = () => { opening.result.close(); resolve(all.result); };
  };
})"""

TRY_NOW = """() => {
  const button = document.getElementById('agent-send');
  if (button) button.click();
  else window.dispatchEvent(new Event('online'));
}"""
"""The agent has everything sent, pauses or not; on a page without that button the network comes back."""

READ_FACT = """(key) => new Promise((resolve, reject) => {
  const opening = indexedDB.open('tablet');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const found = opening.result.transaction('facts').objectStore('facts').get(key);
    found.onsuccess = () => { opening.result.close(); resolve(found.result ?? null); };
  };
})"""

WORKER_READY = """async () => {
  const registration = await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller)
    await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done));
  return registration.active.state;
}"""


@dataclass
class Network:
    """Stands before the application and can answer in its place, as a portal or a broken proxy does."""

    site: TabletSite
    instead: Callable[[str, str], tuple[str, str, bytes] | None] = field(default=lambda _method, _path: None)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        reply = self.instead(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if reply is None:
            return self.site.app(environ, start_response)
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        status, media_type, body = reply
        start_response(status, [("Content-Type", media_type), ("Content-Length", str(len(body)))])
        return [body]

    @contextmanager
    def up(self, port: int) -> Iterator[str]:
        """The server runs inside the block; gives the address of the tablet's start page."""
        with served(self, port) as url:
            yield f"{url}/tablette/"


@contextmanager
def tablet_browser(playwright: Playwright, profile: Path, name: str = "chromium") -> Iterator[Page]:
    """A browser with its profile on disk: leaving the block switches it off."""
    context = open_profile(playwright, profile, name)
    try:
        yield context.pages[0]
    finally:
        context.close()


def open_profile(
    playwright: Playwright, profile: Path, name: str = "chromium", *arguments: str
) -> BrowserContext:
    """The browser on this profile, as large as a tablet, with these arguments besides the usual."""
    options: dict[str, Any] = {"viewport": PORTRAIT, **launch_arguments(name)}
    options["args"] = [*options.get("args", []), *arguments]
    if name == "chromium":
        options["has_touch"] = True
    context = getattr(playwright, name).launch_persistent_context(str(profile), **options)
    context.set_default_timeout(PATIENCE)
    return context  # type: ignore[no-any-return]


def enrol(page: Page, address: str, site: TabletSite, pin: str | None = None) -> None:
    """Open the start page, type the code, and wait until the tablet can do without a network."""
    page.goto(address)
    page.fill("#enrolment-code", site.code(pin))
    page.get_by_role("button", name="Inscrire").click()
    page.locator("a.language-card[data-language=fr]").wait_for()
    assert page.evaluate(WORKER_READY) in ("activating", "activated")


def stop_the_clock(page: Page) -> None:
    """From here on time passes only when a test says so.

    Not before the page has said hello: while Playwright puts its clock in place, it is 1970 for a moment.
    """
    expect(page.locator("#agent-corner[data-state=good]")).to_be_attached(timeout=PATIENCE)
    page.clock.install()


def begin(page: Page, language: str = "fr") -> None:
    """Choose a language and start."""
    page.locator(f"a.language-card[data-language={language}]").click()
    page.locator("#begin").click()


def to_last_screen(page: Page, comment: str = "") -> None:
    """Answer up to the last screen, the free text, and fill that in."""
    page.locator("label.option:visible").first.click()
    page.locator("#next").click()
    page.locator("[name=minutes]").fill("12")
    page.locator("#next").click()
    page.locator("[name=comment]").fill(comment)


def finish(page: Page) -> None:
    """Finish, and wait for « Merci »."""
    page.locator("#next").click()
    expect(page.locator("#thanks-title")).to_be_visible(timeout=PATIENCE)


def interview(page: Page, comment: str = "", language: str = "fr") -> None:
    """One person, from the choice of the language to « Merci »."""
    begin(page, language)
    to_last_screen(page, comment)
    finish(page)


def next_person(page: Page) -> None:
    """From « Merci » back to the start."""
    page.locator("[data-screen-name=thanks] [data-action=restart]").click()
    page.locator("a.language-card[data-language=fr]").wait_for()


def stored(page: Page) -> list[dict[str, Any]]:
    """Every record on the tablet, drafts and copies after the receipt as well.

    Read once more where the start page has just gone on to a newer application, as it may at any time.
    """
    try:
        found: list[dict[str, Any]] = page.evaluate(READ_OUTBOX)
    except Error as error:
        if "because of a navigation" not in error.message:
            raise
        page.wait_for_load_state()
        found = page.evaluate(READ_OUTBOX)
    return found


def fact(page: Page, key: str) -> Any:
    """What the tablet has noted under this name, or None."""
    return page.evaluate(READ_FACT, key)


def outbox(page: Page) -> list[dict[str, Any]]:
    """The records that have no receipt."""
    return [record for record in stored(page) if record["state"] != "receipted"]


def wait_for_records(page: Page, fits: Callable[[list[dict[str, Any]]], bool]) -> None:
    """Until the records on the tablet are so. (`wait_for_function` takes a promise for a yes.)"""
    until = time.monotonic() + PATIENCE / 1_000
    while not fits(found := stored(page)):
        assert time.monotonic() < until, [(record["state"], record["revision"]) for record in found]
        page.wait_for_timeout(100)


def until(page: Page, expression: str, argument: Any = None) -> None:
    """Wait until this comes out as true. (`wait_for_function` takes a promise for a yes.)"""
    end = time.monotonic() + PATIENCE / 1_000
    while time.monotonic() < end:
        with suppress(Error):  # the page may be on its way to another one
            if page.evaluate(expression, argument):
                return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def open_again(page: Page, address: str) -> None:
    """Open it, whatever the page is doing by itself: one that takes a new version loads itself again."""
    end = time.monotonic() + PATIENCE / 1_000
    while time.monotonic() < end:
        with suppress(Error):
            page.goto(address)
            return
    raise AssertionError(f"never opened: {address}")


def wait_for_draft(page: Page, revision: int = 1) -> None:
    """Until the interview so far is on the disk, in this revision or a later one."""
    wait_for_records(
        page,
        lambda found: any(one["state"] == "draft" and one["revision"] >= revision for one in found),
    )


def wait_for_empty_outbox(page: Page) -> None:
    """Until everything has its receipt."""
    page.evaluate(TRY_NOW)
    wait_for_records(page, lambda found: all(record["state"] == "receipted" for record in found))
    expect(page.locator("#agent-waiting")).to_have_text("0 en attente", timeout=PATIENCE)
