"""One visit of a page in Chromium, as slow as a cheap tablet on a weak line, and what was measured in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession, Page

from bench.client_servers import Sites

PROBE = (Path(__file__).parent / "client_probe.js").read_text(encoding="utf-8")
TABLET: Any = {"viewport": {"width": 800, "height": 1280}, "has_touch": True, "is_mobile": True}
SLOWER_CPU = 4
LINE = {"offline": False, "latency": 150, "downloadThroughput": 200_000, "uploadThroughput": 93_750}
"""1.6 Mbit/s down, 750 kbit/s up, 150 ms."""
SETTLING, BETWEEN_TAPS = 1_500, 450
SHORTEST = 16.0
"""Milliseconds: Event Timing reports nothing below."""
TAPPED = (0, 1, 4, 5, 6, 8, 9, 10, 12, 14)
CONDITION, UNFAVOURABLE = 7, 2
"""The question and the option of it that bring the follow-up."""
FLOOR_CACHE = """async () => {
  await navigator.serviceWorker.register('sw.js');
  await navigator.serviceWorker.ready;
  const seen = performance.getEntriesByType('resource').map((entry) => entry.name);
  const cache = await caches.open('floor');
  await cache.addAll([...new Set([location.href, ...seen])].filter((url) => !url.endsWith('sw.js')));
}"""
WORKER_READY = """async () => {
  await navigator.serviceWorker.ready;
  if (!navigator.serviceWorker.controller)
    await new Promise((done) => navigator.serviceWorker.addEventListener('controllerchange', done));
}"""


@dataclass
class Visit:
    """What one visit cost; milliseconds and bytes."""

    page: Page
    session: CDPSession
    total_bytes: float = 0
    script_bytes: float = 0
    requests: int = 0
    answerable: float = 0
    main_thread: float = 0
    longest_task: float = 0
    blocked: float = 0
    shift: float = 0
    taps: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    """Taps that bring the next screen of the tablet."""
    special_tap: float = 0
    """The one that brings the follow-up; on the tablet, the one that starts the strict write."""

    def read(self) -> None:
        """Ask page and browser what they saw up to now."""
        seen = self.page.evaluate("({...benchProbe, taps: null, ready: null, resolve: null})")
        self.answerable, self.shift = seen["answerable"], seen["shift"]
        self.longest_task, self.blocked = seen["longest"], seen["blocked"]
        known = {m["name"]: m["value"] for m in self.session.send("Performance.getMetrics")["metrics"]}
        self.main_thread = known["TaskDuration"] * 1e3

    def tap(self, point: list[float]) -> float:
        """Touch there; how long until the next frame showed it."""
        self.page.wait_for_timeout(BETWEEN_TAPS / 2)
        self.page.evaluate("benchProbe.taps.clear()")
        self.page.touchscreen.tap(*point)
        self.page.wait_for_timeout(BETWEEN_TAPS)
        durations: list[float] = self.page.evaluate("[...benchProbe.taps.values()]")
        return max([SHORTEST, *durations])


@contextmanager
def browsing(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody who was never here before."""
    context = browser.new_context(**TABLET, locale="fr-FR")
    try:
        yield context
    finally:
        context.close()


@contextmanager
def visiting(context: BrowserContext, address: str, *, online: bool = True) -> Iterator[Visit]:
    """Open the page and let it settle; the block may go on with it."""
    page = context.new_page()
    visit = Visit(page, context.new_cdp_session(page))
    _watch(visit, online=online)
    page.add_init_script(PROBE)
    page.goto(address, wait_until="load")
    page.evaluate("benchProbe.ready")
    page.wait_for_timeout(SETTLING)
    visit.read()
    yield visit
    page.close()


def _watch(visit: Visit, *, online: bool) -> None:
    """Slow the page down and count what it loads."""
    kinds: dict[str, str] = {}

    def received(event: Any) -> None:
        if not event["response"]["url"].endswith("/favicon.ico"):
            kinds[event["requestId"]] = event["type"]

    def finished(event: Any) -> None:
        kind = kinds.get(event["requestId"])
        if kind is None:
            return
        visit.requests += 1
        visit.total_bytes += event["encodedDataLength"]
        visit.script_bytes += event["encodedDataLength"] if kind == "Script" else 0

    visit.session.on("Network.responseReceived", received)
    visit.session.on("Network.loadingFinished", finished)
    visit.session.send("Network.enable")
    # The thread's own time: what other programs take of a busy machine is not counted.
    visit.session.send("Performance.enable", {"timeDomain": "threadTicks"})
    visit.session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER_CPU})
    if online:
        visit.session.send("Network.emulateNetworkConditions", LINE)


def first_visit(context: BrowserContext, address: str) -> Visit:
    """The page for the first time, with ten taps on choices and one that brings the follow-up."""
    with visiting(context, address) as visit:
        for number in TAPPED:
            _tap_option(visit, number, number % 2)
        before = _questions(visit.page)
        _tap_option(visit, CONDITION, UNFAVOURABLE)
        visit.special_tap = visit.taps[-1]
        if _questions(visit.page) != before + 1:
            raise RuntimeError(f"the follow-up did not appear on {address}")
        visit.shift = visit.page.evaluate("benchProbe.shift")
    return visit


def visit_again(context: BrowserContext, address: str, *, online: bool = True) -> Visit:
    """The page once more, with what the browser has kept; nothing is touched."""
    with visiting(context, address, online=online) as visit:
        pass
    return visit


def _tap_option(visit: Visit, question: int, option: int) -> None:
    """Choose it by touch; a screen without a choice is left as it is."""
    target = visit.page.evaluate(f"benchOption({question}, {option})")
    if target is None:
        return
    visit.taps.append(visit.tap(target["point"]))
    if not visit.page.locator(f"[name={target['name']}]:checked").count():
        raise RuntimeError(f"the tap on {target['name']} chose nothing")


def _questions(page: Page) -> int:
    return int(page.evaluate("benchOption(0, 0).questions"))


def keep_floor_offline(context: BrowserContext, address: str) -> None:
    """Install the floor's worker and switch the network off."""
    page = context.new_page()
    page.goto(address)
    page.evaluate(FLOOR_CACHE)
    page.close()
    context.set_offline(True)


def enrol(context: BrowserContext, sites: Sites) -> None:
    """Make this browser a tablet that can do without a network."""
    page = context.new_page()
    page.goto(sites.tablet)
    page.fill("#enrolment-code", sites.enrolment_code())
    page.click("#enrolment-form button")
    page.locator("a.language-card").first.wait_for()
    page.evaluate(WORKER_READY)
    page.close()


def answer_on_tablet(context: BrowserContext, address: str) -> Visit:
    """One whole interview by touch: every tap counted, the last one, which starts the strict write, apart."""
    with visiting(context, address) as visit:
        page = visit.page
        while page.locator("body").get_attribute("data-screen") == "questions":
            _tap_option(visit, 0, UNFAVOURABLE)
            visit.special_tap = visit.tap(page.evaluate("benchCentre(document.querySelector('#next'))"))
            visit.turns.append(visit.special_tap)
        page.locator("[data-screen-name=thanks]").wait_for()
        visit.turns.pop()
        visit.shift = page.evaluate("benchProbe.shift")
    return visit
