"""An answer as it waits in the pool: padded to one size, sealed to the key of its wave.

Who has the database reads neither what was answered nor, from the size, how much.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec

from form_definitions import QUESTION_TYPES, Item, Questionnaire
from form_definitions.question_types import SPECIFY_MAXIMUM_LENGTH
from survey_app.responses.record_keys import DoesNotOpen, PublicKey, open_with

SMALLEST_SIZE: Final = 32 * 1024
BYTES_PER_CHARACTER: Final = 4
"""Of UTF-8; what JSON escapes takes two, and control characters are refused by the form."""
BYTES_PER_ITEM: Final = 512
"""Names of the item and of its options, a number, punctuation."""
LONGEST_TEXT: Final = 2000
"""Where the item does not say how long."""
_LENGTH: Final = 4


@dataclass(frozen=True)
class Answer:
    """What one person answered, and no more about them than may stay."""

    digest: str
    language: str
    week: dt.date
    """The Monday of the week in which it was given."""
    stratum: str
    answers: Mapping[str, Any]


def monday_of(day: dt.date) -> dt.date:
    """The first day of its week (ISO 8601)."""
    return day - dt.timedelta(days=day.weekday())


def size_of(questionnaire: Questionnaire) -> int:
    """The one size of all answers to this questionnaire: the longest that it allows, rounded up to 2ⁿ KiB."""
    longest = BYTES_PER_ITEM + sum(map(_longest, questionnaire.items))
    size = SMALLEST_SIZE
    while size < longest:
        size *= 2
    return size


def _longest(item: Item) -> int:
    characters = QUESTION_TYPES[item.question_type].free_text and (item.maximum_length or LONGEST_TEXT)
    characters += sum(SPECIFY_MAXIMUM_LENGTH for option in item.options if option.specify is not None)
    return (
        BYTES_PER_ITEM + sum(len(option.code) for option in item.options) + BYTES_PER_CHARACTER * characters
    )


def seal(answer: Answer, questionnaire: Questionnaire, public: PublicKey, wave_id: str) -> bytes:
    """The answer for the pool."""
    said = {**asdict(answer), "week": answer.week.isoformat()}
    return public.seal_bytes(padded(said, size_of(questionnaire)), _info(wave_id))


def open_answer(sealed: bytes, private: ec.EllipticCurvePrivateKey, wave_id: str) -> Answer:
    """What was sealed for this wave.

    Raises
    ------
    DoesNotOpen
        Sealed for another wave or key, changed since, or none of ours.
    """
    try:
        said = unpadded(open_with(private, sealed, _info(wave_id)))
        week, answers = dt.date.fromisoformat(said["week"]), dict(said["answers"])
        return Answer(str(said["digest"]), str(said["language"]), week, str(said["stratum"]), answers)
    except (ValueError, TypeError, KeyError):
        raise DoesNotOpen from None


def padded(content: Mapping[str, Any], size: int) -> bytes:
    """JSON with its length before it and zeros after it: ``size`` bytes, whatever it says."""
    plain = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    if len(plain) + _LENGTH > size:
        raise ValueError(f"{len(plain)} bytes do not fit into {size}")
    return (len(plain).to_bytes(_LENGTH, "big") + plain).ljust(size, b"\0")


def unpadded(raw: bytes) -> dict[str, Any]:
    """What :func:`padded` was given."""
    length = int.from_bytes(raw[:_LENGTH], "big")
    found: dict[str, Any] = json.loads(raw[_LENGTH : _LENGTH + length])
    return found


def _info(wave_id: str) -> bytes:
    return f"survey-app sealed answer v1\n{wave_id}".encode()
