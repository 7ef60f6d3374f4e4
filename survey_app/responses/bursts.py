"""Bursts on the website: many responses of one origin in little time are flagged, and no address is kept.

What is remembered are keyed hashes (network prefix, number of each record), in memory only. The key
is random and changes every hour; nobody can go back from a hash to an address once its key is gone. A restart
forgets everything.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable

WINDOW_SECONDS = 600
LARGEST_USUAL_NUMBER = 20
"""Responses of one origin in ten minutes: more than a hall's public Wi-Fi sends, less than a script does."""
KEY_LIFE_SECONDS = 3600
_IPV6_PREFIX = 64


class BurstCounter:
    """Says of each response whether its origin has sent too many lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._recent: dict[bytes, dict[bytes, float]] = {}
        self._new_key()

    def observe(self, address: str | None, record_id: str) -> tuple[str, ...]:
        """The flags for a response sent from this address: ``("burst",)`` or none.

        A form sent twice, by an impatient finger or a slow network, is one response.
        Each of several processes counts alone, so that a burst may be flagged later, but nobody's answers
        leave the figures because of how requests were shared out.
        """
        with self._guard:
            now = self._clock()
            if now - self._key_born > KEY_LIFE_SECONDS:
                self._new_key()
            self._forget(now)
            times = self._recent.setdefault(self._keyed(network_of(address)), {})
            times.setdefault(self._keyed(record_id), now)
            return ("burst",) if len(times) > LARGEST_USUAL_NUMBER else ()

    def _new_key(self) -> None:
        self._key = secrets.token_bytes(32)
        self._key_born = self._clock()
        self._recent.clear()

    def _forget(self, now: float) -> None:
        for origin, times in list(self._recent.items()):
            while times and now - times[first := next(iter(times))] > WINDOW_SECONDS:
                del times[first]
            if not times:
                del self._recent[origin]

    def _keyed(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode(), hashlib.sha256).digest()


def network_of(address: str | None) -> str:
    """The address itself for IPv4, also written as IPv6; else its /64: one subscriber owns that many."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    mapped = parsed.ipv4_mapped
    return str(mapped or ipaddress.ip_network((parsed, _IPV6_PREFIX), strict=False))
