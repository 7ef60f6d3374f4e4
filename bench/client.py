"""The form in Chromium against the bare page of the same 20 questions: weight, opening, taps, offline."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from playwright.sync_api import Browser, sync_playwright

from bench.client_servers import Sites, sites
from bench.client_visits import (
    Visit,
    answer_on_tablet,
    browsing,
    enrol,
    first_visit,
    keep_floor_offline,
    visit_again,
)
from bench.measure import Line, Section, slower_than
from tests.browsers import launch_arguments

ROUNDS = 7
KILOBYTE = 1000
VISIBLE_TASK = 50.0
"""Milliseconds: shorter tasks are not reported, and count as this long on both sides."""
NOTE = (
    "Floor: the bare page of the same 20 questions (`bench/floor/`), which writes every change to IndexedDB. "
    "The application itself does not compress; both stand behind the same proxy, which does (gzip, level 6), "
    "as `docs/installer.md` makes nginx do. Chromium, 800 × 1280 with touch, CPU 4 times slower, 1.6 Mbit/s, "
    f"150 ms; {ROUNDS} rounds, alternating. Bytes are those on the line, headers included. A tap lasts until "
    "the frame that shows it (Event Timing, steps of 8 ms). On the tablet the driver presses the welcome "
    "screen away in the frame that draws it; its last tap starts the strict write of the whole record."
)


@dataclass(frozen=True)
class Round:
    """One visit of each kind, floor and ours in turn."""

    floor: Visit
    ours: Visit
    floor_again: Visit
    ours_again: Visit
    floor_offline: Visit
    interview_offline: Visit
    start_offline: Visit
    tablet: Visit


def measure() -> Section:
    """All rounds in one browser, each visitor in a fresh profile."""
    with sites() as running, sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_arguments("chromium"))
        rounds = list(_rounds(browser, running))
        browser.close()
    return Section(f"Client, Chromium {browser.version}", NOTE, list(_lines(rounds)))


def _rounds(browser: Browser, running: Sites) -> Iterator[Round]:
    for number in range(ROUNDS):
        sys.stderr.write(f"  round {number + 1} of {ROUNDS}\n")
        yield _round(browser, running)


def _round(browser: Browser, running: Sites) -> Round:
    with browsing(browser) as visitor:
        floor = first_visit(visitor, running.floor)
        floor_again = visit_again(visitor, running.floor)
    with browsing(browser) as visitor:
        ours = first_visit(visitor, running.form)
        ours_again = visit_again(visitor, running.form)
    with browsing(browser) as visitor:
        keep_floor_offline(visitor, running.floor)
        floor_offline = visit_again(visitor, running.floor, online=False)
    with browsing(browser) as tablet:
        enrol(tablet, running)
        tablet.set_offline(True)
        interview = visit_again(tablet, running.interview, online=False)
        start = visit_again(tablet, running.tablet, online=False)
        tablet.set_offline(False)
        answered = answer_on_tablet(tablet, running.interview)
    return Round(floor, ours, floor_again, ours_again, floor_offline, interview, start, answered)


Reading = Callable[[Round], float]


def _lines(rounds: Sequence[Round]) -> Iterator[Line]:
    yield from _weight(rounds)
    yield from _opening(rounds)
    yield from _taps(rounds)
    yield from _shifts(rounds)


def _weight(rounds: Sequence[Round]) -> Iterator[Line]:
    def kilobytes(name: str, ours: Reading, floor: Reading, limit: float) -> Line:
        return _limited(name, _each(rounds, ours), _each(rounds, floor), limit, "kB")

    yield kilobytes(
        "first visit: all bytes",
        lambda r: r.ours.total_bytes / KILOBYTE,
        lambda r: r.floor.total_bytes / KILOBYTE,
        41,
    )
    yield kilobytes(
        "first visit: JavaScript",
        lambda r: r.ours.script_bytes / KILOBYTE,
        lambda r: r.floor.script_bytes / KILOBYTE,
        15,
    )
    requests = _each(rounds, lambda r: r.ours.requests), _each(rounds, lambda r: r.floor.requests)
    yield _limited("first visit: requests", *requests, 6, "")


def _opening(rounds: Sequence[Round]) -> Iterator[Line]:
    pairs: tuple[tuple[str, Reading, Reading], ...] = (
        ("first visit: first answerable", lambda r: r.ours.answerable, lambda r: r.floor.answerable),
        ("first visit: main thread busy", lambda r: r.ours.main_thread, lambda r: r.floor.main_thread),
        ("first visit: longest task", lambda r: _task(r.ours), lambda r: _task(r.floor)),
        (
            "tablet offline: questionnaire answerable",
            lambda r: r.interview_offline.answerable,
            lambda r: r.floor_offline.answerable,
        ),
        (
            "tablet offline: start page usable",
            lambda r: r.start_offline.answerable,
            lambda r: r.floor_offline.answerable,
        ),
    )
    for name, ours, floor in pairs:
        yield slower_than(name, _seconds(rounds, ours), _seconds(rounds, floor), at_most=1.5)
    again = slower_than(
        "second visit: answerable",
        _seconds(rounds, lambda r: r.ours_again.answerable),
        _seconds(rounds, lambda r: r.floor_again.answerable),
        at_most=1.5,
    )
    yield Line(again.name, again.ours, again.floor, again.ratios, "–", None)


def _taps(rounds: Sequence[Round]) -> Iterator[Line]:
    def worst(visit: Visit) -> float:
        return max(*visit.taps, *visit.turns, visit.special_tap)

    floor, floor_worst = (
        _each(rounds, lambda r: statistics.median(r.floor.taps)),
        _each(rounds, lambda r: worst(r.floor)),
    )
    for name, visits in (("website", [r.ours for r in rounds]), ("tablet", [r.tablet for r in rounds])):
        ours = _thousandths([statistics.median(visit.taps) for visit in visits])
        yield slower_than(f"{name}: median tap on a choice", ours, _thousandths(floor), at_most=1.25)
        slowest = [worst(visit) for visit in visits]
        yield _limited(f"{name}: worst tap of a visit", slowest, floor_worst, 50, "ms")
    special = _each(rounds, lambda r: r.floor.special_tap)
    for name, ours in (
        ("website: tap that brings the follow-up", _each(rounds, lambda r: r.ours.special_tap)),
        (
            "tablet: median tap that brings the next screen",
            [statistics.median(r.tablet.turns) for r in rounds],
        ),
        ("tablet: last tap, with its strict write", _each(rounds, lambda r: r.tablet.special_tap)),
    ):
        yield _limited(name, ours, special, 50, "ms")


def _shifts(rounds: Sequence[Round]) -> Iterator[Line]:
    """No ratio here: the goal is that nothing moves at all."""
    floor = max(r.floor.shift for r in rounds)
    for name, worst in (
        ("website: layout shift, worst round", max(r.ours.shift for r in rounds)),
        ("tablet: layout shift, worst round", max(r.tablet.shift for r in rounds)),
    ):
        yield Line(name, f"{worst:.4f}", f"{floor:.4f}", (), "0", worst == 0)


def _task(visit: Visit) -> float:
    return max(VISIBLE_TASK, visit.longest_task)


def _each(rounds: Sequence[Round], reading: Reading) -> list[float]:
    return [reading(one) for one in rounds]


def _seconds(rounds: Sequence[Round], reading: Reading) -> list[float]:
    return _thousandths(_each(rounds, reading))


def _thousandths(values: Sequence[float]) -> list[float]:
    return [value / 1000 for value in values]


def _limited(name: str, ours: Sequence[float], floor: Sequence[float], limit: float, unit: str) -> Line:
    """A line whose goal is an amount; the ratio to the floor is told beside it."""
    ratios = tuple(own / bare for own, bare in zip(ours, floor, strict=True))
    middle, bare = statistics.median(ours), statistics.median(floor)
    goal = f"≤ {limit:g} {unit}".rstrip()
    return Line(name, f"{middle:.3g} {unit}", f"{bare:.3g} {unit}", ratios, goal, middle <= limit)
