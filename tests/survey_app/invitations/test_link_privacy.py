"""The notice of answers by personal link is one of its own, and says what is true of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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


def test_it_tells_the_terms_that_the_settings_have(site: LinkSite) -> None:
    terms, words = RetentionTerms(), site.official(0).open(NOTICE).words()
    assert (terms.free_texts_after_closing, terms.responses_after_closing) == (365, 1826)
    assert "Les textes libres sont effacés un an après" in words
    assert terms.officials_after_results == 183
    assert "sont effacés six mois après le dernier jour des résultats" in words
    assert "Les réponses détaillées sont effacées après cinq ans" in words


@pytest.mark.parametrize("language, word", [("en", "encrypted"), ("ar", "تُشفَّر")])
def test_it_speaks_the_languages_of_the_pages(site: LinkSite, language: str, word: str) -> None:
    official = site.official(0).open(f"/r/donnees/{language}")
    assert f'lang="{language}"' in official.html
    assert word in official.words()


def test_its_french_is_well_set(site: LinkSite) -> None:
    html = site.official(0).open(NOTICE).html
    assert typography_faults([re.sub(r"<[^>]+>", " ", html)]) == []
