"""`survey-app serve` that dies with its whole process group when a record comes: before or after its commit.

    python -m tests.faults.failing_server POINT PORT

Where it may die is here and nowhere in the program.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from flask import Flask

from survey_app import cli, serving
from survey_app.responses import inbox


def die() -> NoReturn:
    """As when somebody pulls the plug."""
    os.killpg(os.getpgrp(), signal.SIGKILL)
    raise AssertionError("killed")


def before_commit() -> None:
    """The row is written in a transaction that never ends."""
    write = inbox._commits._write

    def store_and_die(*given: Any) -> NoReturn:
        write(*given)
        die()

    inbox._commits._write = store_and_die


def after_commit() -> None:
    """The row is on the disk, and no byte of the answer has left."""
    accept = inbox.accept

    def accept_and_die(*given: Any, **named: Any) -> NoReturn:
        accept(*given, **named)
        die()

    inbox.accept = accept_and_die


def mid_response() -> None:
    """Half of the receipt has left."""
    load = serving.SurveyServer.load

    def load_dying(server: serving.SurveyServer) -> Flask:
        app = load(server)
        answer = app.wsgi_app

        def half(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            whole = b"".join(answer(environ, start_response))
            if environ["REQUEST_METHOD"] != "PUT":
                return [whole]
            return _half_then_die(whole)

        app.wsgi_app = half  # type: ignore[method-assign]
        return app

    serving.SurveyServer.load = load_dying  # type: ignore[method-assign, assignment]


def _half_then_die(whole: bytes) -> Iterable[bytes]:
    yield whole[: len(whole) // 2]
    die()


POINTS: dict[str, Callable[[], None]] = {
    point.__name__: point for point in (before_commit, after_commit, mid_response)
}


if __name__ == "__main__":
    if sys.argv[1] != "none":
        POINTS[sys.argv[1]]()
    cli.main(["serve", "--port", sys.argv[2]])
