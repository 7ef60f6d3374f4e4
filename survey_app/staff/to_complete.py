"""What an installation still lacks: translations, their readers, the values of organisation.yaml. Floor 5."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import Final

from form_definitions import LANGUAGES, SOURCE_LANGUAGE, Language, texts_of
from survey_app import questionnaires
from survey_app.definitions import organisation, translations
from survey_app.draft_translations import Coverage, coverage
from survey_app.models import QuestionnaireVersion

VALUES: Final = {
    "contact.email": "L’adresse électronique montrée au public n’est pas remplie.",
    "contact.phone": "Le téléphone montré au public n’est pas rempli.",
    "contact.postal_address": "L’adresse postale montrée au public n’est pas remplie.",
    "contact.verification_page": "La page de votre site qui annonce les courriels aux élus manque.",
    "director.name": "La personne qui signe les envois aux élus n’est pas nommée.",
    "director.title": "La fonction de la personne qui signe les envois aux élus n’est pas remplie.",
    "director.phone": "Le téléphone de la personne qui signe les envois aux élus n’est pas rempli.",
    "privacy.data_protection_officer": "Le délégué à la protection des données n’est pas nommé.",
}
"""Values of organisation.yaml that the public looks for, and what to say while they are null."""


def values_to_fill() -> dict[str, str]:
    """The values that are still null, with their sentences."""
    known = organisation()
    return {key: sentence for key, sentence in VALUES.items() if attrgetter(key)(known) is None}


def other_languages() -> list[Language]:
    """Every language but French."""
    return [language for code, language in LANGUAGES.items() if code != SOURCE_LANGUAGE]


def languages_to_review() -> list[Language]:
    """The languages that no named person has read again."""
    return [language for language in other_languages() if not organisation().reviewers.get(language.code)]


def coverage_of(version: QuestionnaireVersion) -> tuple[Coverage, ...]:
    """Language by language, what a version in force lacks, and what it holds that nothing shows any more."""
    in_force = map(questionnaires.questionnaire_of, questionnaires.newest_versions())
    shown = {text for other in in_force for text in texts_of(other)}
    shipped = translations()
    return tuple(
        replace(
            spoken,
            stale=tuple(
                text
                for text in version.translations.get(spoken.language, {})
                if text not in shown and text not in shipped.get(spoken.language, {})
            ),
        )
        for spoken in coverage(questionnaires.questionnaire_of(version), version.translations, {}, None)
    )
