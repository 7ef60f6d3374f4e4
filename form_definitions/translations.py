"""Questionnaires in other languages: gettext ``.po`` files whose key is the French source text.

A text that is missing, or marked ``fuzzy``, is shown in French and marked so (``lang="fr"``); one whose
French text no longer exists is stale. ``survey-app check`` tells all three.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from form_definitions.bundle import Translations, texts_of
from form_definitions.errors import DefinitionError, Fault, Place, fault, listed
from form_definitions.languages import LANGUAGES, SOURCE_LANGUAGE
from form_definitions.library import FOLDER, source_text
from form_definitions.model import Questionnaire

OTHER_LANGUAGES = tuple(code for code in LANGUAGES if code != SOURCE_LANGUAGE)
_MAXIMUM_CHARACTERS = 1024 * 1024
_CLOSE = 0.6


class Localised(NamedTuple):
    """A text and the language it is really in."""

    text: str
    language: str


@dataclass(frozen=True)
class Catalogue:
    """One .po file. ``messages`` holds what may be shown: translated and not fuzzy."""

    file: str
    language: str
    messages: Mapping[str, str] = field(default_factory=dict)
    fuzzy: frozenset[str] = frozenset()
    lines: Mapping[str, int] = field(default_factory=dict)


def load_translations(folder: Path | None = None) -> Translations:
    """The translations of a folder of definitions, French left out. Raises DefinitionError."""
    catalogues: dict[str, Mapping[str, str]] = {language: {} for language in OTHER_LANGUAGES}
    for path in translation_files(folder or FOLDER):
        catalogue = read_catalogue(path)
        if isinstance(catalogue, Fault):
            raise DefinitionError([catalogue])
        catalogues[catalogue.language] = catalogue.messages
    return catalogues


def translation_files(folder: Path) -> list[Path]:
    """The .po files of a folder of definitions."""
    return sorted((folder / "translations").glob("*.po"))


def localise(text: str, language: str, translations: Translations) -> Localised:
    """The text in this language, or the French text marked as French."""
    if language == SOURCE_LANGUAGE:
        return Localised(text, SOURCE_LANGUAGE)
    translated = translations.get(language, {}).get(text)
    return Localised(translated, language) if translated else Localised(text, SOURCE_LANGUAGE)


def by_typography(texts: Iterable[str], among: Iterable[str]) -> dict[str, str]:
    """Text → the one of these that differs from it in typography alone; where several do, none is taken.

    A keyboard writes a space for a no-break space, and « ' » for « ’ »: who translates sees no difference.
    """
    found: dict[str, str | None] = {}
    for other in among:
        form = _bare(other)
        found[form] = other if form not in found else None
    alike = ((text, found.get(_bare(text))) for text in texts)
    return {text: other for text, other in alike if other is not None and other != text}


_TYPED = str.maketrans({"’": "'", "«": '"', "»": '"', "“": '"', "”": '"', "…": "..."})


def _bare(text: str) -> str:
    """The text without its spaces, and with the marks that a keyboard has."""
    return "".join(_normalised(text).translate(_TYPED).split())


def read_catalogue(path: Path) -> Catalogue | Fault:
    """The content of a .po file, or the fault that keeps it from being read."""
    if path.stem not in OTHER_LANGUAGES:
        return fault("po_language", Place(str(path)), words=listed(OTHER_LANGUAGES))
    text = source_text(path)
    return text if isinstance(text, Fault) else parse_catalogue(text, path.stem, str(path))


def parse_catalogue(text: str, language: str, name: str) -> Catalogue | Fault:
    """The content of a .po text, or the fault that keeps it from being read."""
    # Imported here: reading a published questionnaire or counting answers needs no gettext.
    from babel.messages.pofile import PoFileError, read_po

    if len(text) > _MAXIMUM_CHARACTERS:
        return fault("too_big", Place(name), limit=_MAXIMUM_CHARACTERS // 1024)
    try:
        parsed = read_po(io.StringIO(text), locale=language, ignore_obsolete=True, abort_invalid=True)
    except PoFileError as error:
        return fault("po_syntax", Place(name, error.lineno + 1), problem="cette ligne n’est pas comprise")
    except (ValueError, LookupError, AttributeError, TypeError):
        return fault("po_syntax", Place(name), problem="une ligne n’a pas la forme attendue")
    messages: dict[str, str] = {}
    lines: dict[str, int] = {}
    fuzzy: set[str] = set()
    for message in parsed:
        if not isinstance(message.id, str) or not isinstance(message.string, str) or not message.id:
            continue
        source, translated = _normalised(message.id), _normalised(message.string)
        lines[source] = message.lineno or 1
        if message.fuzzy:
            fuzzy.add(source)
        elif translated:
            messages[source] = translated
    return Catalogue(name, language, messages, frozenset(fuzzy), lines)


def _normalised(text: str) -> str:
    return unicodedata.normalize("NFC", text.strip())


def translation_faults(questionnaire: Questionnaire, translations: Translations) -> tuple[Fault, ...]:
    """The texts of a questionnaire that would be shown in French, for every language."""
    texts = tuple(dict.fromkeys(texts_of(questionnaire)))
    return tuple(
        fault("translation_missing", Place(f"{language}.po"), language=language, text=text)
        for language in OTHER_LANGUAGES
        for text in texts
        if text not in translations.get(language, {})
    )


def catalogue_faults(
    catalogue: Catalogue, needed: Iterable[str], known: Iterable[str] = ()
) -> Sequence[Fault]:
    """What is missing, stale or fuzzy in one file.

    ``needed`` are the texts that are shown; ``known`` those that may be translated though nothing shows them
    yet (an unused scale).
    """
    texts = dict.fromkeys(needed)
    current = set(texts) | set(known)
    missing = [text for text in texts if text not in catalogue.lines or _is_blank(catalogue, text)]
    typed = by_typography(missing, [source for source in catalogue.messages if source not in texts])
    missing = [text for text in missing if text not in typed]
    stale = [source for source in catalogue.lines if source not in current | set(typed.values())]
    return [
        *(_told("translation_typography", catalogue, source, text) for text, source in typed.items()),
        *(_told("translation_missing", catalogue, text, _closest(text, stale)) for text in missing),
        *(_told("translation_stale", catalogue, source) for source in stale),
        *(_told("translation_fuzzy", catalogue, source) for source in sorted(catalogue.fuzzy & current)),
    ]


def _is_blank(catalogue: Catalogue, text: str) -> bool:
    return text not in catalogue.messages and text not in catalogue.fuzzy


def _told(code: str, catalogue: Catalogue, text: str, suggestion: str | None = None) -> Fault:
    place = Place(catalogue.file, catalogue.lines.get(text, 1))
    return fault(code, place, suggestion, language=catalogue.language, text=text)


def _closest(text: str, stale: Sequence[str]) -> str | None:
    """The stale source text that this one probably replaces."""
    return next(iter(get_close_matches(text, stale, n=1, cutoff=_CLOSE)), None)
