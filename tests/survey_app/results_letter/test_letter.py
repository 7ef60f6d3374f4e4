"""The director's letter: published figures in the DOCX, in the draft, by post; the way to the mailing."""

from __future__ import annotations

import builtins
import datetime as dt
import io
import re
import zipfile
from dataclasses import replace
from typing import Any

import pytest
from docx import Document
from werkzeug.test import TestResponse

from survey_app.access import ASSISTANT, DIRECTOR, READER
from survey_app.clock import day_in_paris
from survey_app.database import db
from survey_app.exports.words import day_words
from survey_app.fieldwork import follow_up
from survey_app.models import Wave
from survey_app.results_letter.content import LetterContent, LetterError, letter_content
from survey_app.results_letter.word_file import letter_docx
from survey_app.strata import frame_of
from survey_app.waves import find_wave
from tests.survey_app.officials_site import (
    NIORT,
    PARTHENAY,
    WAVE,
    add_answers,
    close,
    seed_officials,
    set_states,
)
from tests.survey_app.staff_site import StaffSite, form_token, post

PATH = f"/gestion/editions/{WAVE}/lettre"


def content_of(site: StaffSite) -> LetterContent:
    with site.database():
        wave = find_wave(WAVE)
        assert wave is not None
        return letter_content(wave)


def words_of(docx: bytes) -> str:
    return "\n".join(
        node.text or "" for node in Document(io.BytesIO(docx)).element.body.iter() if node.tag.endswith("}t")
    )


def send(site: StaffSite, content: bytes, role: str = DIRECTOR) -> TestResponse:
    client = site.client(role)
    token = form_token(client.get(PATH).text)
    data = {"letter": (io.BytesIO(content), "lettre signée.pdf"), "csrf_token": token}
    return client.post(PATH, data=data, content_type="multipart/form-data")


def test_the_letter_says_the_published_figures(published: StaffSite) -> None:
    letter = content_of(published)
    assert letter.answered == "156 réponses pour 256 destinataires"
    assert letter.response_rate == "taux de réponse\u00a0: 60,9\u202f%"
    (theme,) = letter.themes
    assert (theme.rate, theme.base) == ("70,5\u202f%", "156")
    assert letter.axes == letter.themes


@pytest.mark.parametrize(
    "answers, said",
    [((15, 5), "40 réponses pour 256 destinataires"), ((2, 1), "moins de 11 réponses pour 256 d")],
)
def test_the_number_of_answers_is_said_where_the_follow_up_hides_it(
    site: StaffSite, answers: tuple[int, int], said: str
) -> None:
    with site.database():
        seed_officials()
        add_answers(*answers, NIORT)
        add_answers(*answers, PARTHENAY)
        set_states(NIORT, {"declined": 4})
        close(publish=True)
        frame = frame_of(WAVE)
        assert frame is not None
        assert follow_up(frame).lines("public")[-1].counts["complete"] is None
    letter = content_of(site)
    assert letter.answered.startswith(said)
    assert letter.response_rate == ""


def test_the_letter_says_the_day_on_which_the_edition_really_closed(published: StaffSite) -> None:
    with published.database():
        wave = db.session.get_one(Wave, WAVE)
        assert wave.closed_at is not None
        wave.closes_on = wave.closed_at.date() + dt.timedelta(days=21)
        opened, closed = wave.opens_on, day_in_paris(wave.closed_at)
        db.session.commit()
    assert f"du {day_words(opened)} au {day_words(closed)}" in content_of(published).occasion


@pytest.mark.abuse("AC-23")
def test_the_letter_hides_a_small_place_with_what_would_give_it_away(published: StaffSite) -> None:
    assert content_of(published).themes[0].by_place == ("66,7\u202f%", "masqué", "masqué")


