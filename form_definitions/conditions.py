"""When an item is relevant: six operators over earlier answers, two truth values.

======================================  ==========================================================
JSON                                    holds when
======================================  ==========================================================
``{"answered": item}``                  the item has an answer
``{"is": [item, option]}``              this option is among the item's answer
``{"any_of": [item, [option, …]]}``     at least one of these options is among the item's answer
``{"all": [condition, …]}``             every condition holds (``[]`` holds)
``{"any": [condition, …]}``             at least one condition holds (``[]`` does not)
``{"not": condition}``                  the condition does not hold
======================================  ==========================================================

An item that is not answered, or that is off the path, makes ``answered``, ``is`` and ``any_of`` false.
The TypeScript twin is ``survey_app/client/src/conditions.ts``:
``tests/conformance/conditions.json`` holds both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Condition = dict[str, Any]
"""A condition in its JSON form; validated by the loader (see :func:`condition_faults`)."""

OPERATORS = ("answered", "is", "any_of", "all", "any", "not")


def holds(condition: Condition, answers: Mapping[str, object]) -> bool:
    """Whether a (valid) condition holds for the answers of the items on the path.

    ``answers`` maps item names to a list of option codes, a number or a non-empty string.
    """
    ((operator, operand),) = condition.items()
    return bool(_EVALUATORS[operator](operand, answers))


def _codes(answer: object) -> list[str]:
    return answer if isinstance(answer, list) else []


def _is_any_of(item: str, options: list[str], answers: Mapping[str, object]) -> bool:
    return any(code in options for code in _codes(answers.get(item)))


_EVALUATORS: dict[str, Any] = {
    "answered": lambda item, answers: answers.get(item) not in (None, [], ""),
    "is": lambda pair, answers: _is_any_of(pair[0], [pair[1]], answers),
    "any_of": lambda pair, answers: _is_any_of(pair[0], pair[1], answers),
    "all": lambda parts, answers: all(holds(part, answers) for part in parts),
    "any": lambda parts, answers: any(holds(part, answers) for part in parts),
    "not": lambda part, answers: not holds(part, answers),
}


def items_named(condition: Condition) -> Iterator[str]:
    """The names of the items that a condition looks at, in reading order."""
    ((operator, operand),) = condition.items()
    if operator == "not":
        yield from items_named(operand)
    elif operator in ("all", "any"):
        for part in operand:
            yield from items_named(part)
    else:
        yield operand if isinstance(operand, str) else operand[0]
