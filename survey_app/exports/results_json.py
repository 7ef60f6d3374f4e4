"""The figures of a wave for programs: unrounded, with everything needed to read them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, BinaryIO

from analysis.axes import CommitmentResult, Result
from analysis.disclosure import ShownFigures
from survey_app.exports.source import ReportSource


def write_json(source: ReportSource, stream: BinaryIO) -> None:
    """Write the results; the lines of `results` are those of `python -m analysis --format json`."""
    text = json.dumps(results(source), ensure_ascii=False, indent=2, allow_nan=False)
    stream.write(text.encode() + b"\n")


def results(source: ReportSource) -> dict[str, Any]:
    """The content of the file."""
    report, shown = source.report, source.shown
    return {
        "wave": _wave(source),
        "questionnaire_digest": report.questionnaire_digest,
        "settings": _settings(source),
        "filters": dict(source.filters),
        "responses": report.responses,
        "complete": report.complete,
        "headline_responses": report.headline.responses,
        "set_aside": dict(source.set_aside),
        "practice": source.practice,
        "on_tablets": {
            site: {"started": met.started, "complete": met.complete, "completion_rate": met.completion_rate}
            for site, met in report.on_tablets.items()
        },
        "assistance": source.shown.assistance,
        "refusals": [
            {"site": site, "day": day.isoformat(), "refusals": number}
            for (site, day), number in source.refusals.items()
        ],
        "results": [line for result in shown.commitments for line in _lines(result)],
        "hidden_axes": [{"site": axis.site, **axis.result.as_json()} for axis in shown.hidden_axes],
        "by_site": _groups(shown.by_site),
        "by_mode": _groups(shown.by_mode),
        "by_language": _groups(shown.by_language),
        "by_month": _groups(shown.by_period),
        "notices": [*report.notices, *(flag.reason for flag in shown.flags)],
        "written_at": source.written_at.isoformat(timespec="seconds"),
        "software": dict(source.software),
    }


def _wave(source: ReportSource) -> dict[str, Any]:
    wave = source.wave
    return {
        "code": wave.code,
        "title": wave.title,
        "survey": wave.survey_title,
        "organisation": wave.organisation,
        "state": wave.state,
        "opens_on": wave.opens_on.isoformat(),
        "closes_on": wave.planned_end.isoformat(),
        "last_day": wave.last_day.isoformat(),
        "synthetic": wave.synthetic,
        "population": wave.population,
        "headline_sites": list(wave.headline_sites),
        "headline_modes": list(wave.headline_modes),
    }


def _settings(source: ReportSource) -> dict[str, Any]:
    settings = source.report.settings
    return {
        "threshold": str(settings.threshold),
        "confidence": settings.confidence,
        "method": settings.method,
        "minimum_base": settings.minimum_base,
        "population": source.report.headline.population,
    }


def _lines(result: CommitmentResult) -> list[dict[str, object]]:
    lines: tuple[Result, ...] = (result, *result.items)
    return [line.as_json() for line in lines]


def _groups(groups: Mapping[str, ShownFigures]) -> dict[str, Any]:
    """Counts of each group, and its commitments unless so few people make them up that one could be known."""
    return {
        name: {
            "responses": figures.responses,
            "complete": figures.complete,
            "commitments": [result.as_json() for result in figures.commitments if not result.withheld],
        }
        for name, figures in groups.items()
    }