def test_a_wave_that_is_not_published_has_no_letter(site: StaffSite) -> None:
    with site.database():
        seed_officials()
        wave = find_wave(WAVE)
        assert wave is not None
        with pytest.raises(LetterError, match="Publiez d’abord"):
            letter_content(wave)
    page = site.client(DIRECTOR).get(PATH)
    assert "Publiez d’abord" in page.text
    assert site.client(DIRECTOR).get(f"{PATH}.docx").status_code == 422


def test_the_docx_is_filled_and_leaves_the_director_what_is_to_be_written(published: StaffSite) -> None:
    answer = published.client(DIRECTOR).get(f"{PATH}.docx")
    assert answer.status_code == 200
    words = words_of(answer.data)
    for said in (
        "156 réponses pour 256 destinataires",
        "70,5\u202f%",
        "Niort",
        "masqué",
        "À compléter par la direction",
    ):
        assert said in words
    assert not re.search(r"\{\{|\{%|\}\}|%\}", words)


def test_the_tables_of_the_docx_have_a_line_for_each_theme(published: StaffSite) -> None:
    document = Document(io.BytesIO(letter_docx(content_of(published))))
    themes, places = document.tables
    assert [len(themes.rows), len(places.rows)] == [2, 2]
    assert [cell.text for cell in places.rows[0].cells] == ["Sujet", "Niort", "Parthenay", "Bressuire"]


def test_texts_are_no_markup_in_the_docx(published: StaffSite) -> None:
    odd = replace(content_of(published), organisation="A & B <b>{{ 7 * 7 }}</b>")
    assert "A & B <b>{{ 7 * 7 }}</b>" in words_of(letter_docx(odd))


@pytest.mark.abuse("AC-29")
def test_the_docx_names_no_author_and_no_machine(published: StaffSite) -> None:
    with zipfile.ZipFile(io.BytesIO(letter_docx(content_of(published)))) as parts:
        core = parts.read("docProps/core.xml").decode()
        assert re.search(r"<dc:creator>\s*</dc:creator>|<dc:creator/>", core), core
        assert not any("vba" in name.lower() for name in parts.namelist())


def test_the_draft_is_a_pdf(published: StaffSite) -> None:
    answer = published.client(DIRECTOR).get(f"{PATH}.pdf")
    assert answer.status_code == 200
    assert answer.data.startswith(b"%PDF-")
    assert "projet-de-lettre" in answer.headers["Content-Disposition"]


def test_without_the_libraries_of_the_system_the_page_names_what_to_install(
    published: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, known = published.client(DIRECTOR), builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "weasyprint":
            raise OSError("cannot load library 'libpango-1.0-0'")
        return known(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    answer = client.get(f"{PATH}.pdf")
    assert answer.status_code == 422
    assert "apt install libpango-1.0-0" in answer.text
    assert client.get(f"{PATH}.docx").status_code == 200


@pytest.mark.abuse("AC-26")
@pytest.mark.parametrize("role, status", [(DIRECTOR, 200), (ASSISTANT, 403), (READER, 403)])
def test_the_letter_is_the_directors(published: StaffSite, role: str, status: int) -> None:
    for end in ("", ".docx"):
        assert published.client(role).get(PATH + end).status_code == status


def test_the_last_day_of_the_results_is_fixed_and_never_comes_earlier(site: StaffSite) -> None:
    with site.database():
        wave = seed_officials()
        frame = frame_of(WAVE)
        assert frame is not None
        promised, closing = frame.results_until, wave.closes_on
        assert promised is not None
    client, address = site.client(DIRECTOR), f"/gestion/editions/{WAVE}/fin-des-resultats"
    later = promised + dt.timedelta(days=30)
    assert post(client, address, {"until": later.isoformat()}, page=PATH).status_code == 303
    for wrong in ("", "demain", closing.isoformat(), promised.isoformat(), "2099-01-01"):
        assert post(client, address, {"until": wrong}, page=PATH).status_code == 422, wrong
    with site.database():
        frame = frame_of(WAVE)
        assert frame is not None
        assert frame.results_until == later
