"""Decisions of people about responses: set aside with a reason, or counted (again). Rows only ever added.

The response stays stored; the decision and the change of its tally are one transaction. The figures of a
sealed wave no longer change.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from survey_app.database import write_connection
from survey_app.models import AuditEntry, Response, ResponseSetAside, Wave
from survey_app.responses import counting, tallies
from survey_app.responses.flags import OTHER_DEVICE, countable

SUPERSEDED = "superseded"
"""Given by the intake alone: a later state of the same questionnaire came."""
REASONS = {
    "test": "Essai fait sans le mode essai",
    "abuse": "Abus",
    "duplicate": "Doublon",
    "withdrawn": "Retirée à la demande de la personne",
    "reviewed": "Relue",
    "other_person": "Réponse d’une autre personne",
    "other": "Autre motif",
}
"""What people may give as a reason."""


class DecisionError(ValueError):
    """The decision cannot be taken; the message (French) says why."""


def set_aside(
    record_id: str,
    *,
    reason: str,
    by: str,
    note: str = "",
    now: dt.datetime | None = None,
    wave_id: str | None = None,
) -> bool:
    """Take a response out of the figures, or leave a flagged one out; whether that changed anything.

    With `wave_id`, only a response of that wave.
    """
    return _decide(record_id, counting.SET_ASIDE, reason, note, by, now, wave_id)


def reinstate(
    record_id: str,
    *,
    reason: str,
    by: str,
    note: str = "",
    now: dt.datetime | None = None,
    wave_id: str | None = None,
) -> bool:
    """Count a response that was set aside, or that its flags kept out; whether that changed anything.

    With `wave_id`, only a response of that wave.
    """
    return _decide(record_id, counting.REINSTATED, reason, note, by, now, wave_id)


LOGGED = {counting.SET_ASIDE: "response-set-aside", counting.REINSTATED: "response-reinstated"}


def _decide(
    record_id: str,
    action: str,
    reason: str,
    note: str,
    by: str,
    now: dt.datetime | None,
    wave_id: str | None,
) -> bool:
    at = now or dt.datetime.now(dt.UTC)
    if reason not in REASONS:
        raise DecisionError(f"Motif inconnu\u00a0: «\u202f{reason}\u202f».")
    with write_connection() as connection:
        tallies.lock(connection)
        response = _standing_revision(connection, record_id)
        if wave_id not in (None, response.wave_id):
            raise DecisionError(f"Aucune réponse de cette édition ne porte le numéro {record_id}.")
        return settle(connection, response, action, reason, note, by, at, logged=LOGGED[action])


def settle(
    connection: Connection,
    response: Any,
    action: str,
    reason: str,
    note: str,
    by: str,
    at: dt.datetime,
    *,
    logged: str,
) -> bool:
    """Take a decision and change its tally, in the transaction of a caller who holds :func:`tallies.lock`."""
    _refuse_impossible(connection, response, action)
    before = bool(counting.counted_among(connection, [response]))
    after = action == counting.REINSTATED
    if before == after and (after or not _undecided(connection, response)):
        return False
    tallies.refresh_layouts(connection, [response.questionnaire_digest])
    decide(connection, response, action, reason, note, by, at)
    _log(connection, logged, response.record_id, reason, by, at)
    if before != after:
        tallies.apply(connection, dict([change(connection, response, -1 if before else +1)]))
    return True


def _undecided(connection: Connection, response: Any) -> bool:
    """Whether only a flag keeps the response out, and nobody has looked yet."""
    known = counting.decisions_about(connection, {response.record_id})
    open_still = (response.record_id, response.revision) not in known
    return open_still and countable(response.flags, practice=response.practice)


def _log(connection: Connection, action: str, record_id: str, reason: str, by: str, at: dt.datetime) -> None:
    """The line of the log stands exactly if the decision does."""
    line = {"at": at, "actor": by, "action": action, "subject": record_id, "detail": {"reason": reason}}
    connection.execute(sa.insert(AuditEntry).values(**line))


def standing(revisions: Sequence[Any]) -> Any:
    """The first finished revision, else the latest partial one; of the first sender, if it has any."""
    own = [row for row in revisions if OTHER_DEVICE not in row.flags] or revisions
    return max(own, key=lambda row: (row.complete, -row.revision if row.complete else row.revision))


def _standing_revision(connection: Connection, record_id: str) -> Any:
    query = sa.select(*Response.__table__.columns).where(Response.record_id == record_id)
    found = connection.execute(query).all()
    if not found:
        raise DecisionError(f"Aucune réponse ne porte le numéro {record_id}.")
    return standing(found)


def _refuse_impossible(connection: Connection, response: Any, action: str) -> None:
    state = connection.scalar(sa.select(Wave.state).where(Wave.id == response.wave_id))
    if state in ("sealed", "published"):
        raise DecisionError("L’édition est scellée\u00a0: ses chiffres ne changent plus.")
    if action == counting.REINSTATED and not countable(response.flags, practice=response.practice):
        raise DecisionError(
            "Cette réponse ne peut pas être comptée\u00a0: essai, contenu illisible ou édition inconnue."
        )


def decide(
    connection: Connection, response: Any, action: str, reason: str, note: str, by: str, now: dt.datetime
) -> None:
    """Write a decision about a response. The caller changes the tallies, in the same transaction."""
    row = {"record_id": response.record_id, "revision": response.revision, "action": action}
    connection.execute(sa.insert(ResponseSetAside).values(**row, reason=reason, note=note, by=by, at=now))


def change(connection: Connection, response: Any, sign: int) -> tuple[tallies.CellKey, Any]:
    """What adding (+1) or taking away (−1) this response does to its cell."""
    layout = tallies.layout_of(connection, response.questionnaire_digest)
    if layout is None:
        raise LookupError(f"no published questionnaire has the digest {response.questionnaire_digest}")
    return tallies.key_of(response), sign * tallies.vector_of(layout, response)
