"""JSON from outside, read strictly: what two readers could understand differently is a fault, not a guess.

Python's own reader takes ``NaN`` and duplicate keys, lets lone surrogates and NUL through to databases that
refuse them, and raises various exceptions on deep or very long input. This one has a single exception.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

MAXIMUM_DEPTH = 20
LARGEST_WHOLE_NUMBER = 2**53 - 1
"""Beyond this, JavaScript and Python do not read the same number."""
_SAFE_LENGTH = len(str(LARGEST_WHOLE_NUMBER)) - 1
"""Whatever has no more characters than this is below it."""
_UNSTORABLE = re.compile("[\ud800-\udfff\x00]")
REPLACEMENT = "\ufffd"


class StrictJSONError(ValueError):
    """Not JSON that every reader understands alike. ``code`` names the fault."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def loads(raw: bytes) -> Any:
    """The value of these bytes, or a fault.

    Raises
    ------
    StrictJSONError
        ``encoding``, ``syntax``, ``depth``, ``not_a_number``, ``huge_number``, ``duplicate_key``,
        ``unstorable_text`` (a lone surrogate or NUL).
    """
    value = _parse(raw, _STRICT)
    if _may_hide_unstorable(raw) and repaired(value)[1]:
        raise StrictJSONError("unstorable_text")
    return value


def loads_repairing_text(raw: bytes) -> tuple[Any, bool]:
    """As :func:`loads`, but a person's words are not lost for one broken character.

    Lone surrogates (an emoji cut in two by a length limit) and NUL become U+FFFD, and a number too large to
    be exact becomes its digits as text, which no question accepts as a number. The second value says whether
    text was repaired.
    """
    value = _parse(raw, _LENIENT)
    return repaired(value) if _may_hide_unstorable(raw) else (value, False)


def _may_hide_unstorable(raw: bytes) -> bool:
    """In UTF-8 without control characters, a lone surrogate or NUL can only come as an escape."""
    return b"\\u" in raw


def repaired(value: Any) -> tuple[Any, bool]:
    """The value with unstorable characters replaced, and whether there were any.

    Raises
    ------
    StrictJSONError
        ``duplicate_key``: two keys that only such characters told apart. Neither answer may hide the other.
    """
    if isinstance(value, str):
        text = _UNSTORABLE.sub(REPLACEMENT, value)
        return text, text != value
    if isinstance(value, list):
        parts = [repaired(part) for part in value]
        return [part for part, _ in parts], any(changed for _, changed in parts)
    if isinstance(value, dict):
        pairs = [(repaired(key), repaired(part)) for key, part in value.items()]
        changed = any(k[1] or p[1] for k, p in pairs)
        return _object([(key, part) for (key, _), (part, _) in pairs]), changed
    return value, False


def _parse(raw: bytes, decoder: json.JSONDecoder) -> Any:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise StrictJSONError("encoding") from None
    try:
        value = decoder.decode(text)
    except json.JSONDecodeError:
        raise StrictJSONError("syntax") from None
    except RecursionError:  # the reader itself stops, far beyond our limit
        raise StrictJSONError("depth") from None
    if raw.count(b"[") + raw.count(b"{") > MAXIMUM_DEPTH:
        _refuse_depth(value)
    return value


def _refuse_depth(value: Any) -> None:
    """Level by level, without recursion of our own."""
    level = [value]
    for _ in range(MAXIMUM_DEPTH):
        level = [part for whole in level for part in _parts(whole) if isinstance(part, dict | list)]
    if level:
        raise StrictJSONError("depth")


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise StrictJSONError("duplicate_key")
    return result


def _refuse_constant(_name: str) -> Any:
    raise StrictJSONError("not_a_number")


def _whole_number(digits: str) -> int:
    if len(digits) <= _SAFE_LENGTH:
        return int(digits)
    if len(digits) > _SAFE_LENGTH + 2 or abs(int(digits)) > LARGEST_WHOLE_NUMBER:
        raise StrictJSONError("huge_number")
    return int(digits)


def _whole_number_or_digits(digits: str) -> int | str:
    try:
        return _whole_number(digits)
    except StrictJSONError:
        return digits[:40]


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise StrictJSONError("huge_number")
    return number


def _decoder(whole_number: Callable[[str], int | str]) -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object,
        parse_constant=_refuse_constant,
        parse_int=whole_number,
        parse_float=_float,
    )


_STRICT = _decoder(_whole_number)
_LENIENT = _decoder(_whole_number_or_digits)
