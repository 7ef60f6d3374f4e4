"""The edition of the visitors: weeks of answers, beside the figures of a year before."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Any, Final

from analysis.tally import CellLayout, CountedResponse
from form_definitions import Questionnaire, load_questionnaire, load_translations
from form_definitions.library import FOLDER
from survey_app.exports.asked_items import AskedItems
from survey_app.past_counts import COLUMNS
from survey_app.past_results import import_counts
from survey_app.questionnaires import publish_source
from survey_app.responses import inbox
from survey_app.responses.credentials import Credential
from survey_app.responses.envelope import Envelope, encode_body, sealed, write_envelope
from survey_app.responses.link_facts import MODE
from survey_app.responses.record_keys import PublicKey, held
from survey_app.synthetic_answers import Person, Population, people
from survey_app.waves import WavePlan, create_wave, open_wave

SOURCE: Final = FOLDER / "questionnaires" / "users.yaml"
ACTOR = "démonstration"
SEED = 2026
BEFORE_SIZE, BEFORE_SHARE = 600, 0.9
"""The year before: so many people, content this much less often."""
PRACTICE = 3
"""So many of the first answers are marked as practice: shown, never counted."""
BEFORE, AFTER = timedelta(days=49), timedelta(days=60)
NOON = time(12, 0, tzinfo=UTC)


def visitors_edition(today: date) -> str:
    """The code of the edition."""
    return f"usagers-{today.year}"


def make_edition(population: Population, today: date) -> None:
    """This year's edition, open, with the answers of these people in the inbox."""
    version = publish_source(SOURCE.read_text(encoding="utf-8"), load_translations(), actor=ACTOR)
    questionnaire = load_questionnaire(SOURCE)
    sites = tuple(questionnaire.sites)
    modes = tuple(mode for mode in questionnaire.modes if mode != MODE)
    plan = WavePlan(
        id=visitors_edition(today),
        title=f"Usagers {today.year}",
        questionnaire_digest=version.digest,
        opens_on=today - BEFORE,
        closes_on=today + AFTER,
        sites=sites,
        languages=tuple(dict.fromkeys(("fr", *population.languages))),
        modes=modes,
        headline_modes=modes,
        headline_sites=sites,
        synthetic=True,
    )
    create_wave(plan, actor=ACTOR)
    open_wave(plan.id, actor=ACTOR, today=today)
    everybody = people(questionnaire, population, first=plan.opens_on, last=today, seed=SEED)
    _send(list(everybody), plan)
    _import_year_before(questionnaire, population, plan)


def _import_year_before(questionnaire: Questionnaire, population: Population, plan: WavePlan) -> None:
    """Counts of a less content year, brought in as a prefecture brings those of its spreadsheets."""
    earlier = replace(
        population,
        size=BEFORE_SIZE,
        satisfied={code: share * BEFORE_SHARE for code, share in population.satisfied.items()},
    )
    layout, asked = CellLayout(questionnaire), AskedItems(questionnaire)
    total = layout.merge(
        layout.vector(CountedResponse(one.answers, asked.of(one.mode, one.site, one.answers), one.complete))
        for one in people(questionnaire, earlier, first=plan.opens_on, last=plan.opens_on, seed=SEED - 1)
    )
    measured = [(place.code, item) for place in layout.commitments.values() for item in place.items]
    counted = [(code, item, layout.tally(total, item)) for code, item in measured]
    lines = [",".join(COLUMNS), *(f"{code},{item},{t.favourable},{t.base}" for code, item, t in counted)]
    year = plan.opens_on.year - 1
    title = f"{year}, réponses inventées"
    import_counts(questionnaire.slug, year, title, "\n".join(lines), source=ACTOR, actor=ACTOR)


def _send(everybody: list[Person], plan: WavePlan) -> None:
    """Into the inbox, in one batch per tablet and one for the rest."""
    practising = {id(person) for person in everybody[:PRACTICE]}
    ordered = sorted(everybody, key=_sender)
    for (mode, site), group in groupby(ordered, key=_sender):
        credential = Credential(mode, site=site or None)
        key = held().current() if mode == "tablet" else None
        envelopes = (_envelope(person, plan, id(person) in practising, key) for person in group)
        _accept(envelopes, mode, credential)


def _sender(person: Person) -> tuple[str, str]:
    """A tablet's site is its own; website and paper answers say theirs."""
    return person.mode, person.site if person.mode == "tablet" else ""


def _accept(envelopes: Iterable[bytes], mode: str, credential: Credential) -> None:
    for fate in inbox.accept_all(envelopes, source=mode, credential=credential):
        if not isinstance(fate, inbox.Receipt):
            raise fate


def _envelope(person: Person, plan: WavePlan, practice: bool, key: PublicKey | None) -> bytes:
    body: dict[str, Any] = {
        "answers": dict(person.answers),
        "language": person.language,
        "site": None if person.mode == "tablet" else person.site,
        "complete": person.complete,
        "practice": practice,
        "started_at": None,
        "finished_at": datetime.combine(person.day, NOON).isoformat(),
        "clock_offset_ms": 0,
        "assisted": person.assisted,
    }
    envelope = Envelope(
        id=str(uuid.uuid4()),
        revision=0,
        device=None,
        seq=None,
        prev=None,
        wave=plan.id,
        questionnaire_digest=plan.questionnaire_digest,
        bundle_digest=None,
        body=encode_body(body),
    )
    return write_envelope(envelope if key is None else sealed(envelope, key))
