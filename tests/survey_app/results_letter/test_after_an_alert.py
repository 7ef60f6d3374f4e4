"""After an alert, to part of a list: letters say why they come, and promise no figures that are not there."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from docx import Document
from flask import render_template

from survey_app.definitions import organisation
from survey_app.frames.letters import Letter, Occasion
from survey_app.results_letter import by_post
from survey_app.results_letter.content import letter_content
from survey_app.results_letter.word_file import letter_docx
from survey_app.staff import letters as staff_letters
from survey_app.strata import frame_of
from survey_app.waves import find_wave
from tests.page_checks import typography_faults
from tests.survey_app import officials_site
from tests.survey_app.officials_site import BRESSUIRE, NIORT, WAVE, add_answers, close, without_address
from tests.survey_app.staff_site import StaffSite

ALERT = "Une alerte de la préfecture a concerné votre collectivité."
YEARLY = "demandé votre avis sur les services de l’État"
OURS = "ce qu’ils pensent de nos services"


def seed(monkeypatch: pytest.MonkeyPatch, populations: Mapping[str, int], slug: str = "alerte") -> None:
    """An edition of the emergency questionnaire, asked of these communes."""
    source = officials_site.officials_source().replace("questionnaire: essai", f"questionnaire: {slug}")
    monkeypatch.setattr(officials_site, "officials_source", lambda: source)
    officials_site.seed_officials(populations, title="Alerte du 3 novembre")


def words_of(docx: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(docx)).paragraphs)


def results(site: StaffSite) -> tuple[str, str]:
    """The DOCX and the page of the draft, as text."""
    with site.app.test_request_context("/gestion/"):
        wave = find_wave(WAVE)
        assert wave is not None
        letter = letter_content(wave)
        return words_of(letter_docx(letter)), render_template("staff/letter_results.html", letter=letter)


def posted(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page by post, before it is laid out."""
    pages: list[str] = []

    class Kept:
        def __init__(self, page: str, _css: object) -> None:
            pages.append(page)

        def write_pdf(self, **_options: object) -> bytes:
            return b""

    monkeypatch.setattr(by_post, "laid_out", Kept)
    with site.app.test_request_context("/gestion/"):
        wave, frame = find_wave(WAVE), frame_of(WAVE)
        assert wave is not None
        assert frame is not None
        by_post.letters_by_post(wave, frame)
    return pages[0]


def invitation(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> Occasion:
    """What the letter with the code is about."""
    found: list[Occasion] = []

    def keep(_letters: list[Letter], occasion: Occasion, _organisation: object) -> bytes:
        found.append(occasion)
        return b""

    monkeypatch.setattr(staff_letters, "letters_pdf", keep)
    assert site.client().get(f"/gestion/editions/{WAVE}/lettres.pdf").status_code == 200
    return found[0]


def publish_one_arrondissement(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty were asked after an alert, one of them by post, and twenty-five answered."""
    with site.database():
        seed(monkeypatch, {NIORT: 40})
        add_answers(20, 5, NIORT)
        without_address(NIORT, 1)
        close(publish=True)


def test_the_results_of_an_alert_are_not_those_of_the_yearly_survey(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_one_arrondissement(site, monkeypatch)
    for text in results(site):
        assert ALERT in text
        assert "si elle vous avait été utile" in text
        assert YEARLY not in text
        assert "Nous avons reçu 25\u00a0réponses" in text.replace("25 ", "25\u00a0")
    assert typography_faults([results(site)[0]]) == []


def test_where_one_arrondissement_was_asked_no_letter_promises_its_figures(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_one_arrondissement(site, monkeypatch)
    for text in (*results(site), posted(site, monkeypatch)):
        assert "arrondissement" not in text
        assert "en détail" in text


def test_the_yearly_survey_keeps_its_words(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    with site.database():
        seed(monkeypatch, {NIORT: 40, BRESSUIRE: 40}, slug="essai")
        add_answers(20, 5, NIORT)
        add_answers(20, 5, BRESSUIRE)
        without_address(NIORT, 1)
        close(publish=True)
    for text in results(site):
        assert YEARLY in text
        assert ALERT not in text
        assert "avec ceux de votre arrondissement" in text
    assert "résultats de votre arrondissement" in posted(site, monkeypatch)


@pytest.mark.parametrize("slug, opening", [("alerte", ALERT), ("essai", OURS)])
def test_the_letter_with_the_code_says_why_it_comes(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch, slug: str, opening: str
) -> None:
    with site.database():
        seed(monkeypatch, {NIORT: 40}, slug=slug)
        without_address(NIORT, 1)
    occasion = invitation(site, monkeypatch)
    with site.app.test_request_context("/gestion/"):
        letter = Letter(("Mairie",), "Madame la Maire", "https://x.fr/r/a", "0000-0000-0000")
        page = render_template(
            "staff/letter.html",
            letters=[(letter, "")],
            occasion=occasion,
            organisation=organisation(),
        )
    assert opening in page
    assert [text for text in (ALERT, OURS) if text in page] == [opening]
