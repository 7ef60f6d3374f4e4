"""One class per question type: ``parse`` reads what a HTML form sent, ``check`` judges a value; the registry.

The website, the tablet's records and the keyboard entry of paper go through the same ``parse`` and ``check``.
``tests/conformance/answers.json`` holds the cases that the TypeScript client passes too.
"""

from __future__ import annotations

import math
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from form_definitions.model import Item

MAXIMUM_NUMBER = 2**53 - 1
"""The largest whole number that JSON carries exactly."""

SPECIFY_MAXIMUM_LENGTH = 200


@dataclass(frozen=True)
class AnswerFault:
    """One thing wrong with one answer. The page words it; ``parameters`` are what the words need."""

    item_name: str
    code: str
    parameters: Mapping[str, object] = field(default_factory=dict)


class QuestionType(ABC):
    """What a kind of question accepts. What else a new type needs: README.md, « Costs of a new thing »."""

    name: ClassVar[str]
    description: ClassVar[str]
    """For the editors' schema and the manual, in French."""
    takes_answer: ClassVar[bool] = True
    has_options: ClassVar[bool] = False
    has_rate: ClassVar[bool] = False
    """Whether its answers are favourable or not, so that it can measure a commitment."""
    free_text: ClassVar[bool] = False
    """Whether a person may write anything: read by few, and erased at its term."""
    seconds: ClassVar[int] = 9
    """What reading and answering one takes, by rule of thumb (``duration.py``)."""
    keys: ClassVar[frozenset[str]] = frozenset()
    """The keys of the YAML that only some types take."""
    defaults: ClassVar[Mapping[str, int]] = {}
    """Written into the item where the YAML is silent, so that the frozen questionnaire says everything."""

    @abstractmethod
    def parse(self, item: Item, raw: list[str]) -> object | None:
        """The value of an answer from the texts of a HTML form; None when unanswered."""

    @abstractmethod
    def check(self, item: Item, value: object) -> tuple[AnswerFault, ...]:
        """What is wrong with a value in a record's JSON form; ``()`` when nothing is."""


# What JavaScript's trim() takes for blank; Python's strip() differs in U+001C–U+001F, U+0085 and U+FEFF.
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def normalised_text(raw: str) -> str:
    """NFC, line ends as ``\\n``, no blanks around: the one form in which a typed text is kept."""
    return unicodedata.normalize("NFC", _LINE_END.sub("\n", raw)).strip(BLANKS)


_LINE_END = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def text_faults(name: str, value: object, maximum: int, *, one_line: bool = False) -> tuple[AnswerFault, ...]:
    """What is wrong with a text answer, or with the text beside an option. Lengths count code points."""
    if not isinstance(value, str) or not value:
        return (AnswerFault(name, "wrong_shape"),)
    if _FORBIDDEN.search(value) or (one_line and "\n" in value):
        return (AnswerFault(name, "control_character"),)
    if len(value) > maximum:
        return (AnswerFault(name, "too_long", {"maximum": maximum, "length": len(value)}),)
    return ()


class _Choice(QuestionType):
    has_options = True
    keys = frozenset({"options", "scale"})

    def parse(self, item: Item, raw: list[str]) -> list[str] | None:
        """The codes in the order of the questionnaire, each once; unknown codes last."""
        codes = {code.strip(BLANKS): None for code in raw if code.strip(BLANKS)}
        known = [option.code for option in item.options if option.code in codes]
        return known + [code for code in codes if code not in known] or None

    def check(self, item: Item, value: object) -> tuple[AnswerFault, ...]:
        """Known codes, each once, at least one."""
        if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
            return (AnswerFault(item.name, "wrong_shape"),)
        if len(set(value)) < len(value):
            return (AnswerFault(item.name, "wrong_shape"),)
        unknown = [code for code in value if item.option(code) is None]
        if unknown:
            return tuple(AnswerFault(item.name, "unknown_option", {"option": code}) for code in unknown)
        return self.check_together(item, value)

    def check_together(self, item: Item, codes: list[str]) -> tuple[AnswerFault, ...]:
        """Whether these known codes go together."""
        return (AnswerFault(item.name, "too_many"),) if len(codes) > 1 else ()


class SingleChoice(_Choice):
    """One option of several."""

    name = "single_choice"
    description = "une seule réponse"
    has_rate = True


class Satisfaction(_Choice):
    """One degree of a scale with drawn faces beside the words."""

    name = "satisfaction"
    description = "une échelle avec un visage dessiné à côté de chaque degré"
    has_rate = True


