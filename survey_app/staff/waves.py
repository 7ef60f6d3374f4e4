"""« Éditions »: prepare, open, close, seal, publish. Floor 5."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from form_definitions import SOURCE_LANGUAGE, Questionnaire
from survey_app import access, questionnaires, waves
from survey_app.access import ASSISTANT, DIRECTOR, REFERENT, may
from survey_app.clock import today_in_paris
from survey_app.database import DatabaseUnavailable, db
from survey_app.exports.words import METHOD_LABELS, day_words, mode_label
from survey_app.invitations import mixing
from survey_app.invitations.pool import MixingError
from survey_app.invitations.preparing import MODE, destroy_unused_key
from survey_app.models import QuestionnaireVersion, Wave
from survey_app.responses import counts
from survey_app.responses.link_balance import TOO_FEW
from survey_app.responses.record_keys import KeyFileError
from survey_app.staff.pages import ANONYMITY, actor, choices, language_name, refused, site_name, wave_or_404
from survey_app.staff.unreadable import waiting_for_a_decision
from survey_app.staff.wave_acts import ACTS, STARTS, said_of
from survey_app.staff.wave_form import form_of, read_plan, usual_form
from survey_app.strata import frame_of
from survey_app.waves import EXPECTED, METHODS, PlanFault

blueprint = Blueprint("staff_waves", __name__, url_prefix="/gestion/editions")


@blueprint.get("")
@access.roles(ASSISTANT, DIRECTOR)
def index() -> ResponseReturnValue:
    """All waves, newest first, and which questionnaires a new one can use."""
    elsewhere = len(counts.review_list(None)) if access.may(REFERENT) else 0
    return render_template(
        "staff/waves.html",
        waves=waves.waves(),
        versions=questionnaires.newest_versions(),
        elsewhere=elsewhere,
    )


@blueprint.get("/<wave_id>")
@access.roles(ASSISTANT, DIRECTOR)
def show(wave_id: str) -> ResponseReturnValue:
    """What a wave declared, and its next step."""
    return render_template("staff/wave.html", **_page(wave_or_404(wave_id)))


def _page(wave: Wave) -> dict[str, object]:
    newest = questionnaires.current_version(wave.survey.questionnaire_slug)
    movable = wave.state == waves.OPEN and newest is not None and newest.digest != wave.questionnaire_digest
    return {
        "wave": wave,
        "states": waves.STATES,
        "newer": newest if movable else None,
        "waiting": waves.waiting_records(wave.id),
        "dates_can_move": waves.dates_can_move(wave),
        "later": _later(wave),
        "anonymity": ANONYMITY,
        "methods": METHOD_LABELS,
        "unreadable": waiting_for_a_decision(wave.id) if MODE in wave.modes and may(REFERENT) else "",
        "withheld": TOO_FEW if MODE in wave.modes and mixing.were_withheld(wave.id) else "",
    }


@blueprint.get("/nouvelle/<digest>")
@access.roles(REFERENT)
def new(digest: str) -> ResponseReturnValue:
    """The form of a new wave of this questionnaire."""
    version = _version(digest)
    return _form(version, usual_form(version))


@blueprint.post("/nouvelle/<digest>")
@access.roles(REFERENT)
def create(digest: str) -> ResponseReturnValue:
    """Create a wave in preparation."""
    version = _version(digest)
    return _save(version, None, lambda plan: waves.create_wave(plan, actor=actor()))


@blueprint.get("/<wave_id>/modifier")
@access.roles(REFERENT)
def edit(wave_id: str) -> ResponseReturnValue:
    """The form of a wave that has not opened; of one that can still move its dates, the dates."""
    wave = _changeable(wave_id)
    return _form(wave.questionnaire_version, form_of(waves.plan_of(wave)), wave=wave)


@blueprint.post("/<wave_id>/modifier")
@access.roles(REFERENT)
def change(wave_id: str) -> ResponseReturnValue:
    """Change what a wave declares, before it opens, or its dates while nothing came."""
    wave = _changeable(wave_id)
    version = wave.questionnaire_version
    if wave.state == waves.DRAFT:
        return _save(version, wave, lambda plan: waves.change_wave(wave_id, plan, actor=actor()))
    form, declared = form_of(waves.plan_of(wave)), waves.plan_of(wave)
    for name in ("opens_on", "closes_on"):
        form[name] = request.form.get(name, "")

    def move_dates(plan: waves.WavePlan) -> None:
        moved = replace(declared, opens_on=plan.opens_on, closes_on=plan.closes_on)
        waves.change_wave(wave_id, moved, actor=actor())

    return _save(version, wave, move_dates, form)


def _changeable(wave_id: str) -> Wave:
    wave = wave_or_404(wave_id)
    if wave.state != waves.DRAFT and not waves.dates_can_move(wave):
        abort(404)
    return wave


def _save(
    version: QuestionnaireVersion,
    wave: Wave | None,
    save: Callable[[waves.WavePlan], object],
    form: MultiDict[str, str] | None = None,
) -> ResponseReturnValue:
    form = form or request.form.copy()
    form["questionnaire_digest"] = version.digest
    asked = questionnaires.questionnaire_of(version)
    plan, faults = read_plan(form, asked, wave_id=wave.id if wave else None)
    if faults:
        return _form(version, form, wave=wave, faults=faults)
    try:
        save(plan)
    except waves.WaveError as fault:  # somebody else was quicker
        return _form(version, form, wave=wave, wrong=str(fault))
    flash("L’édition est enregistrée.")
    for other in waves.overlapping(plan):
        flash(
            f"Ses dates croisent celles de «\u202f{other.title}\u202f»\u00a0: "
            "une seule édition de cette enquête s’ouvre à la fois."
        )
    return redirect(url_for("staff_waves.show", wave_id=plan.id), 303)


def _form(
    version: QuestionnaireVersion,
    form: MultiDict[str, str],
    *,
    wave: Wave | None = None,
    wrong: str = "",
    faults: Sequence[PlanFault] = (),
) -> ResponseReturnValue:
    questionnaire = questionnaires.questionnaire_of(version)
    context: dict[str, Any] = {
        "version": version,
        "form": form,
        "wave": wave,
        "only_dates": wave is not None and wave.state != waves.DRAFT,
        "expected": EXPECTED,
        "anonymity": list(ANONYMITY.items()),
        "methods": [(method, METHOD_LABELS[method]) for method in METHODS],
        "to_mend": faults,
        "wrong_fields": _by_field(faults),
        **_boxes(questionnaire, version.translations),
    }
    if wrong or faults:
        return refused("staff/wave_form.html", wrong, **context)
    return render_template("staff/wave_form.html", **context)


def _by_field(faults: Sequence[PlanFault]) -> dict[str, str]:
    told: dict[str, list[str]] = {}
    for fault in faults:
        told.setdefault(fault.field, []).append(fault.sentence)
    return {field: " ".join(sentences) for field, sentences in told.items()}


def _boxes(questionnaire: Questionnaire, translations: Mapping[str, Any]) -> dict[str, object]:
    return {
        "sites": choices(questionnaire.sites, site_name),
        "modes": choices(questionnaire.modes, mode_label),
        "languages": choices((SOURCE_LANGUAGE, *translations), language_name),
    }


_STEP: Final = f"/<wave_id>/<any({', '.join(ACTS)}):act>"


@blueprint.get(_STEP)
@access.roles(REFERENT)
def ask_step(wave_id: str, act: str) -> ResponseReturnValue:
    """What a step starts or stops, and for whom; or why it cannot be taken now."""
    wave, said = wave_or_404(wave_id), ACTS[act]
    reason = waves.why_not(said.step, wave)
    if reason:
        return refused("staff/wave.html", reason, **_page(wave))
    told = [sentence for mode, sentence in said.by_mode.items() if mode in wave.modes]
    when = _when(wave) if said.by_mode is STARTS else said.heading
    notes = [note for note in said.notes if said_of(note, wave.modes)]
    return render_template(
        "staff/wave_step.html", wave=wave, act=said, notes=notes, told=told, told_title=when
    )


@blueprint.post(_STEP)
@access.roles(REFERENT)
def step(wave_id: str, act: str) -> ResponseReturnValue:
    """The next step in the life of a wave."""
    wave, said = wave_or_404(wave_id), ACTS[act]
    later, key_id = _later(wave), _key_of(wave_id)
    try:
        waves.take_step(said.step, wave_id, actor=actor())
    except waves.WaveError as fault:
        return refused("staff/wave.html", str(fault), **_page(wave))
    flash(_received_from(later) if later and said.by_mode is STARTS else said.done)
    if said.step == "close":
        _mix(wave_id)
    if said.step == waves.DELETE:
        if key_id:
            destroy_unused_key(wave_id, key_id, actor=actor())
        return redirect(url_for("staff_waves.index"), 303)
    return redirect(url_for("staff_waves.show", wave_id=wave_id), 303)


def _key_of(wave_id: str) -> str | None:
    frame = frame_of(wave_id)
    return frame.key_id if frame else None


def _mix(wave_id: str) -> None:
    """What was answered by personal link becomes countable at once; what goes wrong here is tried again."""
    try:
        mixing.finish(wave_id, actor=actor())
        if mixing.were_withheld(wave_id):
            flash(TOO_FEW)
    except (MixingError, KeyFileError, DatabaseUnavailable) as fault:
        flash(f"Le mélange des réponses par lien personnel n’est pas fini. {fault}")


def _later(wave: Wave) -> date | None:
    """The first day of an edition that has not begun: until then nobody is asked."""
    return wave.opens_on if wave.opens_on > today_in_paris() else None


def _when(wave: Wave) -> str:
    """From when to when an edition asks."""
    first, last = _later(wave), day_words(wave.closes_on)
    return f"{f'Du {day_words(first)}' if first else 'De maintenant'} au {last}"


def _received_from(first: date) -> str:
    return f"L’édition est ouverte\u00a0: elle recevra des réponses à partir du {day_words(first)}."


@blueprint.get("/<wave_id>/version/<digest>")
@access.roles(REFERENT)
def ask_move(wave_id: str, digest: str) -> ResponseReturnValue:
    """What moving an open wave to another version would change and break."""
    wave, version = wave_or_404(wave_id), _version(digest)
    try:
        changes = waves.changes_of_move(wave, version)
    except waves.WaveError:
        abort(404)
    return render_template("staff/wave_move.html", wave=wave, version=version, changes=changes)


@blueprint.post("/<wave_id>/version/<digest>")
@access.roles(REFERENT)
def move(wave_id: str, digest: str) -> ResponseReturnValue:
    """Move an open wave to another version."""
    wave = wave_or_404(wave_id)
    try:
        waves.move_to_questionnaire(wave_id, digest, actor=actor())
    except waves.WaveError as fault:
        return refused("staff/wave.html", str(fault), **_page(wave))
    flash("L’édition continue avec la nouvelle version. Les tablettes la prennent à leur prochain contact.")
    return redirect(url_for("staff_waves.show", wave_id=wave_id), 303)


def _version(digest: str) -> QuestionnaireVersion:
    version = db.session.get(QuestionnaireVersion, digest)
    if version is None:
        abort(404)
    return version
