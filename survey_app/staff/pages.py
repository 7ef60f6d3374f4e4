"""What all staff pages share: the rail, names in French, messages. Floor 5."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, cast

from flask import Flask, abort, current_app, g, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from analysis.display import tenths_of_percent
from form_definitions import LANGUAGES
from survey_app import strata
from survey_app.access import ASSISTANT, CONTRIBUTOR, DIRECTOR, READER, REFERENT, TECHNICIAN, may
from survey_app.clock import PARIS
from survey_app.definitions import organisation
from survey_app.exports.words import day_words, mode_label, percent, rate_words, verdict_label, whole
from survey_app.models import Wave
from survey_app.settings import Settings
from survey_app.waves import STATES, find_wave

UNPROCESSABLE: Final = 422

ANONYMITY: Final = {"anonymous": "Anonyme", "nominative": "Nominative, et le dit aux personnes"}


@dataclass(frozen=True)
class Rubric:
    """One line of the rail, and who sees it."""

    endpoint: str
    label: str
    roles: tuple[str, ...]


RAIL: Final = (
    Rubric("staff_home.home", "À faire", (ASSISTANT, CONTRIBUTOR, DIRECTOR, READER, TECHNICIAN)),
    Rubric("staff_results.choose", "Résultats", (ASSISTANT, CONTRIBUTOR, DIRECTOR, READER)),
    Rubric("staff_waves.index", "Éditions", (ASSISTANT, DIRECTOR)),
    Rubric("staff_questionnaires.index", "Questionnaires", (ASSISTANT,)),
    Rubric("staff_devices.index", "Tablettes", (ASSISTANT, TECHNICIAN)),
    Rubric("staff_exports.choose", "Exports", (ASSISTANT, CONTRIBUTOR, DIRECTOR, READER)),
    Rubric("staff_frames.index", "Listes d’élus", (DIRECTOR,)),
    Rubric("staff_past_results.index", "Années passées", (ASSISTANT,)),
    Rubric("staff_users.index", "Comptes", ()),
    Rubric("staff_audit.index", "Journal", (TECHNICIAN,)),
)


def site_name(code: str) -> str:
    """« Point numérique » for ``point_numerique``; on the pages of an edition also the name of a stratum."""
    if "stratum_names" not in g:
        g.stratum_names = strata.names_of((request.view_args or {}).get("wave_id"))
    return str(g.stratum_names.get(code) or organisation().site_name(code))


def language_name(code: str) -> str:
    """« Français » for ``fr``."""
    return LANGUAGES[code].own_name if code in LANGUAGES else code


def install(app: Flask) -> None:
    """Give the templates of the staff pages their words."""
    app.context_processor(_common)
    app.jinja_env.filters.update(
        {
            "site": site_name,
            "mode": mode_label,
            "language": language_name,
            "rate": rate_words,
            "percent": percent,
            "whole": whole,
            "day": day_words,
            "moment": moment,
            "verdict": verdict_label,
            "wave_state": lambda state: STATES.get(state, state),
        }
    )


def _common() -> dict[str, Any]:
    if not request.path.startswith("/gestion"):
        return {}
    settings = cast(Settings, current_app.extensions["survey_settings"])
    return {
        "rail": _rail() if current_user.is_authenticated else (),
        "organisation_name": organisation().short_name,
        "demonstration": settings.demonstration,
        "REFERENT": REFERENT,
    }


def _rail() -> list[dict[str, Any]]:
    """The rubrics this person may open; the one that is open, marked."""
    here = request.blueprint
    return [
        {
            "address": url_for(rubric.endpoint),
            "label": rubric.label,
            "current": rubric.endpoint.partition(".")[0] == here,
        }
        for rubric in RAIL
        if may(*rubric.roles)
    ]


def one_decimal(share: float) -> str:
    """« 75,0 % »: always one decimal, half up, so that a column of rates lines up."""
    tenths = tenths_of_percent(share)
    return f"{tenths // 10},{tenths % 10}\u202f%"


def month_name(period: str) -> str:
    """« novembre 2026 » for ``2026-11``."""
    return day_words(date.fromisoformat(f"{period}-01")).partition(" ")[2]


def period_name(period: str) -> str:
    """A month or a quarter in words."""
    year, _, quarter = period.partition("-T")
    return f"{quarter}ᵉ trimestre {year}".replace("1ᵉ", "1ᵉʳ") if quarter else month_name(period)


def moment(at: datetime | None) -> str:
    """« 23 novembre 2026 à 14:05 », Paris time."""
    if at is None:
        return "jamais"
    local = at.astimezone(PARIS)
    return f"{day_words(local.date())} à {local:%H:%M}"


def actor() -> str:
    """Who acts, for the log."""
    return str(current_user.email)


def wave_or_404(wave_id: str) -> Wave:
    """The wave of this address."""
    wave = find_wave(wave_id)
    if wave is None:
        abort(404)
    return wave


def refused(template: str, message: str, **context: Any) -> ResponseReturnValue:
    """The same page again, with what is wrong, as 422."""
    return render_template(template, wrong=message, **context), UNPROCESSABLE


def posted_list(name: str) -> tuple[str, ...]:
    """The ticked boxes of a group."""
    return tuple(request.form.getlist(name))


def choices(codes: Sequence[str], names: Any) -> list[tuple[str, str]]:
    """(code, name) pairs for a list of boxes."""
    return [(code, names(code)) for code in codes]
