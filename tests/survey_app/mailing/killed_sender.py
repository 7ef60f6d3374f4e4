"""A sender in a process of its own, killed at a named step of a named message."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask

from survey_app.database import install
from survey_app.mailing import queue, sender
from survey_app.mailing.smtp import Relay
from survey_app.settings import testing
from tests.survey_app.mailing import field

BEFORE_MARK = "before the mark is committed"
MARKED = "after the mark"
ACCEPTED = "after the relay took it"
BEFORE_COMMIT = "before its end is committed"
WRITTEN = "after its end is committed"
STEPS = (BEFORE_MARK, MARKED, ACCEPTED, BEFORE_COMMIT, WRITTEN)


def die() -> None:
    """As a power cut, or an out-of-memory killer, would."""
    os.kill(os.getpid(), signal.SIGKILL)


def at_turn(number: int, action: Callable[[], None]) -> Callable[[], None]:
    """Do it the so-maniest time."""
    calls: list[int] = []

    def counted() -> None:
        calls.append(1)
        if len(calls) == number:
            action()

    return counted


def plant(step: str, number: int) -> None:
    """Put the kill where it belongs."""
    strike = at_turn(number, die)
    before: dict[str, list[tuple[Any, str]]] = {MARKED: [(Relay, "deliver")]}
    after: dict[str, list[tuple[Any, str]]] = {
        BEFORE_MARK: [(queue, "claim")],
        ACCEPTED: [(Relay, "deliver")],
        BEFORE_COMMIT: [(queue, "settle")],
    }
    for owner, name in before.get(step, []):
        setattr(owner, name, _struck(getattr(owner, name), strike, first=True))
    for owner, name in after.get(step, []):
        setattr(owner, name, _struck(getattr(owner, name), strike, first=False))


def _struck(original: Callable[..., Any], strike: Callable[[], None], *, first: bool) -> Callable[..., Any]:
    def planted(*arguments: Any) -> Any:
        if first:
            strike()
        result = original(*arguments)
        if not first and (result is not None or original.__name__ == "settle"):
            strike()
        return result

    return planted


def send_first_and_mark_then() -> None:
    """The naive order, for the control: nothing says that a message is leaving until it has left."""
    claim = queue.claim

    def unmarked(transaction: Any, now: Any) -> Any:
        claimed = claim(transaction, now)
        if claimed is not None:
            transaction.expunge(claimed.message)
        return claimed

    setattr(queue, "claim", unmarked)  # noqa: B010


def main() -> None:
    """Send until killed, or until nothing is due."""
    url, folder, port, step, number, order = sys.argv[1:]
    app = Flask("sender")
    install(app, testing(database_url=url, data_folder=Path(folder)))
    settings = field.equip(app, int(port), Path(folder))
    if order == "naive":
        send_first_and_mark_then()
    plant(step, int(number))
    strike = at_turn(int(number), die)
    with app.app_context():
        working = sender.Sender(settings)
        while working.step() is not None:
            if step == WRITTEN:
                strike()


if __name__ == "__main__":
    main()
