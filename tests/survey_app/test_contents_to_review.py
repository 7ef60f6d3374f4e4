"""The staff are told what nobody has read again, translated or filled in yet, and where to do it."""

from __future__ import annotations

from collections.abc import Mapping
from html import unescape

import pytest

from form_definitions import check_source, load_organisation, texts_of
from survey_app import questionnaires as published
from survey_app.staff import questionnaires, to_complete
from tests.page_checks import assert_good_page
from tests.survey_app.staff_site import StaffSite, a_source

PAGE = "/gestion/questionnaires"


def test_arabic_is_marked_until_a_named_person_has_read_it(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = '<span lang="ar">العربية</span>\u00a0: traduction à relire'
    assert marked in site.client().get(PAGE).text
    read = load_organisation().model_copy(update={"reviewers": {"en": None, "ar": "Une relectrice"}})
    monkeypatch.setattr(to_complete, "organisation", lambda: read)
    page = site.client().get(PAGE).text
    assert marked not in page
    assert '<span lang="en">English</span>\u00a0: traduction à relire' in page


def test_the_commitments_to_check_are_counted(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    count = questionnaires.commitments_to_check()
    assert count > 20
    assert f"{count} engagements sont à vérifier sur le texte officiel" in site.client().get(PAGE).text
    monkeypatch.setattr(questionnaires, "commitments_to_check", lambda: 0)
    assert "texte officiel" not in site.client().get(PAGE).text


def publish(site: StaffSite, translations: Mapping[str, Mapping[str, str]]) -> str:
    with site.database():
        return published.publish_source(a_source(), translations, actor="test").digest


def home(site: StaffSite, role: str = "referent") -> str:
    return unescape(site.client(role).get("/gestion/").text)


def texts() -> list[str]:
    """What the small questionnaire says, each text once."""
    questionnaire = check_source(a_source()).questionnaire
    assert questionnaire is not None
    return list(dict.fromkeys(texts_of(questionnaire)))


ENGLISH = '<span lang="en" dir="ltr">English</span>'


def test_the_home_page_counts_the_texts_to_translate_per_language_and_leads_to_them(site: StaffSite) -> None:
    complete = {text: f"{text} (en)" for text in texts()}
    partial = {text: said for text, said in complete.items() if text not in texts()[-2:]}
    digest = publish(site, {"en": partial})
    address = f"/gestion/questionnaires/versions/{digest}#translations"
    assert f'<a href="{address}">Votre avis, {ENGLISH}\u00a0: 2 textes sont à traduire.</a>' in home(site)
    page = unescape(site.client().get(address).text)
    assert all(f"<li>{text}</li>" in page for text in texts()[-2:])
    assert_good_page(page)
    publish(site, {"en": complete})
    assert "à traduire" not in home(site)


def test_the_home_page_counts_the_translations_that_no_longer_serve(site: StaffSite) -> None:
    digest = publish(
        site, {"en": {**{text: "said" for text in texts()}, "Un texte d’avant": "A former text"}}
    )
    assert f"Votre avis, {ENGLISH}\u00a0: 1 traduction ne sert plus." in home(site)
    page = site.client().get(f"/gestion/questionnaires/versions/{digest}").text
    assert "<li>Un texte d’avant</li>" in page


def test_the_home_page_names_languages_without_a_reader_and_values_that_are_still_empty(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = load_organisation()
    place = '<a href="/gestion/questionnaires#to-review">'
    told = home(site)
    assert f"{place}{ENGLISH}\u00a0: la traduction est à relire, par une personne nommée.</a>" in told
    for sentence in to_complete.VALUES.values():
        assert f"{place}{sentence}</a>" in told
        assert sentence in unescape(site.client().get(PAGE).text)
    contact = known.contact.model_copy(update=dict.fromkeys(known.contact.__class__.model_fields, "x"))
    director = known.director.model_copy(update=dict.fromkeys(known.director.__class__.model_fields, "x"))
    privacy = known.privacy.model_copy(update={"data_protection_officer": "Une personne"})
    people = {"director": director, "reviewers": {"en": "Une", "ar": "Deux"}}
    filled = {"contact": contact, "privacy": privacy, **people}
    monkeypatch.setattr(to_complete, "organisation", lambda: known.model_copy(update=filled))
    assert "Rien à faire" in home(site)
    assert "to-review" not in home(site, "assistant")


def test_only_those_who_prepare_questionnaires_are_told(site: StaffSite) -> None:
    publish(site, {"en": {}})
    for role in ("reader", "technician", "director", "contributor"):
        assert "traduire" not in home(site, role)
        assert "to-review" not in home(site, role)
