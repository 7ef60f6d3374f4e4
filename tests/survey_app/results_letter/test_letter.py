"""The director's letter: published figures in the DOCX, in the draft, by post; the way to the mailing."""

from __future__ import annotations

import builtins
import datetime as dt
import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from werkzeug.test import TestResponse

from survey_app.access import ASSISTANT, DIRECTOR, READER
from survey_app.clock import day_in_paris, utc_now
from survey_app.database import db
from survey_app.exports.words import day_words
from survey_app.fieldwork import follow_up
from survey_app.frames.letters import LETTER_CSS, laid_out
from survey_app.invitation_models import Mailing
from survey_app.mailing.planning import create_mailing, mailings_of, obstacles
from survey_app.models import Wave
from survey_app.results_letter import by_post, signed_pdf
from survey_app.results_letter.content import TO_WRITE, LetterContent, LetterError, letter_content
from survey_app.results_letter.word_file import letter_docx
from survey_app.strata import frame_of
from survey_app.waves import find_wave
from tests.survey_app.officials_site import (
    BRESSUIRE,
    NIORT,
    PARTHENAY,
    WAVE,
    add_answers,
    close,
    seed_officials,
    set_states,
    without_address,
)
from tests.survey_app.results_letter.test_signed_pdf import LETTER, PAGE, a_pdf
from tests.survey_app.staff_site import StaffSite, form_token, post

PATH = f"/gestion/editions/{WAVE}/lettre"


@pytest.fixture
def published(site: StaffSite) -> StaffSite:
    """156 of 256 answered; Bressuire is a small cell."""
    with site.database():
        seed_officials()
        add_answers(60, 30, NIORT)
        add_answers(44, 14, PARTHENAY)
        add_answers(6, 2, BRESSUIRE)
        close(publish=True)
    return site


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


def test_the_signed_letter_becomes_the_attachment_of_the_mailing(published: StaffSite) -> None:
    assert send(published, LETTER).status_code == 303
    with published.database():
        (mailing,) = mailings_of(WAVE)
        assert (mailing.kind, mailing.state) == ("results", "draft")
        assert bytes(mailing.attachment or b"") == LETTER
        assert mailing.attachment_name == f"lettre-resultats-{WAVE}.pdf"
    again = a_pdf(PAGE, b"<< /Producer (deuxieme) >>")
    assert send(published, again).status_code == 303
    with published.database():
        (mailing,) = mailings_of(WAVE)
        assert bytes(mailing.attachment or b"") == again
    assert published.client(DIRECTOR).get(f"{PATH}-signee.pdf").data == again


@pytest.mark.parametrize("content", [b"PK\x03\x04", LETTER[:-9], a_pdf(b"<< /S /JavaScript >>")])
def test_a_file_that_is_refused_changes_nothing(published: StaffSite, content: bytes) -> None:
    assert send(published, LETTER).status_code == 303
    assert send(published, content).status_code == 422
    with published.database():
        (mailing,) = mailings_of(WAVE)
        assert bytes(mailing.attachment or b"") == LETTER


def test_a_file_that_is_too_large_is_refused_kindly(
    published: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_pdf, "LARGEST", len(LETTER) - 1)
    answer = send(published, LETTER)
    assert answer.status_code == 422
    assert "les messageries le refuseraient" in answer.text


def test_a_mailing_that_was_planned_keeps_its_letter(published: StaffSite) -> None:
    send(published, LETTER)
    with published.database():
        mailing = db.session.get_one(Mailing, mailings_of(WAVE)[0].id)
        mailing.state = "scheduled"
        db.session.commit()
    assert "Vérifier et joindre" not in published.client(DIRECTOR).get(PATH).text


def test_those_without_a_working_address_get_a_page_by_post(published: StaffSite) -> None:
    with published.database():
        without_address(NIORT, 3)
        set_states(PARTHENAY, {"unreachable": 2, "objected": 1})
    page = published.client(DIRECTOR).get(PATH).text
    assert "5 destinataires n’ont pas d’adresse électronique" in page
    answer = published.client(DIRECTOR).get(f"{PATH}-courrier.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b(?!s)", b"".join(signed_pdf._readable_parts(answer.data)))) == 5


