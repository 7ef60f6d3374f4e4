"""The notice of answers by personal link is one of its own, and says what is true of them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from survey_app import i18n
from survey_app.settings import RetentionTerms
from tests.page_checks import typography_faults
from tests.survey_app.invitations.link_site import LinkSite

NOTICE = "/r/donnees/fr"
OF_VISITORS = "/confidentialite/"


@pytest.fixture
def site(tmp_path: Path) -> LinkSite:
    return LinkSite(tmp_path)


def test_no_page_behind_a_link_leads_to_the_notice_of_visitors(site: LinkSite) -> None:
    official = site.official(0)
    pages = [official.open(official.address).html, official.start().html]
    pages += [site.official(0).press(act).html for act in ("transmettre", "refuser", "erreur")]
    pages += [official.open(f"/r/{path}/fr").html for path in ("merci", "questions/elus", "donnees")]
    for html in pages:
        assert OF_VISITORS not in html
        assert f'href="{NOTICE}"' in html


def test_the_form_promises_no_namelessness_beside_a_nominative_survey(tmp_path: Path) -> None:
    official = LinkSite(tmp_path, people=12, anonymity="nominative").official(0).start()
    assert "Enquête nominative" in official.words()
    assert "aucun nom" not in official.words().lower()
    assert "Aucune adresse IP n’est gardée avec vos réponses" in official.words()


def test_it_tells_list_sealing_and_mixing_and_nothing_of_the_reception(site: LinkSite) -> None:
    words = " ".join(site.official(0).open(NOTICE).words().split())
    for true in ("adresse de courriel et adresse postale", "mélangées, puis la clé est détruite", "onze"):
        assert true in words
    for false in ("tablette", "une référence", "le lieu", "ni votre nom"):
        assert false not in words


@pytest.mark.parametrize(
    ("terms", "told"),
    [
        (RetentionTerms(), ("6\u00a0mois", "1\u00a0an", "5\u00a0ans")),
        (
            RetentionTerms(
                responses_after_closing=730, free_texts_after_closing=91, officials_after_results=45
            ),
            ("45\u00a0jours", "3\u00a0mois", "2\u00a0ans"),
        ),
    ],
)
def test_it_tells_the_terms_that_the_settings_have(
    site: LinkSite, terms: RetentionTerms, told: tuple[str, str, str]
) -> None:
    site.app.extensions["survey_settings"] = replace(site.app.extensions["survey_settings"], retention=terms)
    html = site.official(0).open(NOTICE).html
    assert f"sont effacés {told[0]} après le dernier jour des résultats" in html
    assert f"Les textes libres sont effacés {told[1]} après la fin" in html
    assert f"Les réponses détaillées sont effacées {told[2]} après la fin" in html


def test_it_says_who_reads_the_answers_one_by_one_and_what_is_forgotten(site: LinkSite) -> None:
    words = " ".join(site.official(0).open(NOTICE).words().split())
    assert "Seule la personne référente de la qualité les lit ainsi, avec qui administre le serveur" in words
    assert "À la clôture, le serveur oublie qui a répondu" in words
    assert "laisser ces questions sans réponse" not in words  # nobody asks them any more


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (0, "0\u00a0jour"),
        (1, "1\u00a0jour"),
        (27, "27\u00a0jours"),
        (30, "1\u00a0mois"),
        (61, "2\u00a0mois"),
        (183, "6\u00a0mois"),
        (190, "190\u00a0jours"),
        (365, "1\u00a0an"),
        (366, "1\u00a0an"),
        (370, "370\u00a0jours"),
        (1095, "3\u00a0ans"),
        (1826, "5\u00a0ans"),
    ],
)
def test_a_term_is_told_in_months_or_years_only_where_that_is_true(days: int, words: str) -> None:
    assert i18n.duration(days) == words


@pytest.mark.parametrize(("language", "words"), [("en", "6 months"), ("ar", "6 أشهر")])
def test_a_term_is_told_in_the_language_of_the_page(site: LinkSite, language: str, words: str) -> None:
    assert words in site.official(0).open(f"/r/donnees/{language}").html


@pytest.mark.parametrize("language, word", [("en", "encrypted"), ("ar", "تُشفَّر")])
def test_it_speaks_the_languages_of_the_pages(site: LinkSite, language: str, word: str) -> None:
    official = site.official(0).open(f"/r/donnees/{language}")
    assert f'lang="{language}"' in official.html
    assert word in official.words()


def test_its_french_is_well_set(site: LinkSite) -> None:
    html = site.official(0).open(NOTICE).html
    assert typography_faults([re.sub(r"<[^>]+>", " ", html)]) == []
