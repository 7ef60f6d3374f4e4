"""Rows → the plain values that ``analysis`` and the exports read. Reading only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.tally import Cell64, CellLayout
from analysis.wave_report import Cell
from form_definitions import QUESTION_TYPES, Questionnaire
from survey_app.database import db
from survey_app.invitation_models import AnonymousText
from survey_app.models import InboxConflict, InboxRecord, Response, Wave
from survey_app.responses import counting, noteworthy, tallies
from survey_app.responses.flags import OTHER_PERSON, countable
from survey_app.responses.link_facts import MODE


@dataclass(frozen=True)
class StoredResponse:
    """One person's answers, without anything that would point at the person."""

    record_id: str
    revision: int
    wave_id: str
    questionnaire_digest: str
    site: str
    mode: str
    language: str
    answered_on: dt.date
    complete: bool
    practice: bool
    assisted: bool | None
    answers: Mapping[str, Any]
    other_answers: Mapping[str, Any]
    flags: tuple[str, ...]
    counted: bool


@dataclass(frozen=True)
class Verbatim:
    """One free text, with what may be said around it: nothing, where it came by personal link."""

    record_id: str | None
    item: str
    text: str
    site: str | None
    mode: str
    language: str | None
    answered_on: dt.date | None


@dataclass(frozen=True)
class Fieldwork:
    """What a wave received so far: the method sheet and the staff page print it."""

    received: int
    waiting: int
    counted: int
    complete: int
    practice: int
    conflicts: int
    not_counted: Mapping[str, int]
    flagged: Mapping[str, int]


def cells(wave_id: str) -> list[Cell]:
    """The tally cells of a wave, all in the layout of its current questionnaire."""
    with db.engine.connect() as connection:
        layout = _current_layout(connection, wave_id)
        if layout is None:
            return []
        stored = tallies.cells_to_read(connection, wave_id)
        layouts = {key.digest: tallies.layout_of(connection, key.digest) for key in _one_per_digest(stored)}
    return [
        Cell(key.site, key.mode, key.language, key.day, _in_layout(vector, layouts[key.digest], layout))
        for key, vector in sorted(stored.items(), key=lambda pair: pair[0])
    ]


def _one_per_digest(stored: Mapping[tallies.CellKey, Cell64]) -> list[tallies.CellKey]:
    return list({key.digest: key for key in stored}.values())


def _in_layout(vector: Cell64, source: CellLayout | None, layout: CellLayout) -> Cell64:
    if source is None or source.digest == layout.digest:
        return vector
    return layout.adopt(vector, source)


def _current_layout(connection: Connection, wave_id: str) -> CellLayout | None:
    digest = connection.scalar(sa.select(Wave.questionnaire_digest).where(Wave.id == wave_id))
    return None if digest is None else tallies.layout_of(connection, digest)


def layout_of_wave(wave_id: str) -> CellLayout | None:
    """The layout of the cells that :func:`cells` gives; the same object from one call to the next."""
    with db.engine.connect() as connection:
        return _current_layout(connection, wave_id)


def responses(wave_id: str, *, counted_only: bool = True) -> Iterator[StoredResponse]:
    """The responses of a wave by day and record; row by row, so that a million fits in memory.

    The order tells nothing of the order of arrival: within a day it is that of random record ids.
    """
    order = (Response.answered_on, Response.record_id, Response.revision)
    query = sa.select(*Response.__table__.columns).where(Response.wave_id == wave_id).order_by(*order)
    with db.engine.connect() as connection:
        decisions = counting.latest_decisions(connection, wave_id)
        for row in connection.execute(query.execution_options(yield_per=1000)):
            counted = counting.is_counted(row, decisions.get((row.record_id, row.revision)))
            if counted or not counted_only:
                yield stored_response(row, counted)


def stored_response(row: Any, counted: bool) -> StoredResponse:
    values = {name: getattr(row, name) for name in StoredResponse.__dataclass_fields__ if name != "counted"}
    return StoredResponse(**{**values, "flags": tuple(row.flags)}, counted=counted)