class MultipleChoice(_Choice):
    """Several options; an exclusive one stands alone."""

    name = "multiple_choice"
    seconds = 12
    description = "plusieurs réponses possibles, avec ou sans modalité exclusive"

    def check_together(self, item: Item, codes: list[str]) -> tuple[AnswerFault, ...]:
        """An exclusive option (« Aucun ») alone."""
        exclusive = [option.code for option in item.options if option.exclusive and option.code in codes]
        if exclusive and len(codes) > 1:
            return (AnswerFault(item.name, "exclusive_option", {"option": exclusive[0]}),)
        return ()


class Number(QuestionType):
    """A whole number with bounds and a unit."""

    name = "number"
    description = "un nombre entier, avec ses bornes et son unité"
    keys = frozenset({"minimum", "maximum", "unit"})

    def parse(self, item: Item, raw: list[str]) -> int | str | None:
        """The number if it is whole, else the text as typed: ``check`` reports it, the page shows it."""
        typed = normalised_text(raw[0]) if raw else ""
        plain = _BLANKS.sub("", typed.translate(_DIGITS))
        if match := _WHOLE_NUMBER.fullmatch(plain):
            return int(match[1])
        return typed or None

    def check(self, item: Item, value: object) -> tuple[AnswerFault, ...]:
        """A whole number within the bounds of the item."""
        if not _is_number(value):
            looks_decimal = isinstance(value, str) and _DECIMAL.fullmatch(value.translate(_DIGITS))
            code = "not_a_whole_number" if looks_decimal else "not_a_number"
            return (AnswerFault(item.name, code),)
        if isinstance(value, float) and not value.is_integer():
            return (AnswerFault(item.name, "not_a_whole_number"),)
        low = -MAXIMUM_NUMBER if item.minimum is None else item.minimum
        high = MAXIMUM_NUMBER if item.maximum is None else item.maximum
        if value < low:  # type: ignore[operator]
            return (AnswerFault(item.name, "too_small", {"minimum": low}),)
        if value > high:  # type: ignore[operator]
            return (AnswerFault(item.name, "too_large", {"maximum": high}),)
        return ()


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) or math.isfinite(value)


# Arabic-Indic and Persian digits, the Arabic decimal sign, the comma and the typographic minus.
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫,−", "01234567890123456789..-")
_BLANKS = re.compile("[ \u00a0\u202f]")
_WHOLE_NUMBER = re.compile(r"([+-]?[0-9]{1,15})(?:\.0*)?")
_DECIMAL = re.compile(r"[+-]?[0-9 \u00a0\u202f]*\.[0-9]+")


class Recommendation(Number):
    """From 0 (not at all likely) to 10 (very likely)."""

    name = "recommendation"
    description = "une note de 0 à 10"
    keys = frozenset()
    defaults: ClassVar[Mapping[str, int]] = {"minimum": 0, "maximum": 10}


class _Text(QuestionType):
    free_text = True
    keys = frozenset({"maximum_length"})
    one_line: ClassVar[bool]

    def parse(self, item: Item, raw: list[str]) -> str | None:
        """The normalised text; a short text is put on one line."""
        typed = normalised_text(raw[0]) if raw else ""
        return (typed.replace("\n", " ") if self.one_line else typed) or None

    def check(self, item: Item, value: object) -> tuple[AnswerFault, ...]:
        """A text without control characters, within the length of the item."""
        maximum = item.maximum_length or self.defaults["maximum_length"]
        return text_faults(item.name, value, maximum, one_line=self.one_line)


class ShortText(_Text):
    """One line."""

    name = "short_text"
    seconds = 15
    description = "un texte d’une ligne"
    one_line = True
    defaults: ClassVar[Mapping[str, int]] = {"maximum_length": 200}


class LongText(_Text):
    """Several lines, with a counter and a warning not to write personal data."""

    name = "long_text"
    seconds = 30
    description = "un texte libre, avec compteur et avertissement sur les données personnelles"
    one_line = False
    defaults: ClassVar[Mapping[str, int]] = {"maximum_length": 2000}


class Note(QuestionType):
    """Words to read. Nobody answers it."""

    name = "note"
    seconds = 4
    description = "un texte à lire, sans réponse"
    takes_answer = False

    def parse(self, item: Item, raw: list[str]) -> None:
        """Nothing: a note has no field."""

    def check(self, item: Item, value: object) -> tuple[AnswerFault, ...]:
        """Any value is one too many."""
        return (AnswerFault(item.name, "wrong_shape"),)


QUESTION_TYPES: Mapping[str, QuestionType] = {
    question_type.name: question_type
    for question_type in (
        SingleChoice(),
        MultipleChoice(),
        Satisfaction(),
        Number(),
        ShortText(),
        LongText(),
        Recommendation(),
        Note(),
    )
}
"""Every question type under its name."""
