"""What everything about surveys by personal link agrees on."""

from __future__ import annotations

from typing import Final

from analysis.publication import FLOORS

MODE: Final = "personal_link"
NOMINATIVE: Final = "nominative"
FEWEST: Final = FLOORS["public"]
"""Nobody is picked out of so many people."""
SMALLEST_ANONYMOUS: Final = 2 * FEWEST
"""With fewer people asked, mixing hides nobody well enough to promise it."""

WAITING: Final = "waiting"
ANSWERED: Final = "answered"
DECLINED: Final = "declined"
WRONG_PERSON: Final = "wrong_person"
UNREACHABLE: Final = "unreachable"
OBJECTED: Final = "objected"
WITHDRAWN: Final = "withdrawn"
OVER: Final = "over"
"""The states of an invitation. Over: the mixing forgot whether it answered, declined or kept silent."""
FORGOTTEN: Final = (WAITING, ANSWERED, DECLINED)
"""The states that tell who answered, once nobody is reminded any more."""
