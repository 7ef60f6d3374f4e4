"""« Lettre de résultats »: the draft to finish, the signed PDF, the mailing, the post. Floor 5."""

from __future__ import annotations

import datetime as dt
from typing import Final

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import DIRECTOR
from survey_app.audit import record_export
from survey_app.database import db
from survey_app.exports.words import day_words
from survey_app.frames.letters import LettersUnavailable
from survey_app.invitation_models import WaveFrame
from survey_app.invitations.states import LinkKeyChanged
from survey_app.mailing.recipients import LINKS_ENDED, forecast, too_late
from survey_app.mailing.texts import RESULTS
from survey_app.models import Wave
from survey_app.results_letter.by_post import letters_by_post, without_mail
from survey_app.results_letter.content import LetterError, letter_content
from survey_app.results_letter.draft_pdf import draft_pdf
from survey_app.results_letter.last_day import LastDayError, set_results_until
from survey_app.results_letter.signed_letter import keep_signed, mailing_of_results
from survey_app.results_letter.signed_pdf import LARGEST, PdfRefusedError
from survey_app.results_letter.word_file import DOCX, letter_docx
from survey_app.staff.pages import UNPROCESSABLE, actor, wave_or_404
from survey_app.strata import frame_of

blueprint = Blueprint("staff_results_letter", __name__, url_prefix="/gestion/editions")
PDF: Final = "application/pdf"
PAGE: Final = "staff_results_letter.show"
ENDED: Final = (
    "Ce jour est passé\u00a0: les liens ne montrent plus les résultats, et rien ne part, ni par courriel "
    "ni par courrier. Fixez un jour plus tard."
)


@blueprint.get("/<wave_id>/lettre")
@access.roles(DIRECTOR)
def show(wave_id: str) -> ResponseReturnValue:
    """What is done, and what comes next."""
    wave, _ = _found(wave_id)
    return _page(wave)


def _page(wave: Wave, wrong: str = "") -> ResponseReturnValue:
    frame = frame_of(wave.id)
    try:
        content, why_not = letter_content(wave), ""
    except LetterError as fault:
        content, why_not = None, str(fault)
    return (
        render_template(
            "staff/results_letter.html",
            wave=wave,
            letter=content,
            why_not=why_not,
            ended=ENDED if too_late(db.session(), wave, RESULTS) == LINKS_ENDED else "",
            wrong=wrong,
            mailing=mailing_of_results(wave.id, db.session()),
            by_mail=len(forecast(db.session(), wave, RESULTS).recipients),
            by_post=len(without_mail(wave.id)),
            most=LARGEST // 2**20,
            until=frame.results_until if frame else None,
        ),
        UNPROCESSABLE if wrong else 200,
    )


@blueprint.post("/<wave_id>/lettre")
@access.roles(DIRECTOR)
def upload(wave_id: str) -> ResponseReturnValue:
    """Keep the signed PDF in the mailing of the results."""
    wave, _ = _found(wave_id)
    file = request.files.get("letter")
    try:
        letter_content(wave)
        keep_signed(wave, file.read(LARGEST + 1) if file else b"", actor=actor())
    except (LetterError, PdfRefusedError) as fault:
        return _page(wave, str(fault))
    flash("La lettre signée est jointe à l’envoi des résultats. Relisez l’envoi avant de le programmer.")
    return redirect(url_for(PAGE, wave_id=wave.id), 303)


@blueprint.post("/<wave_id>/fin-des-resultats")
@access.roles(DIRECTOR)
def end_results(wave_id: str) -> ResponseReturnValue:
    """The last day on which the links of a wave open its results; the mails say it."""
    wave, _ = _found(wave_id)
    try:
        until = dt.date.fromisoformat(request.form.get("until", ""))
        set_results_until(wave.id, until, actor=actor())
    except ValueError as fault:
        return _page(
            wave, str(fault) if isinstance(fault, LastDayError) else "Choisissez un jour du calendrier."
        )
    flash(f"Les liens montrent les résultats jusqu’au {day_words(until)}.")
    return redirect(url_for(PAGE, wave_id=wave.id), 303)


@blueprint.get("/<wave_id>/lettre.docx")
@access.roles(DIRECTOR)
def word_file(wave_id: str) -> ResponseReturnValue:
    """The letter to finish in a word processor."""
    wave, _ = _found(wave_id)
    try:
        content = letter_docx(letter_content(wave))
    except LetterError as fault:
        return _page(wave, str(fault))
    return _file(content, DOCX, f"lettre-resultats-{wave.id}.docx", wave)


@blueprint.get("/<wave_id>/lettre.pdf")
@access.roles(DIRECTOR)
def draft(wave_id: str) -> ResponseReturnValue:
    """The draft, to be read and passed round."""
    wave, _ = _found(wave_id)
    try:
        content = draft_pdf(letter_content(wave))
    except (LetterError, LettersUnavailable) as fault:
        return _page(wave, str(fault))
    return _file(content, PDF, f"projet-de-lettre-{wave.id}.pdf", wave)


@blueprint.get("/<wave_id>/lettre-signee.pdf")
@access.roles(DIRECTOR)
def signed(wave_id: str) -> ResponseReturnValue:
    """The signed letter as it goes with the mails."""
    wave, _ = _found(wave_id)
    mailing = mailing_of_results(wave.id, db.session())
    if mailing is None or mailing.attachment is None:
        abort(404)
    return _file(bytes(mailing.attachment), PDF, mailing.attachment_name or "lettre.pdf", wave)


@blueprint.get("/<wave_id>/lettre-courrier.pdf")
@access.roles(DIRECTOR)
def by_post(wave_id: str) -> ResponseReturnValue:
    """An addressed page for each official without a working e-mail."""
    wave, frame = _found(wave_id)
    try:
        letter_content(wave)
        if too_late(db.session(), wave, RESULTS) == LINKS_ENDED:
            raise LetterError(ENDED)
        if not without_mail(wave.id):
            raise LetterError("Tous les destinataires ont une adresse électronique qui fonctionne.")
        content = letters_by_post(wave, frame)
    except (LetterError, LettersUnavailable, LinkKeyChanged) as fault:
        return _page(wave, str(fault))
    return _file(content, PDF, f"courriers-resultats-{wave.id}.pdf", wave)


def _found(wave_id: str) -> tuple[Wave, WaveFrame]:
    wave, frame = wave_or_404(wave_id), frame_of(wave_id)
    if frame is None:
        abort(404)
    return wave, frame


def _file(content: bytes, kind: str, name: str, wave: Wave) -> Response:
    if request.method == "GET":
        record_export(name, actor=actor(), subject=wave.id, limits={})
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
