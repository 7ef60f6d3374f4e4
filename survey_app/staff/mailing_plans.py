"""« Envois »: what one recipient gets, a trial to oneself, who gets what and when. Floor 5."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from survey_app import access
from survey_app.access import DIRECTOR, REFERENT, may
from survey_app.clock import PARIS, utc_now
from survey_app.database import db
from survey_app.exports.words import counted
from survey_app.invitation_models import Invitation, Mailing, WaveFrame
from survey_app.mailing import planning, previewing, queue
from survey_app.mailing.composing import AddressError
from survey_app.mailing.planning import MailingError
from survey_app.mailing.recipients import Forecast, forecast
from survey_app.mailing.texts import KINDS
from survey_app.rate_limits import at_most
from survey_app.security import FramedMail, FramingPage
from survey_app.staff.mailings import DRAFT, mailing_or_404, numbers_hidden, settings_in_use
from survey_app.staff.pages import UNPROCESSABLE, actor, refused, wave_or_404

blueprint = Blueprint("staff_mailing_plans", __name__, url_prefix="/gestion")
TRIALS: Final = "6 per minute"
SOON: Final = dt.timedelta(minutes=15)


@blueprint.get(f"{DRAFT}/apercu")
@access.roles(DIRECTOR)
def preview(mailing_id: int) -> ResponseReturnValue:
    """Exactly what leaves for one recipient, text and HTML, with links that open nothing."""
    mailing = mailing_or_404(mailing_id)
    invitation = _chosen(mailing)
    try:
        shown = previewing.preview(db.session(), mailing, invitation)
    except AddressError as fault:
        return _preview_page(mailing, invitation, None, str(fault)), UNPROCESSABLE
    return FramingPage(_preview_page(mailing, invitation, shown))


@blueprint.get(f"{DRAFT}/apercu/page")
@access.roles(DIRECTOR)
def preview_page(mailing_id: int) -> ResponseReturnValue:
    """The HTML of that message, for the frame."""
    mailing = mailing_or_404(mailing_id)
    try:
        shown = previewing.preview(db.session(), mailing, _chosen(mailing))
    except AddressError:
        abort(404)
    return FramedMail(shown.html, content_type="text/html; charset=utf-8")


@blueprint.post(f"{DRAFT}/essai")
@access.roles(DIRECTOR)
@at_most(TRIALS)
def try_it(mailing_id: int) -> ResponseReturnValue:
    """The same message, to whoever is signed in."""
    mailing = mailing_or_404(mailing_id)
    invitation = _chosen(mailing)
    try:
        previewing.send_trial(db.session(), mailing, invitation, actor(), actor=actor())
    except (previewing.TrialError, AddressError) as fault:
        shown = previewing.preview(db.session(), mailing, invitation)
        return FramingPage(_preview_page(mailing, invitation, shown, str(fault)), UNPROCESSABLE)
    flash(f"L’essai est parti à {actor()}. Ses liens n’ouvrent rien.")
    chosen = request.form.get("destinataire", "")
    return redirect(url_for("staff_mailing_plans.preview", mailing_id=mailing_id, destinataire=chosen), 303)


def _preview_page(
    mailing: Mailing, invitation: Invitation, shown: previewing.Preview | None, wrong: str = ""
) -> str:
    wave = wave_or_404(mailing.wave_id)
    everybody = forecast(db.session(), wave, mailing.kind).recipients if may(REFERENT) else ()
    return render_template(
        "staff/mailing_preview.html",
        mailing=mailing,
        wave=wave,
        kinds=KINDS,
        invitation=invitation,
        recipients=everybody,
        shown=shown,
        draft=mailing.state == queue.DRAFT,
        own_address=actor(),
        wrong=wrong,
    )


def _chosen(mailing: Mailing) -> Invitation:
    """The recipient of the address; nobody real where none is named, or for anybody but the referent."""
    asked = request.values.get("destinataire", "")
    if not asked or not may(REFERENT):
        return previewing.made_up()
    found = db.session.scalar(
        sa.select(Invitation)
        .where(Invitation.id == asked, Invitation.wave_id == mailing.wave_id)
        .options(joinedload(Invitation.unit))
    )
    if found is None:
        abort(404)
    return found


@blueprint.get(f"{DRAFT}/programmer")
@access.roles(DIRECTOR)
def plan(mailing_id: int) -> ResponseReturnValue:
    """« Qui reçoit quoi, quand », before anything is planned."""
    return render_template("staff/mailing_plan.html", **_plan(_draft(mailing_id), request.args))


@blueprint.post(f"{DRAFT}/programmer")
@access.roles(DIRECTOR)
def schedule(mailing_id: int) -> ResponseReturnValue:
    """Plan it, as the page before said."""
    mailing = _draft(mailing_id)
    when, pace = _moment(request.form.get("quand", "")), request.form.get("cadence", "")
    hidden = _hidden(mailing, forecast(db.session(), wave_or_404(mailing.wave_id), mailing.kind))
    try:
        if when is None or not pace.isascii() or not pace.isdigit():
            raise MailingError("Donnez un jour, une heure et un nombre de messages par minute.")
        if mailing.attachment_name and not request.form.get("read"):
            raise MailingError("Relisez d’abord la lettre jointe, puis cochez la case qui le dit.")
        count = planning.schedule(mailing_id, when, int(pace[:6]), actor=actor())
    except MailingError as fault:
        return refused("staff/mailing_plan.html", str(fault), **_plan(mailing, request.form))
    flash(
        "L’envoi est programmé" + (f"\u00a0: {counted(count, 'message', 'messages')}." if not hidden else ".")
    )
    return redirect(url_for("staff_mailings.show", mailing_id=mailing_id), 303)


def _plan(mailing: Mailing, asked: Mapping[str, str]) -> dict[str, Any]:
    session, wave = db.session(), wave_or_404(mailing.wave_id)
    due = _moment(asked.get("quand", "")) or _soon()
    pace = asked.get("cadence", "")
    per_minute = max(
        1, min(int(pace[:6]) if pace.isascii() and pace.isdigit() else planning.PACE, planning.FASTEST)
    )
    expected = forecast(session, wave, mailing.kind)
    frame = session.get(WaveFrame, wave.id)
    return {
        "mailing": mailing,
        "wave": wave,
        "kinds": KINDS,
        "subject": previewing.subject_of(session, mailing),
        "expected": expected,
        "hidden": _hidden(mailing, expected),
        "obstacles": planning.obstacles(session, mailing, due),
        "blanks": previewing.blanks(mailing, expected, wave, frame),
        "foreign": previewing.foreign_sender(settings_in_use()),
        "sender": settings_in_use().mail.sender,
        "due": due,
        "end": previewing.ends_at(due, len(expected.recipients), per_minute),
        "quand": due.astimezone(PARIS).strftime("%Y-%m-%dT%H:%M"),
        "cadence": per_minute,
        "fastest": planning.FASTEST,
    }


def _hidden(mailing: Mailing, expected: Forecast) -> bool:
    reasons = [count for _, count in expected.left_out]
    return numbers_hidden(mailing, [len(expected.recipients), sum(reasons), *reasons])


def _draft(mailing_id: int) -> Mailing:
    found = mailing_or_404(mailing_id)
    return found if found.state == queue.DRAFT else abort(404)


def _moment(text: str) -> dt.datetime | None:
    """« 2026-11-30T09:00 » on the prefecture's clock; None for anything else."""
    try:
        return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M").replace(tzinfo=PARIS).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _soon() -> dt.datetime:
    now = utc_now() + SOON
    return now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
