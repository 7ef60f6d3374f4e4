"""Codes keep their meaning from one published version to the next: past results refer to them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher

from form_definitions.errors import Report
from form_definitions.model import Item, Questionnaire, ResponseOption
from form_definitions.yaml_source import Node

SAME_MEANING = 0.5
"""Two wordings this alike (difflib's ratio of their plain letters) are taken for one reworded text."""

_COMPARED = 300


Places = Mapping[tuple[str, ...], Node]
"""(item,) or (item, option) → where its code stands."""


def report_reused_codes(
    questionnaire: Questionnaire, published: Sequence[Questionnaire], places: Places, report: Report
) -> None:
    """Note each item name and option code that an earlier version used with another meaning.

    The option of a shared scale stands elsewhere: its item is named.
    """
    for item in questionnaire.items:
        for earlier in published:
            if (old := earlier.items_by_name.get(item.name)) and _report_item(item, old, places, report):
                break


def _report_item(item: Item, old: Item, places: Places, report: Report) -> bool:
    node = places[(item.name,)]
    if not same_question(old, item):
        report.add("item_name_reused", node.line, node.column, item=item.name, label=old.label)
        return True
    reused = [
        before
        for option in item.options
        if (before := old.option(option.code)) and not _same_option(before, option)
    ]
    for before in reused:
        at = places.get((item.name, before.code), node)
        words = {"option": before.code, "item": item.name, "label": before.label}
        report.add("option_code_reused", at.line, at.column, **words)
    return bool(reused)


def same_question(old: Item, new: Item) -> bool:
    """Whether two items of one name still ask the same: a like type and a like wording."""
    return _family(old) == _family(new) and same_meaning(old.label, new.label)


def _family(item: Item) -> str:
    return {"satisfaction": "single_choice", "short_text": "text", "long_text": "text"}.get(
        item.question_type, item.question_type
    )


def _same_option(old: ResponseOption, new: ResponseOption) -> bool:
    return old.role == new.role and same_meaning(old.label, new.label)


def same_meaning(old: str, new: str) -> bool:
    """Whether a text looks like a rewording of another: a judgement on letters, never on sense."""
    before, after = plain_letters(old), plain_letters(new)
    if before == after:
        return True
    words, new_words = set(before.split()), set(after.split())
    if _are_opposed(words, new_words) or not _share_a_subject(words, new_words):
        return False
    matcher = SequenceMatcher(None, before[:_COMPARED], after[:_COMPARED], autojunk=False)
    return matcher.ratio() >= SAME_MEANING


_EMPTY_WORDS = {"quelle", "quels", "quelles", "votre", "cette", "comment", "pourquoi", "combien", "toujours"}
_STEM = 5


def _share_a_subject(before: set[str], after: set[str]) -> bool:
    """Whether a longer word, or its beginning, is in both texts (or neither has any)."""
    old, new = _stems(before), _stems(after)
    return bool(old & new) or not (old or new)


def _stems(words: set[str]) -> set[str]:
    return {word[:_STEM] for word in words - _EMPTY_WORDS if len(word) >= _STEM}


_NEGATIONS = {"pas", "non", "ne", "peu", "mal", "moins", "plus", "jamais", "sans", "aucun", "mauvais"}
_OPPOSITES = ("in", "im", "ir", "il", "me", "mal", "de", "dis", "non")


def _are_opposed(before: set[str], after: set[str]) -> bool:
    """Whether a word of negation came or went, or a word got a prefix of negation (« insatisfait »)."""
    gone, come = before - after, after - before
    if gone & _NEGATIONS or come & _NEGATIONS:
        return True
    negated = {prefix + word for prefix in _OPPOSITES for word in gone}
    return bool(come & negated) or any(prefix + word in gone for prefix in _OPPOSITES for word in come)


def plain_letters(text: str) -> str:
    """Letters and digits only, without case or accents: what is left when typography is put aside."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return re.sub(r"\W+", " ", "".join(c for c in decomposed if not unicodedata.combining(c))).strip()