def review_list(wave_id: str | None) -> list[StoredResponse]:
    """The flagged or uncounted responses of a wave (None: of no known wave), practice left out.

    A conflict that came after the judgement is not among the flags of its response: it is added here.
    """
    with db.engine.connect() as connection:
        listed, disputed = noteworthy.to_review(connection, wave_id)
        decisions = counting.decisions_about(connection, {row.record_id for row in listed})
    return [_reviewed(row, decisions, disputed) for row in listed]


def undecided(wave_id: str) -> int:
    """How many responses a flag keeps out of the figures, of which nobody decided yet whether they count."""
    with db.engine.connect() as connection:
        listed, _ = noteworthy.to_review(connection, wave_id)
        decided = counting.decisions_about(connection, {row.record_id for row in listed})
    waiting = [row for row in listed if (row.record_id, row.revision) not in decided]
    return sum(countable(row.flags, practice=False) and not counting.is_counted(row, None) for row in waiting)


def _reviewed(
    row: Any, decisions: Mapping[tuple[str, int], str], disputed: set[tuple[str, int]]
) -> StoredResponse:
    key = (row.record_id, row.revision)
    response = stored_response(row, counting.is_counted(row, decisions.get(key)))
    if key not in disputed:
        return response
    return replace(response, flags=tuple(sorted({*response.flags, "conflict"})))


def verbatims(wave_id: str) -> Iterator[Verbatim]:
    """The free texts of the counted responses, those beside an option too; those without an author last."""
    with db.engine.connect() as connection:
        layouts = tallies.wave_layouts(connection, wave_id)
    for response in responses(wave_id):
        layout = layouts.get(response.questionnaire_digest)
        if layout is None:
            continue
        for name in text_keys(layout.questionnaire, response.answers):
            yield Verbatim(
                record_id=response.record_id,
                item=name,
                text=str(response.answers[name]),
                site=response.site,
                mode=response.mode,
                language=response.language,
                answered_on=response.answered_on,
            )
    yield from _anonymous_texts(wave_id)


def _anonymous_texts(wave_id: str) -> Iterator[Verbatim]:
    query = sa.select(AnonymousText.item, AnonymousText.text).where(AnonymousText.wave_id == wave_id)
    with db.engine.connect() as connection:
        for item, text in connection.execute(query.order_by(AnonymousText.item, AnonymousText.id)):
            yield Verbatim(None, item, text, None, MODE, None, None)


def text_keys(questionnaire: Questionnaire, answers: Mapping[str, Any]) -> list[str]:
    """The keys of the answers that a person typed freely."""
    return [name for name in answers if "." in name or _is_text(questionnaire, name)]


def _is_text(questionnaire: Questionnaire, name: str) -> bool:
    item = questionnaire.items_by_name.get(name)
    return item is not None and QUESTION_TYPES[item.question_type].free_text


def fieldwork(wave_id: str) -> Fieldwork:
    """What a wave received so far."""
    with db.engine.connect() as connection:
        layout = _current_layout(connection, wave_id)
        stored = tallies.cells_to_read(connection, wave_id)
        received = sa.select(sa.func.count(sa.distinct(InboxRecord.id))).where(InboxRecord.wave_id == wave_id)
        waiting = sa.select(sa.func.count()).where(
            InboxRecord.wave_id == wave_id, InboxRecord.judged_at.is_(None)
        )
        flagged = noteworthy.flag_totals(connection, wave_id)
        not_counted = noteworthy.reasons_not_counted(connection, wave_id)
        return Fieldwork(
            received=(connection.scalar(received) or 0) + flagged.get(OTHER_PERSON, 0),
            waiting=connection.scalar(waiting) or 0,
            counted=sum(int(vector[0]) for vector in stored.values()) if layout else 0,
            complete=sum(int(vector[1]) for vector in stored.values()) if layout else 0,
            practice=not_counted.pop("practice", 0),
            conflicts=_conflicts(connection, wave_id),
            not_counted=not_counted,
            flagged=flagged,
        )


def _conflicts(connection: Connection, wave_id: str) -> int:
    same = sa.and_(InboxConflict.id == InboxRecord.id, InboxConflict.revision == InboxRecord.revision)
    query = sa.select(sa.func.count()).select_from(InboxConflict).join(InboxRecord, same)
    return connection.scalar(query.where(InboxRecord.wave_id == wave_id)) or 0
