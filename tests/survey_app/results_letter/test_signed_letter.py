"""The signed letter comes back as a PDF: it goes with the mailing of the results, once, and by post."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from survey_app.access import DIRECTOR
from survey_app.clock import today_in_paris, utc_now
from survey_app.database import db, write_transaction
from survey_app.frames.letters import LETTER_CSS, laid_out
from survey_app.invitation_models import Mailing, WaveFrame
from survey_app.mailing.planning import create_mailing, mailings_of, obstacles
from survey_app.results_letter import by_post, signed_pdf
from survey_app.results_letter.content import TO_WRITE
from tests.survey_app.officials_site import (
    NIORT,
    PARTHENAY,
    WAVE,
    set_states,
    without_address,
)
from tests.survey_app.results_letter.test_letter import PATH, send
from tests.survey_app.results_letter.test_signed_pdf import LETTER, PAGE, a_pdf
from tests.survey_app.staff_site import StaffSite, post


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


def test_once_the_links_have_ended_no_letter_leaves_and_the_page_says_what_to_do(
    published: StaffSite,
) -> None:
    yesterday = today_in_paris() - dt.timedelta(days=1)
    with published.database():
        without_address(NIORT, 1)
        with write_transaction() as transaction:
            transaction.execute(sa.update(WaveFrame).values(results_until=yesterday))
    client = published.client(DIRECTOR)
    page = client.get(PATH).text
    assert "Ce jour est passé" in page
    assert "Télécharger les courriers" not in page
    assert "a une adresse électronique" not in page
    refused = client.get(f"{PATH}-courrier.pdf")
    assert refused.status_code == 422
    assert "Fixez un jour plus tard" in refused.text
    later = {"until": str(today_in_paris() + dt.timedelta(days=30))}
    assert post(client, PATH.replace("lettre", "fin-des-resultats"), later, page=PATH).status_code == 303
    assert client.get(f"{PATH}-courrier.pdf").data.startswith(b"%PDF-")
