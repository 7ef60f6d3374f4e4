"""The tally cells: changed in the transaction that changes what is counted; ``doctor`` recounts them.

On PostgreSQL everybody who changes tallies holds one advisory lock; on SQLite the write lock of the database
does the same. So a cell is read, added to and written without anybody in between.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from analysis.tally import Cell64, CellLayout, CountedResponse
from form_definitions import Questionnaire, from_canonical
from survey_app.models import QuestionnaireVersion, Response, ServerFact, TallyCell
from survey_app.responses.counting import counted_responses
from survey_app.responses.judge import asked_items

_ADVISORY_LOCK = 7_305_808_869_229_538
_PURGED = "responses-purged:"
_NAMES = "counter-names:"


class CellKey(NamedTuple):
    """What a cell is about."""

    wave_id: str
    digest: str
    site: str
    mode: str
    language: str
    day: dt.date


Change = Mapping[CellKey, Cell64]


# Built once: making a statement costs more than running it.
_SAME_DIGEST = QuestionnaireVersion.digest == sa.bindparam("digest")
_IS_PUBLISHED: sa.Select[Any] = sa.select(QuestionnaireVersion.digest).where(_SAME_DIGEST)
_SELECT_CANONICAL: sa.Select[Any] = sa.select(QuestionnaireVersion.canonical).where(_SAME_DIGEST)
_SELECT_CELL = sa.select(TallyCell.layout, TallyCell.counters)
_SELECT_CELLS: sa.Select[Any] = sa.select(
    *(getattr(TallyCell, name) for name in CellKey._fields), TallyCell.layout, TallyCell.counters
).where(TallyCell.wave_id == sa.bindparam("wave_id"))
_layouts: dict[str, CellLayout] = {}
"""By digest. A digest names one content for ever, so nothing here can become wrong."""


def layout_of(connection: Connection, digest: str) -> CellLayout | None:
    """The layout of a published questionnaire; None when this digest was never published here."""
    known = digest in _layouts
    found = connection.scalar(_IS_PUBLISHED if known else _SELECT_CANONICAL, {"digest": digest})
    if found is None:
        return None
    if not known:
        _layouts[digest] = CellLayout(from_canonical(bytes(found)))
    return _layouts[digest]


def questionnaire_of(connection: Connection, digest: str) -> Questionnaire | None:
    """The published questionnaire of this digest."""
    layout = layout_of(connection, digest)
    return None if layout is None else layout.questionnaire


def lock(connection: Connection) -> None:
    """Until the end of the transaction, nobody else changes tallies."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def key_of(response: Any) -> CellKey:
    """The cell to which a response belongs (a ``Response``, a row of it, or a judgement)."""
    return CellKey(
        response.wave_id,
        response.questionnaire_digest,
        response.site,
        response.mode,
        response.language,
        response.answered_on,
    )


def vector_of(layout: CellLayout, response: Any) -> Cell64:
    """The counters of one response. The same function adds it, takes it away and rebuilds."""
    asked = asked_items(layout.questionnaire, response.answers, response.mode, response.site)
    return layout.vector(CountedResponse(response.answers, asked, response.complete, response.assisted))


def summed(changes: Iterable[tuple[CellKey, Cell64]]) -> dict[CellKey, Cell64]:
    """The changes of many responses, one per cell."""
    total: dict[CellKey, Cell64] = {}
    for key, vector in changes:
        total[key] = total.get(key, 0) + vector
    return total


def apply(connection: Connection, changes: Change) -> None:
    """Add these counters to their cells; the caller holds :func:`lock` and did :func:`refresh_layouts`."""
    for key, vector in changes.items():
        layout = layout_of(connection, key.digest)
        if layout is None:
            raise LookupError(f"no published questionnaire has the digest {key.digest}")
        stored = connection.execute(_SELECT_CELL.where(_is(key))).one_or_none()
        if stored is None:
            row = {**key._asdict(), "layout": layout.digest, "counters": layout.to_bytes(vector)}
            connection.execute(sa.insert(TallyCell).values(row))
        elif stored.layout != layout.digest:
            raise LookupError(f"cells of {key.wave_id} follow other rules and their responses are gone")
        else:
            counters = layout.to_bytes(layout.from_bytes(stored.counters)[0] + vector)
            connection.execute(sa.update(TallyCell).where(_is(key)).values(counters=counters))


def refresh_layouts(connection: Connection, digests: Iterable[str]) -> None:
    """Rebuild the cells that were written under other counting rules (an upgrade changed them)."""
    for digest in sorted(set(digests)):
        layout = layout_of(connection, digest)
        if layout is None:
            continue
        stale = sa.select(TallyCell.wave_id).where(
            TallyCell.digest == digest, TallyCell.layout != layout.digest
        )
        for wave_id in connection.scalars(stale.distinct()).all():
            rebuild(connection, wave_id)


def refresh_all(connection: Connection) -> None:
    """After an upgrade: whoever reads a cell would otherwise count it again each time."""
    lock(connection)
    refresh_layouts(connection, connection.scalars(sa.select(TallyCell.digest).distinct()).all())


def rebuild(connection: Connection, wave_id: str) -> None:
    """Make the cells of a wave again from its responses; nothing when those were purged."""
    if not is_recountable(connection, wave_id):
        return
    connection.execute(sa.delete(TallyCell).where(TallyCell.wave_id == wave_id))
    apply(connection, recount(connection, wave_id))


def is_recountable(connection: Connection, wave_id: str) -> bool:
    """Whether the responses behind the cells are still there."""
    purged = sa.select(ServerFact.key).where(ServerFact.key == _PURGED + wave_id)
    return connection.scalar(purged) is None


