"""A tab in which nothing goes on, while the browser and its other tabs do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Page

from tests.browser.tablet_browser import PATIENCE, until

STAND_STILL: Final = """() => {
  let open = 0;
  const begin = IDBDatabase.prototype.transaction;
  IDBDatabase.prototype.transaction = function (...given) {
    const transaction = begin.apply(this, given);
    open += 1;
    for (const end of ['complete', 'abort']) transaction.addEventListener(end, () => { open -= 1; });
    return transaction;
  };
  const earlierOnesAreOver = performance.now() + 500;
  setInterval(() => {
    localStorage.alive = performance.now();
    if (open === 0 && performance.now() > earlierOnesAreOver) debugger;
  }, 20);
}"""
"""Between two transactions: a browser freezes no page in the middle of one that others wait for."""
ALIVE: Final = "localStorage.alive"
LOCKS: Final = "navigator.locks.query().then(({ held }) => held.map(({ name }) => name))"


@contextmanager
def frozen(page: Page, other: Page) -> Iterator[None]:
    """Nothing of the page goes on, and its locks stay its own: the debugger holds it, as `other` sees.

    (`Page.setWebLifecycleState` freezes no visible page, and here every page is visible. A renderer that is
    stopped takes the service worker with it, and so the requests of every tab.)
    """
    controls, stands_still = page.context.new_cdp_session(page), threading.Event()
    controls.on("Debugger.paused", lambda _where: stands_still.set())
    controls.send("Debugger.enable")
    page.evaluate(STAND_STILL)
    patience = time.monotonic() + PATIENCE / 1_000
    while not stands_still.is_set():
        assert time.monotonic() < patience, "the tab does not stand still"
        other.wait_for_timeout(50)
    last = other.evaluate(ALIVE)
    yield
    assert other.evaluate(ALIVE) == last, "the frozen tab went on"
    assert "outbox sender" in other.evaluate(LOCKS), "the frozen tab let go of its lock"
    controls.send("Debugger.disable")
    until(other, f"(last) => {ALIVE} !== last", last)
