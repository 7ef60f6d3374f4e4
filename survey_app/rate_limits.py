"""How often one caller may use a route. Counted in memory under a key that is no address. Floor 4.

One process serves SQLite. With several each counts alone and lets its share through, so that all together
allow no more than a limit says.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Flask, abort, current_app, request
from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from survey_app.responses.bursts import network_of
from survey_app.settings import Settings

View = TypeVar("View", bound=Callable[..., Any])


class AddressKey:
    """A name for whoever calls that says nothing about the address: keyed, in memory, new every day."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)
        self._day: date | None = None

    def __call__(self, address: str | None, today: date) -> str:
        """The keyed hash of the address (IPv6: of its /64)."""
        if today != self._day:
            self._secret, self._day = secrets.token_bytes(32), today
        return hmac.new(self._secret, network_of(address).encode(), "sha256").hexdigest()[:32]


class RateLimits:
    """The counts of one application in one process; tests may switch them off."""

    def __init__(self) -> None:
        self.enabled = True
        self._counts = FixedWindowRateLimiter(MemoryStorage())
        self._key = AddressKey()
        self._one_at_a_time = threading.Lock()
        """The memory of ``limits`` starts its timer twice when two threads find it ended, and raises."""

    def allow(self, limits: Sequence[RateLimitItem], route: str) -> bool:
        """Count the present request; False beyond any of the limits."""
        caller = self._key(request.remote_addr, datetime.now(tz=UTC).date())
        shared = processes()
        if not self.enabled:
            return True
        with self._one_at_a_time:
            return all(self._counts.hit(one, route, caller, cost=min(shared, one.amount)) for one in limits)


def install(app: Flask) -> None:
    """Begin to count."""
    app.extensions["survey_rate_limits"] = RateLimits()


def at_most(written: str) -> Callable[[View], View]:
    """For a view: 429 beyond ``"10 per minute; 60 per hour"`` and the like."""
    limits = parse_many(written)

    def limit(view: View) -> View:
        route = f"{view.__module__}.{view.__qualname__}"

        @wraps(view)
        def limited(*args: Any, **kwargs: Any) -> Any:
            if not here().allow(limits, route):
                abort(429)
            return view(*args, **kwargs)

        return cast(View, limited)

    return limit


def here() -> RateLimits:
    """The counts of the application at hand."""
    return cast(RateLimits, current_app.extensions["survey_rate_limits"])


def processes() -> int:
    """Among how many what is counted in memory is shared out."""
    return cast(Settings, current_app.extensions["survey_settings"]).processes
