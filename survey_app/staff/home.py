"""« À faire »: what needs attention now, in sentences. Floor 5."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from form_definitions import LANGUAGES
from survey_app import access, questionnaires
from survey_app.access import ASSISTANT, DIRECTOR, REFERENT, RESULT_READERS, TECHNICIAN, may
from survey_app.clock import today_in_paris
from survey_app.database import db
from survey_app.device_health import RED
from survey_app.disclosure import for_staff
from survey_app.exports.words import counted, day_words
from survey_app.fieldwork import follow_up
from survey_app.invitation_models import WaveFrame
from survey_app.mailing import lease, planning
from survey_app.models import Wave
from survey_app.reports import report_of, shown_before
from survey_app.responses import counts
from survey_app.staff.devices import health
from survey_app.staff.pages import site_name
from survey_app.staff.responses import FLAGGED
from survey_app.staff.to_complete import (
    coverage_of,
    languages_to_review,
    values_to_fill,
)
from survey_app.staff.unreadable import waiting_for_a_decision
from survey_app.strata import frame_of
from survey_app.waves import CLOSED, DRAFT, OPEN, SEALED, waves
from survey_app.waves import why_not as why_not_now

blueprint = Blueprint("staff_home", __name__, url_prefix="/gestion")
NEAR_THE_END: Final = timedelta(days=7)
STILL_SEALED: Final = " D’ici là, ses réponses restent scellées, et la clé qui les ouvre existe encore."


@dataclass(frozen=True)
class Sentence:
    """One thing to know or do, with where to do it."""

    text: str
    address: str | None = None
    kind: str = ""


@blueprint.get("/")
@access.everyone_signed_in
def home() -> ResponseReturnValue:
    """The page that opens after signing in."""
    today = today_in_paris()
    known = waves()
    sentences = [s for wave in known for s in _about_wave(wave, today)]
    if may(ASSISTANT, TECHNICIAN):
        sentences += _about_devices()
    if may(ASSISTANT):
        sentences += [*_about_drafts(), *_about_translations(), *_about_organisation()]
    if may(DIRECTOR):
        sentences += [s for wave in known for s in _about_mail(wave)]
    current = [wave for wave in known if wave.state == OPEN]
    return render_template("staff/home.html", sentences=sentences, current=current)


def _about_wave(wave: Wave, today: date) -> list[Sentence]:
    review = _about_flagged(wave) if wave.state in (OPEN, CLOSED) and may(REFERENT) else []
    if wave.state == OPEN and may(*RESULT_READERS):
        return [*_about_fieldwork(wave), *_about_dates(wave, today), *review]
    if wave.state == CLOSED and may(REFERENT):
        review += _about_unreadable(wave)
    return [*review, *_about_life(wave, today)] if may(ASSISTANT) else []


def _about_unreadable(wave: Wave) -> list[Sentence]:
    """Answers by personal link that hold up the others."""
    told = waiting_for_a_decision(wave.id)
    address = url_for("staff_unreadable.ask", wave_id=wave.id)
    return [Sentence(f"{wave.title}\u00a0: {told}.", address, "urgent")] if told else []


def _about_flagged(wave: Wave) -> list[Sentence]:
    """The doubtful responses that the referent may still count: once the edition is sealed, nobody can."""
    number = counts.undecided(wave.id)
    words = counted(number, "réponse signalée ne compte pas", "réponses signalées ne comptent pas")
    text = f"{wave.title}\u00a0: {words}. À revoir avant de sceller l’édition."
    address = url_for("staff_responses.index", wave_id=wave.id, _anchor=FLAGGED)
    return [Sentence(text, address)] if number else []


def _about_fieldwork(wave: Wave) -> list[Sentence]:
    frame = frame_of(wave.id)
    if frame is not None:
        return _about_invited(wave, frame)
    report = report_of(wave, before=shown_before(wave, live=may(REFERENT)))
    results = url_for("staff_results.show", wave_id=wave.id)
    missing = [
        Sentence(
            f"{wave.title}, {site_name(site)}\u00a0: "
            f"encore {counted(n, 'réponse', 'réponses')} pour ±6 points.",
            results,
        )
        for site, n in report.missing_for_margin.items()
        if n
    ]
    axes = len(for_staff(report).axes)
    if axes:
        words = counted(axes, "engagement est sous le seuil", "engagements sont sous le seuil")
        missing.append(Sentence(f"{wave.title}\u00a0: {words}.", results, "urgent"))
    if not missing:
        missing.append(Sentence(f"{wave.title}\u00a0: chaque site a assez de réponses.", results, "calm"))
    return missing


def _about_invited(wave: Wave, frame: WaveFrame) -> list[Sentence]:
    """Answers by personal link lie sealed: only how many they are is known, and not to everybody."""
    if not may(ASSISTANT, DIRECTOR):
        return []
    whole = follow_up(frame).lines(None if may(REFERENT) else "staff")[-1]
    answered = whole.counts["complete"]
    told = "" if answered is None else f"{counted(answered, 'réponse', 'réponses')} sur "
    words = f"{wave.title}\u00a0: {told}{counted(whole.invited, 'invitation', 'invitations')}."
    return [Sentence(words, url_for("staff_fieldwork.show", wave_id=wave.id), "calm")]


def _about_dates(wave: Wave, today: date) -> list[Sentence]:
    address = url_for("staff_waves.show", wave_id=wave.id)
    if wave.closes_on < today:
        text = f"{wave.title} devait finir le {day_words(wave.closes_on)}\u00a0: fermez-la."
        text += STILL_SEALED if frame_of(wave.id) else ""
        return [Sentence(text, address, "urgent")]
    if wave.closes_on - today <= NEAR_THE_END:
        return [Sentence(f"{wave.title} finit le {day_words(wave.closes_on)}.", address)]
    return []


def _about_life(wave: Wave, today: date) -> list[Sentence]:
    address = url_for("staff_waves.show", wave_id=wave.id)
    late = wave.state == DRAFT and wave.opens_on <= today
    why_not = (why_not_now("open", wave) if late else "") or "Ouvrez-la."
    when_empty = " quand les tablettes sont vides" if "tablet" in wave.modes else ""
    why_not_seal = why_not_now("seal", wave) if wave.state == CLOSED else ""
    texts = {
        DRAFT: f"{wave.title} devait ouvrir le {day_words(wave.opens_on)}. {why_not}" if late else "",
        CLOSED: f"{wave.title} est close. {why_not_seal}"
        if why_not_seal
        else f"{wave.title} est close\u00a0: scellez-la{when_empty}.",
        SEALED: f"{wave.title} est scellée\u00a0: publiez ses résultats.",
    }
    text = texts.get(wave.state, "")
    return [Sentence(text, address)] if text else []


def _about_mail(wave: Wave) -> Iterator[Sentence]:
    """What waits for a decision, and why nothing leaves."""
    session, address = db.session(), url_for("staff_mailings.index", wave_id=wave.id)
    undecided = planning.uncertain_count(session, wave.id)
    if undecided and may(REFERENT):
        words = counted(undecided, "message incertain est à décider.", "messages incertains sont à décider.")
        yield Sentence(f"{wave.title}\u00a0: {words}", address, "urgent")
    if planning.is_leaving(session, wave.id) and lease.trouble(session):
        yield Sentence(f"{wave.title}\u00a0: les courriels ne partent plus.", address, "urgent")


def _about_drafts() -> list[Sentence]:
    return [
        Sentence(
            f"Le brouillon «\u202f{draft.slug or 'sans nom lisible'}\u202f» attend d’être corrigé ou publié.",
            url_for("staff_questionnaires.draft", draft_id=draft.id),
        )
        for draft in questionnaires.drafts()
    ]


def _about_translations() -> Iterator[Sentence]:
    for version in questionnaires.newest_versions():
        address = url_for("staff_questionnaires.version", digest=version.digest, _anchor="translations")
        for spoken in coverage_of(version):
            missing, stale = len(spoken.missing), len(spoken.stale)
            head = Markup("{}, {}\u00a0: ").format(version.title, _named(spoken.language))
            if missing:
                yield Sentence(
                    head + counted(missing, "texte est à traduire.", "textes sont à traduire."), address
                )
            if stale:
                words = counted(stale, "traduction ne sert plus.", "traductions ne servent plus.")
                yield Sentence(head + words, address)


def _about_organisation() -> Iterator[Sentence]:
    address = url_for("staff_questionnaires.index", _anchor="to-review")
    for language in languages_to_review():
        text = Markup("{}\u00a0: la traduction est à relire, par une personne nommée.")
        yield Sentence(text.format(_named(language.code)), address)
    for sentence in values_to_fill().values():
        yield Sentence(sentence, address)


def _named(code: str) -> Markup:
    language = LANGUAGES[code]
    return Markup('<span lang="{}" dir="{}">{}</span>').format(code, language.direction, language.own_name)


def _about_devices() -> Iterator[Sentence]:
    """The tablets that are not well, with the first reason of each, said once; their page has the others."""
    address = url_for("staff_devices.index")
    named: dict[tuple[str, str], list[str]] = {}
    for one in health():
        if one.reasons:
            place = f" ({site_name(one.device.site)})" if one.device.site else ""
            named.setdefault((one.colour, one.reasons[0]), []).append(
                f"«\u202f{one.device.name}\u202f»{place}"
            )
    for (colour, reason), places in named.items():
        yield Sentence(f"{', '.join(places)}\u00a0: {reason}", address, "urgent" if colour == RED else "")
