"""Which part of a wave a page of results shows: the filters of its address. Floor 5."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from flask import request

from survey_app.exports.words import mode_label
from survey_app.models import Wave
from survey_app.reports import periods_of
from survey_app.staff.pages import language_name, period_name, site_name
from survey_app.strata import sites_of

FILTERS: Final = {"site": "site", "mode": "mode", "langue": "language", "periode": "period"}
"""Name in the address → name in the report."""


class Filter(NamedTuple):
    """One list to choose from: its name in the address, its label, and each value with its words."""

    name: str
    label: str
    options: list[tuple[str, str]]


def selection() -> dict[str, str | None]:
    """The filters of the address; an empty one means all."""
    return {name: request.args.get(asked) or None for asked, name in FILTERS.items()}


def filters_of(wave: Wave) -> dict[str, Any]:
    """What the form of the filters shows: all options, those chosen, and a sentence about unknown ones."""
    filters = _filters(wave)
    return {
        "filters": filters,
        "wrong": _unknown_filters(wave, filters),
        "chosen": {asked: request.args.get(asked, "") for asked in FILTERS},
    }


def _unknown_filters(wave: Wave, filters: list[Filter]) -> str:
    """What the address asks for that this wave does not have; a week stands in no list."""
    unknown = [
        f"{label} «\u202f{value[:40]}\u202f»"
        for name, label, options in filters
        if (value := request.args.get(name, "")) not in dict(options)
        if not (name == "periode" and value in periods_of(wave, "week"))
    ]
    return f"Filtre inconnu dans cette édition\u00a0: {', '.join(unknown)}." if unknown else ""


def _filters(wave: Wave) -> list[Filter]:
    periods = periods_of(wave, "month", "quarter")
    return [
        Filter("site", "Site", [("", "Tous"), *((s, site_name(s)) for s in sites_of(wave))]),
        Filter("mode", "Mode", [("", "Tous"), *((m, mode_label(m)) for m in wave.modes)]),
        Filter("langue", "Langue", [("", "Toutes"), *((c, language_name(c)) for c in wave.languages)]),
        Filter("periode", "Période", [("", "Toutes"), *((p, period_name(p)) for p in periods)]),
    ]
