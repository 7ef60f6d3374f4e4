"""What a wave declares before it opens, and how its row keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from fractions import Fraction

from survey_app.models import Wave


@dataclass(frozen=True)
class WavePlan:
    """Everything a wave declares beforehand."""

    id: str
    title: str
    questionnaire_digest: str
    opens_on: date
    closes_on: date
    sites: tuple[str, ...]
    languages: tuple[str, ...]
    modes: tuple[str, ...]
    headline_modes: tuple[str, ...]
    headline_sites: tuple[str, ...]
    expected_visits: Mapping[str, int] = field(default_factory=dict)
    anonymity: str = "anonymous"
    population: int | None = None
    threshold: Fraction = Fraction(3, 4)
    confidence: str = "0.95"
    method: str = "wilson"
    minimum_base: int = 30
    synthetic: bool = False


def plan_of(wave: Wave) -> WavePlan:
    """What this wave declared."""
    return WavePlan(
        id=wave.id,
        title=wave.title,
        questionnaire_digest=wave.questionnaire_digest,
        opens_on=wave.opens_on,
        closes_on=wave.closes_on,
        sites=tuple(wave.sites),
        languages=tuple(wave.languages),
        modes=tuple(wave.modes),
        headline_modes=tuple(wave.headline_modes),
        headline_sites=tuple(wave.headline_sites),
        expected_visits=dict(wave.expected_visits),
        anonymity=wave.anonymity,
        population=wave.population,
        threshold=Fraction(wave.threshold_numerator, wave.threshold_denominator),
        confidence=wave.confidence,
        method=wave.method,
        minimum_base=wave.minimum_base,
        synthetic=wave.synthetic,
    )


def write_plan(wave: Wave, plan: WavePlan) -> None:
    """Make the wave declare this plan; visits expected at a site that it leaves out go."""
    for name in ("title", "questionnaire_digest", "opens_on", "closes_on", "anonymity", "population"):
        setattr(wave, name, getattr(plan, name))
    for name in ("confidence", "method", "minimum_base", "synthetic"):
        setattr(wave, name, getattr(plan, name))
    for name in ("sites", "languages", "modes", "headline_modes", "headline_sites"):
        setattr(wave, name, list(getattr(plan, name)))
    wave.expected_visits = {site: n for site, n in plan.expected_visits.items() if site in plan.sites}
    wave.threshold_numerator = plan.threshold.numerator
    wave.threshold_denominator = plan.threshold.denominator


def plan_for_the_log(plan: WavePlan) -> dict[str, object]:
    """The plan as the log of the staff's acts keeps it."""
    return {name: value if isinstance(value, int) else str(value) for name, value in asdict(plan).items()}
