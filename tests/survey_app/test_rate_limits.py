"""The limits are counted by one thread at a time: the memory of the library is not made for several."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from flask import Flask
from limits import parse_many

from survey_app import rate_limits
from survey_app.settings import testing as settings_for_tests

THREADS = 8


def test_no_two_threads_count_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two started one timer twice: an official met « erreur imprévue » at the button « Commencer »."""
    app, limits = Flask("limited"), rate_limits.RateLimits()
    app.extensions["survey_settings"] = settings_for_tests()
    inside, together = list[int](), list[int]()

    def slowly(*_limit: Any, **_cost: Any) -> bool:
        inside.append(1)
        time.sleep(0.005)
        together.append(len(inside))
        inside.pop()
        return True

    monkeypatch.setattr(limits._counts, "hit", slowly)

    def count(thread: int) -> None:
        with app.test_request_context(environ_base={"REMOTE_ADDR": f"10.0.{thread}.1"}):
            assert limits.allow(parse_many("5 per second"), "route")

    threads = [threading.Thread(target=count, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == [1] * THREADS
