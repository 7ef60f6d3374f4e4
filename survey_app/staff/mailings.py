"""« Envois »: the mails of an edition to officials: write, preview, try, plan, follow. Floor 5.

Who is still asked is who has not answered: names, and small numbers, are for the referent alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import DIRECTOR, REFERENT, may
from survey_app.database import db
from survey_app.exports.words import counted
from survey_app.invitation_models import Mailing, MailMessage, WaveFrame
from survey_app.invitations.states import KEY_CHANGED
from survey_app.mailing import lease, planning, previewing, queue
from survey_app.mailing.bounces import OUTCOMES, take_reports
from survey_app.mailing.mailbox import read_files
from survey_app.mailing.placeholders import PLACEHOLDERS, TextError, TextFault
from survey_app.mailing.planning import MailingError
from survey_app.mailing.texts import KINDS, RESULTS
from survey_app.models import Wave
from survey_app.responses.link_facts import FEWEST
from survey_app.responses.link_key import has_changed
from survey_app.results_letter.signed_letter import mailing_of_results
from survey_app.settings import Settings
from survey_app.staff.pages import UNPROCESSABLE, actor, refused, wave_or_404

blueprint = Blueprint("staff_mailings", __name__, url_prefix="/gestion")

STATES: Final = {
    queue.DRAFT: "En préparation",
    queue.SCHEDULED: "Programmé",
    queue.STOPPED: "Arrêté",
    queue.DONE: "Terminé",
}
MESSAGE_STATES: Final = {
    queue.QUEUED: "À partir",
    queue.SENDING: "En cours de remise",
    "sent": "Remis au relais",
    "uncertain": "Incertains, à décider",
    "refused": "Refusés par le relais",
    queue.BOUNCED: "Revenus",
    queue.CANCELLED: "Annulés, plus nécessaires",
}
TO_LOOK_AT: Final = ("uncertain", "refused", queue.BOUNCED)
SMALL: Final = FEWEST
"""Below, a number would tell who has answered."""
DRAFT: Final = "/envois/<int:mailing_id>"


@blueprint.get("/editions/<wave_id>/envois")
@access.roles(DIRECTOR)
def index(wave_id: str) -> ResponseReturnValue:
    """The mailings of an edition, and what keeps mail from leaving."""
    return render_template("staff/mailings.html", **_index(wave_or_404(wave_id)))


@blueprint.post("/editions/<wave_id>/envois")
@access.roles(DIRECTOR)
def create(wave_id: str) -> ResponseReturnValue:
    """A draft with the shipped text."""
    wave, kind = wave_or_404(wave_id), request.form.get("kind", "")
    prepared = mailing_of_results(wave.id, db.session(), queue.DRAFT) if kind == RESULTS else None
    if prepared is not None:
        flash("Un envoi des résultats est déjà préparé\u00a0: le voici.")
        return redirect(url_for("staff_mailings.show", mailing_id=prepared.id), 303)
    try:
        made = planning.create_mailing(wave.id, kind, actor=actor())
    except MailingError as fault:
        return refused("staff/mailings.html", str(fault), **_index(wave))
    return redirect(url_for("staff_mailings.show", mailing_id=made.id), 303)


@blueprint.post("/editions/<wave_id>/retours")
@access.roles(REFERENT)
def read_bounces(wave_id: str) -> ResponseReturnValue:
    """Messages that came back, as files: those that can be read are, the others are named."""
    wave = wave_or_404(wave_id)
    files = [one for one in request.files.getlist("bounces") if one.filename]
    if not files:
        return refused("staff/mailings.html", "Choisissez un fichier .eml ou mbox.", **_index(wave))
    read, unread = read_files((str(one.filename), one.read()) for one in files)
    if read:
        told = take_reports(read, actor=actor())
        found = ", ".join(f"{words}\u00a0: {told[one]}" for one, words in OUTCOMES.items() if told[one])
        flash(f"{counted(len(read), 'message lu', 'messages lus')}. {found[:1].upper()}{found[1:]}.")
    if unread:
        return refused("staff/mailings.html", " ".join(unread), **_index(wave))
    return redirect(url_for("staff_mailings.index", wave_id=wave.id), 303)


def _index(wave: Wave) -> dict[str, Any]:
    session = db.session()
    return {
        "wave": wave,
        "mailings": [(one, previewing.subject_of(session, one)) for one in planning.mailings_of(wave.id)],
        "kinds": KINDS,
        "states": STATES,
        "undecided": planning.uncertain_count(session, wave.id),
        "lacks": settings_in_use().mail.lacks,
        "other_key": KEY_CHANGED if has_changed(session, settings_in_use().link_key) else "",
        "trouble": _trouble() if planning.is_leaving(session, wave.id) else None,
        "listed": session.get(WaveFrame, wave.id) is not None,
    }


@blueprint.get(DRAFT)
@access.roles(DIRECTOR)
def show(mailing_id: int) -> ResponseReturnValue:
    """The text of a draft; of a planned mailing, how far it is."""
    mailing = mailing_or_404(mailing_id)
    if mailing.state == queue.DRAFT:
        return _text_page(mailing, mailing.subject, mailing.body)
    return _progress_page(mailing)


@blueprint.post(DRAFT)
@access.roles(DIRECTOR)
def change(mailing_id: int) -> ResponseReturnValue:
    """Keep another text."""
    mailing = mailing_or_404(mailing_id)
    subject, body = request.form.get("subject", ""), request.form.get("body", "")
    try:
        planning.change_text(mailing_id, subject, body, actor=actor())
    except TextError as fault:
        return _text_page(mailing, subject, body, faults=fault.faults), UNPROCESSABLE
    except MailingError as fault:
        return _text_page(mailing, subject, body, wrong=str(fault)), UNPROCESSABLE
    flash("Le texte est enregistré.")
    return redirect(url_for("staff_mailing_plans.preview", mailing_id=mailing_id), 303)


def _text_page(
    mailing: Mailing, subject: str, body: str, *, faults: tuple[TextFault, ...] = (), wrong: str = ""
) -> str:
    by_field: dict[str, str] = {}
    for fault in faults:
        by_field[fault.field] = f"{by_field.get(fault.field, '')} {fault.sentence}".strip()
    return render_template(
        "staff/mailing_text.html",
        mailing=mailing,
        wave=wave_or_404(mailing.wave_id),
        kinds=KINDS,
        subject=subject,
        body=body,
        placeholders=PLACEHOLDERS,
        to_mend=faults,
        wrong_fields=by_field,
        wrong=wrong,
    )


def _progress_page(mailing: Mailing, wrong: str = "") -> str:
    session = db.session()
    counts = planning.progress(session, mailing.id)
    leaving = sum(counts.values()) - counts.get(queue.CANCELLED, 0)
    left_out = planning.invited_count(session, mailing.wave_id) - leaving
    hidden = numbers_hidden(mailing, [leaving, left_out, counts.get(queue.CANCELLED, 0)])
    return render_template(
        "staff/mailing_progress.html",
        mailing=mailing,
        wave=wave_or_404(mailing.wave_id),
        kinds=KINDS,
        subject=previewing.subject_of(session, mailing),
        states=STATES,
        counts={} if hidden else {state: counts[state] for state in MESSAGE_STATES if counts.get(state)},
        hidden=hidden,
        message_states=MESSAGE_STATES,
        to_look_at=_named(mailing) if may(REFERENT) else {},
        again=planning.SENT_AGAIN,
        trouble=_trouble(),
        wrong=wrong,
    )


def _named(mailing: Mailing) -> dict[str, Any]:
    """State → its messages, each with whom it is for: for the referent alone."""
    session = db.session()
    found = {state: planning.messages(session, mailing.id, [state]) for state in TO_LOOK_AT}
    return {state: messages for state, messages in found.items() if messages}


def numbers_hidden(mailing: Mailing, groups: Iterable[int]) -> bool:
    """Whether numbers would tell somebody other than the referent who has answered, or has not.

    Only those who have not are asked, once more or for the first time: one small group gives away both sides.
    """
    return not may(REFERENT) and mailing.kind != RESULTS and any(0 < count < SMALL for count in groups)


_TURNS: Final = {
    "arreter": (planning.stop, "L’envoi est arrêté\u00a0: plus aucun message ne part."),
    "reprendre": (planning.resume, "L’envoi reprend."),
    "supprimer": (planning.delete_draft, "Le brouillon est supprimé."),
}


@blueprint.post(f"{DRAFT}/<any({', '.join(_TURNS)}):turn>")
@access.roles(DIRECTOR)
def turn(mailing_id: int, turn: str) -> ResponseReturnValue:
    """Stop, go on, or take a draft away."""
    mailing = mailing_or_404(mailing_id)
    wave_id = mailing.wave_id
    take, told = _TURNS[turn]
    try:
        take(mailing_id, actor=actor())
    except MailingError as fault:
        return _progress_page(mailing, str(fault)), UNPROCESSABLE
    flash(told)
    if turn == "supprimer":
        return redirect(url_for("staff_mailings.index", wave_id=wave_id), 303)
    return redirect(url_for("staff_mailings.show", mailing_id=mailing_id), 303)


@blueprint.post(f"{DRAFT}/refuses")
@access.roles(REFERENT)
def send_refused_again(mailing_id: int) -> ResponseReturnValue:
    """All that the relay refused, once more."""
    mailing = mailing_or_404(mailing_id)
    try:
        count = planning.send_refused_again(mailing_id, actor=actor())
    except MailingError as fault:
        return _progress_page(mailing, str(fault)), UNPROCESSABLE
    flash(f"{counted(count, 'message repart', 'messages repartent')}.")
    return redirect(url_for("staff_mailings.show", mailing_id=mailing_id), 303)


_DECISIONS: Final = {
    "renvoyer": (planning.send_again, "Le message repart."),
    "arrive": (planning.take_as_arrived, "Le message compte comme arrivé."),
}


@blueprint.post(f"{DRAFT}/messages/<int:message_id>/<any({', '.join(_DECISIONS)}):decision>")
@access.roles(REFERENT)
def decide(mailing_id: int, message_id: int, decision: str) -> ResponseReturnValue:
    """What only a person can know: whether a message arrived, at the try that the page showed them."""
    mailing, message = mailing_or_404(mailing_id), db.session.get(MailMessage, message_id)
    if message is None or message.mailing_id != mailing_id:
        abort(404)
    take, told = _DECISIONS[decision]
    attempt = queue.Attempt(message_id, request.args.get("essai", -1, type=int))
    try:
        take(attempt, actor=actor())
    except MailingError as fault:
        return _progress_page(mailing, str(fault)), UNPROCESSABLE
    flash(told)
    return redirect(url_for("staff_mailings.show", mailing_id=mailing_id), 303)


def mailing_or_404(mailing_id: int) -> Mailing:
    found = planning.find_mailing(mailing_id)
    return found if found is not None else abort(404)


def _trouble() -> dict[str, Any] | None:
    found = lease.trouble(db.session())
    return found and {**found, "since": dt.datetime.fromisoformat(found["since"])}


def settings_in_use() -> Settings:
    settings: Settings = current_app.extensions["survey_settings"]
    return settings
