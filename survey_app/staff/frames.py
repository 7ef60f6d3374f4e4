"""« Listes d’élus »: check files, confirm, look at a list, fix who is asked in an edition. Floor 5."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from survey_app import access
from survey_app.access import DIRECTOR
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.exports.words import counted
from survey_app.frames import (
    FrameCheck,
    FrameError,
    Territory,
    check_files,
    freeze_for_wave,
    frozen_frame,
    import_frame,
)
from survey_app.frames.check import LISTS
from survey_app.frames.entries import Entry
from survey_app.frames.freezing import UNITS, Unit
from survey_app.frames.headings import MEANINGS
from survey_app.frames.remarks import remarks
from survey_app.frames.snapshots import refuse_too_few
from survey_app.frames.storage import (
    delete_frame,
    find_frame,
    frames,
    pending,
    seal,
    units_of,
    unseal,
    waves_of,
)
from survey_app.frames.sublist import Sublist
from survey_app.frames.words import KINDS, OFFICES, office_words
from survey_app.invitation_models import Invitation, SampledUnit, SamplingFrame
from survey_app.invitations.links import address_of
from survey_app.invitations.objections import without_objections
from survey_app.invitations.preparing import MODE, prepare_links
from survey_app.invitations.states import LinkError
from survey_app.models import Wave
from survey_app.settings import Settings
from survey_app.staff.pages import UNPROCESSABLE, actor, posted_list, refused
from survey_app.waves import DRAFT, waves

blueprint = Blueprint("staff_frames", __name__, url_prefix="/gestion/listes")
USUAL_SOURCE: Final = "Répertoire national des élus et Annuaire de l’administration"
SHOWN: Final = 200
"""Lines of a table on one page."""


def territory() -> Territory:
    """The department whose lists are read."""
    return Territory.of(organisation())


@blueprint.get("")
@access.roles(DIRECTOR)
def index() -> ResponseReturnValue:
    """The lists that were imported."""
    return render_template("staff/frames.html", frames=frames())


@blueprint.get("/importer")
@access.roles(DIRECTOR)
def ask() -> ResponseReturnValue:
    """Which files, of which day."""
    return render_template("staff/frame_files.html", faults=(), **_form())


def _form() -> dict[str, Any]:
    return {
        "title": request.form.get("title", f"Élus, {today_in_paris():%d/%m/%Y}"),
        "source": request.form.get("source", USUAL_SOURCE),
        "source_date": request.form.get("source_date", today_in_paris().isoformat()),
    }


@blueprint.post("/importer")
@access.roles(DIRECTOR)
def check() -> ResponseReturnValue:
    """Everything to know before: nothing is written, and no file is kept."""
    given = _form()
    files = [(file.filename or "", file.read()) for file in request.files.getlist("files") if file.filename]
    try:
        day = _day(given["source_date"])
        found = check_files(files, territory(), today_in_paris())
        frame = pending(
            found, title=given["title"], source=given["source"], source_date=day, today=today_in_paris()
        )
        sealed = seal(frame, actor=actor(), secret_key=_secret_key(), now=dt.datetime.now(dt.UTC))
    except FrameError as fault:
        return render_template("staff/frame_files.html", faults=fault.faults, **given), UNPROCESSABLE
    return render_template("staff/frame_check.html", sealed=sealed, frame=frame, **_checked(found, day))


def _checked(found: FrameCheck, day: dt.date) -> dict[str, Any]:
    return {
        "check": found,
        "remarks": remarks(found, source_date=day, objecting=_objecting(found)),
        "lists": LISTS,
        "meanings": {meaning: name for meaning, (name, _) in MEANINGS.items()},
        "offices": {code: many for code, (_, _, many) in OFFICES.items()},
        "office_words": office_words,
        "shown": SHOWN,
    }


def _objecting(found: FrameCheck) -> list[Entry]:
    """Those who asked never to be written to again."""
    addresses = [address_of(_invitation(entry)) for entry in found.entries]
    willing = without_objections(db.session(), addresses)
    return [entry for entry, address in zip(found.entries, addresses, strict=True) if address not in willing]


def _invitation(entry: Entry) -> Invitation:
    """As it would be, once the list is imported and an edition asks: it is never stored."""
    unit = SampledUnit(
        authority_kind=entry.kind,
        authority_code=entry.code,
        civility=entry.civility,
        first_name=entry.first_name,
        last_name=entry.last_name,
        postal_address=entry.postal_address,
    )
    return Invitation(unit=unit, email=entry.email)


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as fault:
        raise FrameError("La date des fichiers s’écrit AAAA-MM-JJ.") from fault


def _secret_key() -> str:
    return cast(Settings, current_app.extensions["survey_settings"]).secret_key


@blueprint.post("")
@access.roles(DIRECTOR)
def confirm() -> ResponseReturnValue:
    """Write the list that was checked, whole."""
    try:
        frame = unseal(
            request.form.get("sealed", ""),
            actor=actor(),
            secret_key=_secret_key(),
            now=dt.datetime.now(dt.UTC),
        )
    except FrameError as fault:
        return refused("staff/frames.html", str(fault), frames=frames())
    made = import_frame(frame, actor=actor())
    what = counted(len(frame.units), "ligne importée", "lignes importées")
    flash(f"{what}." if made.new else "Cette liste était déjà importée\u00a0: rien n’a changé.")
    return redirect(url_for("staff_frames.show", frame_id=made.id), 303)


@blueprint.get("/<int:frame_id>")
@access.roles(DIRECTOR)
def show(frame_id: int) -> ResponseReturnValue:
    """One list: how many where, who is reached how, and who is on it."""
    return render_template("staff/frame.html", **_page(_frame_or_404(frame_id)))


def _page(frame: SamplingFrame) -> dict[str, Any]:
    units = units_of(frame.id)
    offices = [code for code in OFFICES if any(unit.office == code for unit in units)]
    page = max(request.args.get("page", 1, type=int), 1)
    return {
        "frame": frame,
        "units": units[(page - 1) * SHOWN : page * SHOWN],
        "number": len(units),
        "page": page,
        "pages": -(-len(units) // SHOWN),
        "counts": _counts(units),
        "offices": [(code, OFFICES[code][2]) for code in offices],
        "reached": Counter(_reached(unit) for unit in units),
        "office_words": office_words,
        "waves": [(wave.id, wave.title) for wave in _open_to_links()],
        "used_by": waves_of(frame.id),
        "kinds": [
            (code, words) for code, words in KINDS.items() if any(u.authority_kind == code for u in units)
        ],
        "arrondissements": sorted({(u.arrondissement, u.arrondissement) for u in units if u.arrondissement}),
        "unit_choices": [(code, words.capitalize()) for code, words in UNITS.items()],
    }


def _open_to_links() -> list[Wave]:
    """The editions in preparation that are answered by personal link."""
    return [wave for wave in waves() if wave.state == DRAFT and MODE in wave.modes]


def _counts(units: Iterable[SampledUnit]) -> list[tuple[str, Counter[str]]]:
    found: dict[str, Counter[str]] = {one.name: Counter() for one in organisation().arrondissements}
    for unit in sorted(units, key=lambda one: one.arrondissement or "\uffff"):
        found.setdefault(unit.arrondissement or "", Counter())[unit.office] += 1
    return list(found.items())


def _reached(unit: SampledUnit) -> str:
    return "email" if unit.email else "letter" if unit.postal_address else "nothing"


def _frame_or_404(frame_id: int) -> SamplingFrame:
    frame = find_frame(frame_id)
    if frame is None:
        abort(404)
    return frame


@blueprint.post("/<int:frame_id>/supprimer")
@access.roles(DIRECTOR)
def delete(frame_id: int) -> ResponseReturnValue:
    """Take a list out again, with the people on it."""
    frame = _frame_or_404(frame_id)
    try:
        delete_frame(frame_id, actor=actor())
    except FrameError as fault:
        return refused("staff/frame.html", str(fault), **_page(frame))
    flash("La liste est effacée.")
    return redirect(url_for("staff_frames.index"), 303)


@blueprint.post("/<int:frame_id>/destinataires")
@access.roles(DIRECTOR)
def fix(frame_id: int) -> ResponseReturnValue:
    """Who would be asked, stratum by stratum; written, with a link for each, once that was confirmed."""
    frame = _frame_or_404(frame_id)
    wave_id = request.form.get("wave", "")
    try:
        wave = next((wave for wave in _open_to_links() if wave.id == wave_id), None)
        if wave is None:
            raise FrameError("Choisissez une édition en préparation.")
        choice = _chosen()
        frozen = frozen_frame(frame_id, *choice)
        refuse_too_few(wave, frozen.population)
        if "confirmed" in request.form:
            return _fix(wave_id, frame_id, choice)
    except (FrameError, LinkError) as fault:
        return refused("staff/frame.html", str(fault), **_page(frame))
    return render_template(
        "staff/frame_strata.html", frame=frame, wave=wave, frozen=frozen, units=UNITS, choice=choice
    )


class _Choice(NamedTuple):
    unit: Unit
    kinds: tuple[str, ...]
    sublist: Sublist


def _chosen() -> _Choice:
    unit, kinds, offices = request.form.get("unit"), posted_list("kinds"), posted_list("offices")
    if unit not in UNITS or not kinds or not set(kinds) <= set(KINDS):
        raise FrameError("Choisissez qui répond, et au moins une sorte de collectivité.")
    only = Sublist(request.form.get("codes", ""), posted_list("arrondissements"))
    if unit == "authority":
        return _Choice("authority", kinds, only)
    if not offices or not set(offices) <= set(OFFICES):
        raise FrameError("Choisissez au moins une fonction\u00a0: une réponse par personne est demandée.")
    return _Choice("person", kinds, replace(only, offices=offices))


def _fix(wave_id: str, frame_id: int, choice: _Choice) -> ResponseReturnValue:
    written = freeze_for_wave(
        wave_id, frame_id, choice.unit, choice.kinds, sublist=choice.sublist, actor=actor()
    )
    links = prepare_links(wave_id, [(unit.unit_id, unit.stratum) for unit in written.units], actor=actor())
    flash(f"{counted(links, 'lien est prêt', 'liens sont prêts')}. Rien n’est encore envoyé.")
    return redirect(url_for("staff_frames.show", frame_id=frame_id), 303)
