"""What the form of a wave sends, read into a `WavePlan`; every fault in a French sentence. Floor 5."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from typing import Any

from werkzeug.datastructures import MultiDict

from form_definitions import Questionnaire
from survey_app.waves import WaveError, WavePlan

EXPECTED = "expected_"


def read_plan(
    form: MultiDict[str, str], questionnaire: Questionnaire, *, wave_id: str | None = None
) -> WavePlan:
    """The plan that the form describes; raises `WaveError` with every unreadable field."""
    faults: list[str] = []
    sites = tuple(form.getlist("sites"))
    plan: dict[str, Any] = {
        "id": wave_id or form.get("id", "").strip(),
        "title": form.get("title", "").strip(),
        "questionnaire_digest": form.get("questionnaire_digest", ""),
        "opens_on": _day(form, "opens_on", "Le début", faults),
        "closes_on": _day(form, "closes_on", "La fin", faults),
        "sites": sites,
        "expected_visits": _expected(form, questionnaire, faults),
        "anonymity": form.get("anonymity", "anonymous"),
        "population": _whole(form, "population", "La population", faults),
        "threshold": _threshold(form, faults),
        "method": form.get("method", "wilson"),
        "minimum_base": _whole(form, "minimum_base", "La base minimale", faults) or 30,
    }
    for name in ("modes", "languages", "headline_modes", "headline_sites"):
        plan[name] = tuple(form.getlist(name))
    if faults:
        raise WaveError(" ".join(faults))
    return WavePlan(**plan)


def _day(form: Mapping[str, str], name: str, label: str, faults: list[str]) -> date | None:
    try:
        return date.fromisoformat(form.get(name, ""))
    except ValueError:
        faults.append(f"{label} est une date, comme 2026-10-01.")
        return None


def _whole(form: Mapping[str, str], name: str, label: str, faults: list[str]) -> int | None:
    text = form.get(name, "").replace("\u202f", "").replace(" ", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):  # noqa: PLR2004 (fits every database)
        faults.append(f"{label} est un nombre entier, ou reste vide.")
        return None
    return int(text)


def _threshold(form: Mapping[str, str], faults: list[str]) -> Fraction:
    """« 3/4 », « 75 % » or « 0,75 »."""
    text = form.get("threshold", "3/4").replace(",", ".").replace("\u202f", "").replace(" ", "").strip()
    try:
        share = Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)
    except (ValueError, ZeroDivisionError):
        faults.append("Le seuil est une fraction, comme 3/4.")
        return Fraction(3, 4)
    return share


def _expected(form: Mapping[str, str], questionnaire: Questionnaire, faults: list[str]) -> dict[str, int]:
    counts = {
        site: _whole(form, EXPECTED + site, "Le nombre de visites attendues", faults)
        for site in questionnaire.sites
    }
    return {site: count for site, count in counts.items() if count is not None}