def test_the_page_by_post_is_written_as_one_writes_to_a_mayor(
    published: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []

    def noted(page: str, style: Path) -> Any:
        pages.append(page)
        return laid_out(page, style)

    monkeypatch.setattr(by_post, "laid_out", noted)
    with published.database():
        without_address(NIORT, 1)
    assert published.client(DIRECTOR).get(f"{PATH}-courrier.pdf").status_code == 200
    (page,) = pages
    assert "sollicité" not in page
    assert re.search(r"vous prie d’agréer, [^,{]+, l’expression de ma considération distinguée", page)


def test_nobody_without_an_address_needs_no_post(published: StaffSite) -> None:
    answer = published.client(DIRECTOR).get(f"{PATH}-courrier.pdf")
    assert answer.status_code == 422
    assert "Tous les destinataires ont une adresse" in answer.text


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


def a_letter(*paragraphs: str) -> bytes:
    """What a word processor exports: one font, its letters numbered anew."""
    pdf: bytes = laid_out("".join(f"<p>{one}</p>" for one in paragraphs), LETTER_CSS).write_pdf()
    return pdf


def test_the_draft_that_nobody_finished_is_no_signed_letter(published: StaffSite) -> None:
    draft = published.client(DIRECTOR).get(f"{PATH}.pdf").data
    exported = a_letter("Ce que nous allons faire", TO_WRITE)
    for content in (draft, exported):
        answer = send(published, content)
        assert answer.status_code == 422
        assert "Cette lettre est encore le projet" in answer.text
    assert send(published, a_letter("Nous ouvrirons le mardi soir, dès janvier.")).status_code == 303


@pytest.mark.abuse("AC-26")
def test_letters_with_live_codes_never_become_the_attachment(published: StaffSite) -> None:
    with published.database():
        without_address(NIORT, 3)
    for content in (
        published.client(DIRECTOR).get(f"{PATH}-courrier.pdf").data,
        a_letter("Votre code", "7KQW-3F9H-BT2M"),
    ):
        answer = send(published, content)
        assert answer.status_code == 422
        assert "code personnel d’un élu" in answer.text
    with published.database():
        assert not mailings_of(WAVE)


def test_the_results_have_one_draft_whichever_button_makes_it(published: StaffSite) -> None:
    send(published, LETTER)
    client, mailings = published.client(DIRECTOR), f"/gestion/editions/{WAVE}/envois"
    made = post(client, mailings, {"kind": "results"})
    with published.database():
        (mailing,) = mailings_of(WAVE)
        assert made.headers["Location"].endswith(f"/envois/{mailing.id}")


def test_the_results_neither_leave_without_their_letter_nor_twice(published: StaffSite) -> None:
    with published.database():
        bare = create_mailing(WAVE, "results", actor="test")
        assert "La lettre signée n’est pas jointe" in " ".join(obstacles(db.session(), bare, utc_now()))
    send(published, LETTER)
    with published.database():
        (first,) = mailings_of(WAVE)
        assert "lettre signée" not in " ".join(obstacles(db.session(), first, utc_now()))
        db.session.get_one(Mailing, first.id).state = "done"
        db.session.commit()
        again = create_mailing(WAVE, "results", actor="test", attachment=("lettre.pdf", LETTER))
        assert "chacun les recevrait deux fois" in " ".join(obstacles(db.session(), again, utc_now()))


def test_the_attached_letter_is_read_again_before_it_is_planned(published: StaffSite) -> None:
    send(published, LETTER)
    client = published.client(DIRECTOR)
    with published.database():
        page = f"/gestion/envois/{mailings_of(WAVE)[0].id}/programmer"
    shown = client.get(page).text
    assert f"{PATH}-signee.pdf" in shown
    answer = post(client, page, {"quand": "2026-12-01T09:00", "cadence": "30"})
    assert answer.status_code == 422
    assert "Relisez d’abord la lettre jointe" in answer.text
    answer = post(client, page, {"quand": "2026-12-01T09:00", "cadence": "30", "read": "1"})
    assert "Relisez d’abord la lettre jointe" not in answer.text
