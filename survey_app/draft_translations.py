"""A new version in other languages: what its author gives, and what was already translated. Floor 4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from form_definitions import LANGUAGES, SOURCE_LANGUAGE, Questionnaire, Translations, by_typography, texts_of
from survey_app.definitions import translations as shipped_translations


@dataclass(frozen=True)
class Coverage:
    """How much of a questionnaire one language says."""

    language: str
    missing: tuple[str, ...]
    """French texts that would be shown in French."""
    stale: tuple[str, ...]
    """French texts of the version before, translated, that nothing shows any more."""
    offered: bool = True
    """Without any translation of it, nobody is offered this language, and nothing of it is missing."""

    @property
    def direction(self) -> str:
        """``ltr`` or ``rtl``."""
        return LANGUAGES[self.language].direction


def completed(
    questionnaire: Questionnaire, given: Translations, spoken: Translations, before: Questionnaire | None
) -> dict[str, dict[str, str]]:
    """What was given, and for every text that did not change the translation it already had.

    `before` is the version in force and `spoken` its translations: its languages stay. A first version takes
    those that know its title. The shipped catalogues only fill in texts that the version in force had not.
    """
    texts = frozenset(texts_of(questionnaire))
    fresh = texts - frozenset(texts_of(before)) if before else texts
    shipped = shipped_translations()
    found: dict[str, dict[str, str]] = {}
    for language in LANGUAGES:
        words = of_texts(texts, spoken.get(language, {}))
        kept = {**of_texts(fresh, shipped.get(language, {})), **words}
        stays = language in given or words
        if language != SOURCE_LANGUAGE and (stays or (not before and questionnaire.title in kept)):
            own = given.get(language, {})
            found[language] = {**kept, **own, **of_texts(texts, own)}
    return found


def of_texts(texts: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    """The translations of these texts, also those kept under the same words in other typography."""
    typed = by_typography([text for text in texts if text not in said], said)
    return {text: said[typed.get(text, text)] for text in texts if text in said or text in typed}


def coverage(
    questionnaire: Questionnaire,
    translations: Translations,
    spoken: Translations,
    before: Questionnaire | None,
) -> tuple[Coverage, ...]:
    """Language by language, what is missing, and what the version in force said that no longer serves.

    Every language is there, so that none is left out in silence.
    """
    texts = tuple(dict.fromkeys(texts_of(questionnaire)))
    gone = [text for text in dict.fromkeys(texts_of(before)) if text not in texts] if before else []
    gone = [text for text in gone if text not in by_typography(gone, texts)]
    others = [language for language in LANGUAGES if language != SOURCE_LANGUAGE]
    return tuple(
        Coverage(
            language,
            missing=tuple(text for text in texts if offered and text not in translations[language]),
            stale=tuple(text for text in gone if text in spoken.get(language, {})),
            offered=offered,
        )
        for language in others
        for offered in (bool(translations.get(language)),)
    )
