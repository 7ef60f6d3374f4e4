"""The words of the pages themselves, in the language of the request. Floor 4; French is the source text.

``translations/<lang>.po`` is read by Babel when first needed: nothing is compiled, so nothing can be stale.
The texts of the questionnaires are not here: ``form_definitions/translations/``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from gettext import c2py
from pathlib import Path
from string import Formatter
from typing import Any, Final

from babel.messages.pofile import read_po
from flask import Flask, current_app, g, has_app_context

from analysis import display

SOURCE_LANGUAGE: Final = "fr"
DAYS_OF_A_YEAR: Final = 365.25
DAYS_OF_A_MONTH: Final = DAYS_OF_A_YEAR / 12
ABOUT: Final = 2
"""Days by which a year or some months may differ from the calendar's."""
FOLDER: Final = Path(__file__).parent / "translations"


@dataclass(frozen=True)
class Catalogue:
    """One language: French sentence → sentence, and which plural form a number takes."""

    messages: dict[str, str]
    plurals: dict[str, tuple[str, ...]]
    plural_form: Callable[[int], int]


@lru_cache(maxsize=32)
def catalogue(language: str) -> Catalogue:
    """The catalogue of this language; an empty one (French) where there is no file."""
    path = FOLDER / f"{language}.po"
    if not language.isalpha() or not path.exists():
        return Catalogue({}, {}, lambda number: int(number > 1))
    with path.open("rb") as stream:
        entries = read_po(stream, locale=language)
    messages: dict[str, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    for message in entries:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str):
            messages[message.id] = str(message.string)
        else:
            plurals[message.id[0]] = tuple(message.string or ())
    return Catalogue(
        {source: text for source, text in messages.items() if text},
        {source: texts for source, texts in plurals.items() if all(texts)},
        c2py(entries.plural_expr),
    )


class _Lenient(Formatter):
    """A parameter that nobody gave stays visible instead of breaking the page."""

    def get_value(self, key: int | str, args: Any, kwargs: Any) -> Any:
        return kwargs.get(str(key), f"{{{key}}}")


_formatter = _Lenient()


def fill(text: str, parameters: dict[str, object]) -> str:
    """The sentence with ``{parameter}`` replaced."""
    return _formatter.vformat(text, (), parameters) if parameters else text


def translate(language: str, text: str, **parameters: object) -> str:
    """This French sentence in this language; in French where it has no translation."""
    return fill(catalogue(language).messages.get(text, text), parameters)


def translate_plural(language: str, one: str, many: str, count: int, **parameters: object) -> str:
    """The form of the sentence that goes with ``count`` (itself the parameter ``{count}``)."""
    known = catalogue(language)
    texts = known.plurals.get(one)
    text = texts[known.plural_form(count)] if texts else (many if count > 1 else one)
    return fill(text, {"count": display.whole(count), **parameters})


def current_language() -> str:
    """The language of the page being made."""
    return str(g.get("language", SOURCE_LANGUAGE)) if has_app_context() else SOURCE_LANGUAGE


def speak(language: str) -> None:
    """From now on this request speaks this language."""
    g.language = language


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak this language inside the block."""
    before = current_language()
    speak(language)
    try:
        yield
    finally:
        speak(before)


def gettext(text: str, **parameters: object) -> str:
    """This French sentence in the language of the page being made."""
    return translate(current_language(), text, **parameters)


def ngettext(one: str, many: str, count: int, **parameters: object) -> str:
    """The form that goes with ``count``, in the language of the page being made."""
    return translate_plural(current_language(), one, many, count, **parameters)


def duration(days: int) -> str:
    """« 6 mois » for 183 days, « 5 ans » for 1826: whole years or months where that is true, else days."""
    years, months = round(days / DAYS_OF_A_YEAR), round(days / DAYS_OF_A_MONTH)
    if years and abs(days - years * DAYS_OF_A_YEAR) <= ABOUT:
        return ngettext("{count}\u00a0an", "{count}\u00a0ans", years)
    if months and abs(days - months * DAYS_OF_A_MONTH) <= ABOUT:
        return ngettext("{count}\u00a0mois", "{count}\u00a0mois", months)
    return ngettext("{count}\u00a0jour", "{count}\u00a0jours", days)


def kept_for(term: str) -> str:
    """How long the settings keep a kind of data (a field of ``RetentionTerms``), in words."""
    return duration(getattr(current_app.extensions["survey_settings"].retention, term))


def install(app: Flask) -> None:
    """Give the templates ``_``, ``ngettext``, the name of the language, and how long data is kept."""
    texts = {"_": gettext, "gettext": gettext, "ngettext": ngettext, "current_language": current_language}
    app.jinja_env.globals.update({**texts, "kept_for": kept_for})
