"""The small language of the texts, and the texts that the program brings."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest
from flask import Flask, current_app
from hypothesis import given
from hypothesis import strategies as st

from survey_app.clock import utc_now
from survey_app.database import db
from survey_app.invitation_models import SampledUnit, WaveFrame
from survey_app.mailing import planning
from survey_app.mailing.placeholders import BODY, PLACEHOLDERS, REQUIRED, TextError, fill, text_faults
from survey_app.mailing.texts import INVITATION, KINDS, REMINDER, RESULTS, shipped, typeset
from survey_app.mailing.values import salutation, values_of_wave
from survey_app.models import Wave
from survey_app.settings import RetentionTerms, Settings
from tests.page_checks import typography_faults
from tests.survey_app.mailing import field

EVERYTHING = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)
VALUES = dict.fromkeys(PLACEHOLDERS, "x")


@pytest.mark.parametrize("questionnaire", ["", "alerte"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_text_has_no_fault_and_is_set_as_a_printer_would(kind: str, questionnaire: str) -> None:
    text = shipped(kind, questionnaire)
    assert text_faults(*text) == ()
    assert typography_faults([line for part in text for line in part.splitlines()]) == []
    assert typeset(text.body) == text.body


@pytest.mark.parametrize("kind", KINDS)
def test_mails_after_an_alert_speak_of_the_alert_and_of_nothing_annual(kind: str) -> None:
    usual, text = shipped(kind), shipped(kind, "alerte")
    assert "alerte" in text.subject
    assert not [
        words for words in ("annuelle", "une fois par an", "année précédente") if words in "".join(text)
    ]
    assert text.body.split("\n\n")[2:] == usual.body.split("\n\n")[2:]
    assert shipped(kind, "elus") == usual


@pytest.mark.parametrize("kind", KINDS)
def test_a_shipped_text_is_no_phishing_and_says_what_the_law_asks(kind: str) -> None:
    body = shipped(kind).body
    assert [name for name in REQUIRED if f"{{{name}}}" not in body] == []
    for words in ("article 6.1.e du RGPD", "n’a pas été recueillie auprès de vous", "CNIL", "opposer"):
        assert words in body
    assert "http" not in body  # every address comes from the settings
    assert not any(word in body.lower() for word in ("urgent", "cliquez ici", "dernier délai", "sous 24"))


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "Bonjour {nome}",
            "Ligne 1\u00a0: «\u202f{nome}\u202f» n’est pas connu. Vouliez-vous dire {nom}\u202f?",
        ),
        (
            "Bonjour\n{parti politique}",
            "Ligne 2\u00a0: «\u202f{parti politique}\u202f» n’est pas connu. Choisissez",
        ),
        ("Bonjour {nom", "Ligne 1\u00a0: une accolade est seule"),
        ("Bonjour nom}", "Ligne 1\u00a0: une accolade est seule"),
        ("Bonjour {}", "Ligne 1\u00a0: «\u202f{}\u202f» n’est pas connu."),
        ("{{7*7}}", "Ligne 1\u00a0: «\u202f{7*7}\u202f» n’est pas connu."),
        ("", "Le texte est vide"),
        ("x" * 30_000, "Le texte est trop long"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_its_remedy(body: str, told: str) -> None:
    sentences = [fault.sentence for fault in text_faults("Objet", body) if fault.field == BODY]
    assert any(sentence.startswith(told) for sentence in sentences), sentences


@pytest.mark.parametrize("name", REQUIRED)
def test_what_no_text_may_lack_is_named_with_the_reason(name: str) -> None:
    body = shipped(INVITATION).body.replace(f"{{{name}}}", "")
    told = [fault.sentence for fault in text_faults("Objet", body)]
    assert told == [f"Il manque {{{name}}}\u00a0: {REQUIRED[name]}"]


@pytest.mark.parametrize("subject", ["", "   ", "x" * 300, "Ouvrez {lien}", "Bonjour {inconnu}"])
def test_a_subject_has_faults_of_its_own(subject: str) -> None:
    assert [fault.field for fault in text_faults(subject, EVERYTHING)] == ["subject"]


@given(st.text(alphabet=string.printable + "é’{}", max_size=200))
def test_a_text_is_filled_exactly_when_it_has_no_fault_in_its_braces(text: str) -> None:
    braces = [
        f for f in text_faults("Objet", text + EVERYTHING) if f.field == BODY and "ongs" not in f.sentence
    ]
    if braces:
        return
    filled = fill(text + EVERYTHING, VALUES)
    assert "{" not in filled
    assert "}" not in filled


@given(st.text(max_size=40), st.sampled_from(sorted(PLACEHOLDERS)))
def test_a_value_is_never_read_as_a_placeholder(value: str, name: str) -> None:
    """A commune called « {lien} » stays one."""
    assert fill(f"<{{{name}}}>", {**VALUES, name: value + "{lien}"}) == f"<{value}{{lien}}>"


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("L'avis : oui ; non !", "L’avis\u00a0: oui\u202f; non\u202f!"),
        ("« Bonjour »", "«\u202fBonjour\u202f»"),
        ("Attendez...", "Attendez…"),
        ("https://a.fr/b", "https://a.fr/b"),
        ("à 14:30", "à 14:30"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_what_is_typed_is_set_as_a_printer_would(typed: str, set_: str) -> None:
    assert typeset(typed) == set_
    assert typeset(set_) == set_


@pytest.mark.parametrize(
    ("title", "office", "expected"),
    [
        ("Mme", "mayor", "Madame la Maire"),
        ("M.", "mayor", "Monsieur le Maire"),
        ("Monsieur", "president", "Monsieur le Président"),
        ("F", "delegated_mayor", "Madame la Maire déléguée"),
        ("Mme", "deputy", "Madame"),
        ("M", "", "Monsieur"),
        ("", "mayor", "Madame, Monsieur"),
        ("Dr", "mayor", "Madame, Monsieur"),
    ],
)
def test_somebody_is_addressed_as_one_does(title: str, office: str, expected: str) -> None:
    assert salutation(SampledUnit(civility=title, office=office)) == expected


def test_a_draft_keeps_its_text_typeset_and_refuses_a_faulty_one(on_sqlite: Settings) -> None:
    field.open_a_list()
    mailing = planning.create_mailing(field.WAVE, INVITATION, actor="test")
    planning.change_text(mailing.id, "L'objet : voici", mailing.body, actor="test")
    with pytest.raises(TextError) as told:
        planning.change_text(mailing.id, "Objet", "{nome}", actor="test")
    assert len(told.value.faults) == 1 + len(REQUIRED)
    kept = db.session.get_one(type(mailing), mailing.id)
    assert (kept.subject, kept.body) == ("L’objet\u00a0: voici", mailing.body)


def test_nothing_is_planned_while_a_value_is_missing(sqlite_app_database: Flask, on_sqlite: Settings) -> None:
    sqlite_app_database.extensions["survey_settings"] = replace(on_sqlite, definitions_folder=None)
    field.open_a_list()
    with pytest.raises(planning.MailingError) as told:
        field.planned()
    for key in ("director.name", "director.phone", "verification_page", "data_protection_officer"):
        assert key in str(told.value)
    assert field.states() == []


def test_results_wait_for_their_publication(on_sqlite: Settings) -> None:
    field.open_a_list()
    mailing = planning.create_mailing(field.WAVE, RESULTS, actor="test")
    with pytest.raises(planning.MailingError, match="Publiez d’abord"):
        planning.schedule(mailing.id, utc_now(), 30, actor="test")


@pytest.mark.parametrize("nominative, told", [(False, "pas ce que chacun a répondu"), (True, "nominative")])
def test_a_mail_says_what_will_be_known_of_the_answers_and_who_reads_them(
    on_sqlite: Settings, nominative: bool, told: str
) -> None:
    field.open_a_list()
    frame = db.session.get_one(WaveFrame, field.WAVE)
    frame.nominative = nominative
    anonymity = values_of_wave(db.session.get_one(Wave, field.WAVE), frame)["anonymat"]
    db.session.rollback()
    assert told in anonymity
    assert ("pas ce que" in anonymity) is not nominative
    assert "la personne chargée de la qualité" in anonymity
    assert "une par une" in anonymity
    assert all("{anonymat}" in shipped(kind).body for kind in (INVITATION, REMINDER))


def test_a_mail_says_for_how_long_everything_is_kept_by_the_settings_alone(on_sqlite: Settings) -> None:
    field.open_a_list()
    wave, frame = db.session.get_one(Wave, field.WAVE), db.session.get(WaveFrame, field.WAVE)
    assert values_of_wave(wave, frame)["conservation"] == (
        "Vos coordonnées et nos courriels sont effacés 6\u00a0mois après le dernier jour des résultats, "
        "les textes libres 1\u00a0an et les réponses détaillées 5\u00a0ans après la fin de l’enquête."
    )
    terms = RetentionTerms(officials_after_results=40, free_texts_after_closing=61)
    current_app.extensions["survey_settings"] = replace(on_sqlite, retention=terms)
    told = values_of_wave(wave, frame)["conservation"]
    assert "effacés 40\u00a0jours après" in told
    assert "textes libres 2\u00a0mois et" in told
    assert all(shipped(kind).body.count("{conservation}") == 1 for kind in KINDS)


def test_the_reminder_promises_no_link_that_was_passed_on() -> None:
    assert "le même que la première fois" not in shipped(REMINDER).body


def test_nobody_is_addressed_by_a_masculine_participle() -> None:
    assert not any("sollicité" in shipped(kind).body for kind in KINDS)


def test_every_placeholder_of_the_wave_has_a_value(on_sqlite: Settings) -> None:
    field.open_a_list()
    values = values_of_wave(db.session.get_one(Wave, field.WAVE), db.session.get(WaveFrame, field.WAVE))
    assert {name for name, value in values.items() if not value} <= {"duree"}
    assert values["source"] == "Répertoire national des élus (data.gouv.fr), 2 novembre 2026"