def mark_as_not_recountable(connection: Connection, wave_id: str) -> None:
    """Remember that the responses of this wave were purged: its cells are now the only count there is."""
    if is_recountable(connection, wave_id):
        connection.execute(sa.insert(ServerFact).values(key=_PURGED + wave_id, value="1"))


def keep_counter_names(connection: Connection, wave_id: str) -> None:
    """Before responses go: their cells by today's rules, and by what names tomorrow's can read them."""
    digests = connection.scalars(sa.select(TallyCell.digest).where(TallyCell.wave_id == wave_id).distinct())
    found = digests.all()
    refresh_layouts(connection, found)
    for layout in [layout_of(connection, digest) for digest in found]:
        if layout is not None and _counter_names(connection, layout.digest) is None:
            value = json.dumps(layout.counter_names, ensure_ascii=False)
            connection.execute(sa.insert(ServerFact).values(key=_NAMES + layout.digest, value=value))


def _counter_names(connection: Connection, layout_digest: str) -> list[str] | None:
    stored = connection.scalar(sa.select(ServerFact.value).where(ServerFact.key == _NAMES + layout_digest))
    return None if stored is None else list(json.loads(stored))


def cells_to_read(connection: Connection, wave_id: str) -> dict[CellKey, Cell64]:
    """The cells of a wave for figures. After a change of the counting rules, a cell is never read as empty:

    it is counted again from the responses or, where those were purged, read by the names of its counters.
    """
    if not stale_cells(connection, wave_id):
        return stored_cells(connection, wave_id)
    if is_recountable(connection, wave_id):
        return recount(connection, wave_id)
    return {**stored_cells(connection, wave_id), **_read_by_name(connection, wave_id)}


def stale_cells(connection: Connection, wave_id: str) -> list[Any]:
    """The cells of a wave that were counted by other rules than today's."""
    kinds = sa.select(TallyCell.digest, TallyCell.layout).where(TallyCell.wave_id == wave_id).distinct()
    stale = [
        (row.digest, row.layout)
        for row in connection.execute(kinds).all()
        if (layout := layout_of(connection, row.digest)) and layout.digest != row.layout
    ]
    if not stale:
        return []
    of_kind = sa.tuple_(TallyCell.digest, TallyCell.layout).in_(stale)
    query = sa.select(*TallyCell.__table__.columns).where(TallyCell.wave_id == wave_id, of_kind)
    return list(connection.execute(query).all())


def _read_by_name(connection: Connection, wave_id: str) -> dict[CellKey, Cell64]:
    cells = {}
    for row in stale_cells(connection, wave_id):
        layout, names = layout_of(connection, row.digest), _counter_names(connection, row.layout)
        if layout is None or names is None:
            raise LookupError(f"nobody knows any more what the cells of {wave_id} count")
        counters = np.frombuffer(bytes(row.counters), dtype="<i8").astype(np.int64)
        cells[_key(row)] = layout.adopt_named(counters, names)
    return cells


def recount(connection: Connection, wave_id: str) -> dict[CellKey, Cell64]:
    """The cells of a wave as its responses make them, whatever is stored."""
    layouts = wave_layouts(connection, wave_id)
    cells: dict[CellKey, Cell64] = {}
    for response in counted_responses(connection, wave_id):
        if layout := layouts.get(response.questionnaire_digest):
            key, vector = key_of(response), vector_of(layout, response)
            if key in cells:
                cells[key] += vector
            else:
                cells[key] = vector
    return cells


def wave_layouts(connection: Connection, wave_id: str) -> dict[str, CellLayout]:
    """The layouts of all questionnaires that responses of this wave were asked with."""
    digests = sa.select(Response.questionnaire_digest).where(Response.wave_id == wave_id).distinct()
    found = {digest: layout_of(connection, digest) for digest in connection.scalars(digests).all()}
    return {digest: layout for digest, layout in found.items() if layout is not None}


def stored_cells(connection: Connection, wave_id: str) -> dict[CellKey, Cell64]:
    """The cells of a wave as stored; a cell of another layout or length is given as an empty one."""
    found = connection.execute(_SELECT_CELLS, {"wave_id": wave_id}).all()
    layouts: dict[str, CellLayout | None] = {}
    cells: dict[CellKey, Cell64] = {}
    for *parts, named, counters in found:
        key = CellKey(*parts)
        if key.digest not in layouts:
            layouts[key.digest] = layout_of(connection, key.digest)
        if layout := layouts[key.digest]:
            usable = named == layout.digest and len(counters) == 8 * layout.size
            cells[key] = np.frombuffer(counters, dtype="<i8") if usable else layout.zero()
    return cells


def differences(connection: Connection, wave_id: str) -> list[CellKey]:
    """The cells whose counters are not those of the responses. Empty cells are no difference."""
    stored, recounted = stored_cells(connection, wave_id), recount(connection, wave_id)
    return sorted(
        key for key in stored.keys() | recounted.keys() if _differ(stored.get(key), recounted.get(key))
    )


def _differ(one: Cell64 | None, other: Cell64 | None) -> bool:
    if one is None or other is None:
        present = other if one is None else one
        return present is not None and bool(present.any())
    return bool((one != other).any())


def _is(key: CellKey) -> sa.ColumnElement[bool]:
    return sa.and_(*(getattr(TallyCell, name) == value for name, value in key._asdict().items()))


def _key(row: Any) -> CellKey:
    return CellKey(row.wave_id, row.digest, row.site, row.mode, row.language, row.day)
