"""The state of the installation: what is wrong, and what to do about it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from analysis.display import counted
from survey_app import server_facts
from survey_app.clock import day_in_paris
from survey_app.database import DatabaseUnavailable, UnsafeDatabaseError, db, is_damage, write_connection
from survey_app.device_models import Device
from survey_app.models import AuditEntry, InboxConflict, InboxRecord, Wave
from survey_app.responses import chains, tallies, unjudged
from survey_app.responses.doctor_links import changed_link_key, links
from survey_app.responses.doctor_machine import (
    RESTORE,
    changed,
    disk,
    integrity,
    keys,
    promises,
    proxies,
    schema,
)
from survey_app.responses.finding import Finding
from survey_app.responses.record_keys import RecordKeys
from survey_app.responses.unlinking import FORGOTTEN
from survey_app.settings import Settings

WAITING_TOO_LONG = dt.timedelta(hours=2)
UNSEALED_TOO_LONG = dt.timedelta(days=30)
UNPROTECTED_TOO_LONG = dt.timedelta(days=2)
NAMED_AT_MOST = 3
Check = Callable[[dt.datetime], Iterator[Finding]]


def examine(
    settings: Settings, now: dt.datetime | None = None, step: Callable[[], None] = lambda: None
) -> list[Finding]:
    """All findings. A database that cannot be opened is a finding too, and then the only one about it.

    ``step`` is called after each of the `STEPS` checks of the database.
    """
    moment = now or dt.datetime.now(dt.UTC)
    findings = [*disk(settings), *proxies(settings), *keys(RecordKeys(settings.record_keys_folder))]
    checks: tuple[Check, ...] = (
        *CHECKS,
        partial(links, settings.wave_keys_folder),
        partial(changed_link_key, settings.link_key),
    )
    for check in checks:
        try:
            findings += check(moment)
            step()
        except (DatabaseUnavailable, UnsafeDatabaseError, sa.exc.DatabaseError, ValueError) as error:
            return [*findings, _unavailable(error)]
    return findings


def _unavailable(error: Exception) -> Finding:
    if is_damage(error) or isinstance(error, ValueError):
        message = f"Base abîmée\u00a0: {' '.join(str(getattr(error, 'orig', error)).split())}."
        return Finding("unavailable", "error", message, RESTORE)
    remedy = "Vérifiez l’espace libre, les droits du dossier et que la base répond."
    found = str(error)
    if isinstance(error, sa.exc.DBAPIError):
        found = f"La base ne répond pas comme prévu\u00a0: {' '.join(str(error.orig).split())}."
    return Finding("unavailable", "error", found, remedy)


def rebuild_tallies() -> list[str]:
    """Make all tallies again from the responses; the waves whose figures changed."""
    with write_connection() as connection:
        tallies.lock(connection)
        changed = [
            wave_id for wave_id in _recountable_waves(connection) if tallies.differences(connection, wave_id)
        ]
        for wave_id in changed:
            tallies.rebuild(connection, wave_id)
    return changed


def _recountable_waves(connection: sa.Connection) -> list[str]:
    known = connection.scalars(sa.select(Wave.id).order_by(Wave.id)).all()
    return [wave_id for wave_id in known if tallies.is_recountable(connection, wave_id)]


def _waiting(now: dt.datetime) -> Iterator[Finding]:
    query = sa.select(sa.func.count(), sa.func.min(InboxRecord.received_at))
    with db.engine.connect() as connection:
        number, oldest = connection.execute(query.where(InboxRecord.judged_at.is_(None))).one()
        first = sa.select(InboxRecord.id).where(InboxRecord.judged_at.is_(None))
        named = connection.scalars(first.order_by(InboxRecord.received_at).limit(NAMED_AT_MOST)).all()
    if oldest is not None and now - oldest > WAITING_TOO_LONG:
        message = (
            f"{counted(number, 'envoi attend', 'envois attendent')}, le plus ancien "
            f"depuis le {oldest:%d/%m/%Y %H:%M} UTC ({', '.join(record_id[:8] for record_id in named)})."
        )
        remedy = (
            "Relancez le serveur\u00a0; si cela dure, lisez le journal «\u202fcannot be judged\u202f», "
            "ou mettez ces envois à part dans «\u202fRéponses à revoir\u202f»."
        )
        yield Finding("waiting", "warning", message, remedy)
    else:
        yield Finding("waiting", "ok", f"{counted(number, 'envoi', 'envois')} en attente.")


def _missing_keys(_now: dt.datetime) -> Iterator[Finding]:
    for key_id, number in sorted(unjudged.waiting_for_keys().items()):
        waiting = counted(number, "envoi attend", "envois attendent")
        message = f"{waiting} la clé {key_id}, dont le fichier manque."
        remedy = (
            "Remettez-le depuis sa copie\u00a0: ils seront lus dans la minute. "
            f"S’il est perdu\u00a0: survey-app keys lost {key_id}"
        )
        yield Finding("missing_key", "error", message, remedy)


def _tallies(_now: dt.datetime) -> Iterator[Finding]:
    with db.engine.connect() as connection:
        wrong = {
            wave_id: tallies.differences(connection, wave_id) for wave_id in _recountable_waves(connection)
        }
    for wave_id, cells in wrong.items():
        if cells:
            differ = counted(len(cells), "compteur diffère", "compteurs diffèrent")
            message = f"Édition {wave_id}\u00a0: {differ} des réponses."
            yield Finding("tallies", "error", message, "Lancez «\u202fsurvey-app doctor --rebuild\u202f».")
    if not any(wrong.values()):
        recounted = counted(len(wrong), "édition recomptée", "éditions recomptées")
        yield Finding("tallies", "ok", f"Compteurs égaux aux réponses ({recounted}).")


def _rules(_now: dt.datetime) -> Iterator[Finding]:
    """Cells that can no longer be counted again, though the rules have changed since."""
    with db.engine.connect() as connection:
        known = connection.scalars(sa.select(Wave.id).order_by(Wave.id)).all()
        purged = [wave_id for wave_id in known if not tallies.is_recountable(connection, wave_id)]
        stale = [wave_id for wave_id in purged if tallies.stale_cells(connection, wave_id)]
    for wave_id in stale:
        message = f"Édition {wave_id}\u00a0: comptée selon d’autres règles, et ses réponses sont effacées."
        remedy = "Seul ce qui se comptait pareil se lit encore\u00a0: citez pour le reste l’export d’alors."
        yield Finding("rules", "warning", message, remedy)


def _sequences(_now: dt.datetime) -> Iterator[Finding]:
    with Session(db.engine) as session:
        devices = session.scalars(sa.select(Device).order_by(Device.name, Device.enrolled_at)).all()
        found = chains.chains(session, devices)
        for device in devices:
            yield from _chain(device.name, found[device.id])


def _chain(name: str, chain: chains.Chain) -> Iterator[Finding]:
    if missing := sum(gap.size for gap in chain.unexplained):
        lacking = counted(missing, "envoi manque, numéro", "envois manquent, numéros")
        message = f"Tablette «\u202f{name}\u202f»\u00a0: {lacking} {chains.numbers(chain.unexplained)}."
        remedy = "Rallumez cette tablette près du réseau et attendez l’envoi."
        yield Finding("gaps", "warning", message, remedy)
    for fork in chain.forks:
        message = (
            f"Tablette «\u202f{name}\u202f»\u00a0: elle a continué deux fois au numéro {fork.seq}. "
            "Copiée ou restaurée\u00a0?"
        )
        yield Finding("forks", "warning", message, "Révoquez-la et enrôlez-la à nouveau.")


def _conflicts(_now: dt.datetime) -> Iterator[Finding]:
    with db.engine.connect() as connection:
        number = connection.scalar(sa.select(sa.func.count()).select_from(InboxConflict)) or 0
    if number:
        came = counted(number, "envoi est arrivé", "envois sont arrivés")
        message = f"{came} sous un numéro déjà pris, avec un autre contenu."
        yield Finding(
            "conflicts",
            "warning",
            message,
            "Les premiers comptent\u00a0; voyez les autres dans «\u202fRéponses à revoir\u202f».",
        )


def _ended(now: dt.datetime) -> Iterator[Finding]:
    """Raw records go a month after sealing: an edition that nobody seals keeps tablet and time for a year."""
    query = sa.select(Wave.title, Wave.state).where(
        Wave.state.in_(("open", "closed")), Wave.closes_on < day_in_paris(now - UNSEALED_TOO_LONG)
    )
    with db.engine.connect() as connection:
        late = connection.execute(query.order_by(Wave.closes_on, Wave.id)).all()
    for title, state in late:
        lacking, act = (
            ("fermée", "Fermez-la, puis scellez-la") if state == "open" else ("scellée", "Scellez-la")
        )
        message = f"L’édition «\u202f{title}\u202f» est finie depuis plus d’un mois et n’est pas {lacking}."
        remedy = f"{act}\u00a0: l’effacement des envois bruts part du scellement."
        yield Finding("unsealed", "warning", message, remedy)


def _backup(now: dt.datetime) -> Iterator[Finding]:
    """Answers that no copy holds yet: the tablets keep theirs until one does, the website has none."""
    with db.engine.connect() as connection:
        watermark = server_facts.moment(connection, server_facts.BACKUP_WATERMARK)
        unprotected = sa.select(sa.func.min(InboxRecord.received_at)).where(
            InboxRecord.received_at > (watermark or FORGOTTEN)
        )
        oldest = connection.scalar(unprotected)
        latest = sa.select(AuditEntry.detail).where(AuditEntry.action == "backup")
        backup = connection.scalar(latest.order_by(AuditEntry.id.desc()).limit(1))
    known = "aucune" if watermark is None else f"jusqu’au {watermark:%d/%m/%Y %H:%M} UTC"
    if oldest is not None and now - oldest > UNPROTECTED_TOO_LONG:
        message = f"Sauvegardes\u00a0: {known}. Des envois du {oldest:%d/%m/%Y} ne sont dans aucune."
        remedy = "Voyez pourquoi «\u202fsurvey-app backup\u202f» ne tourne plus chaque nuit."
        yield Finding("backup", "warning", message, remedy)
    elif backup is not None and not backup.get("elsewhere"):
        message = f"Sauvegardes\u00a0: {known}, mais sur cette machine seulement. Les tablettes s’y fient."
        remedy = "Emportez chaque copie ailleurs\u00a0: «\u202fsurvey-app backup … --then COMMANDE\u202f»."
        yield Finding("backup_here", "warning", message, remedy)
    else:
        yield Finding("backup", "ok", f"Sauvegardes\u00a0: {known}.")


CHECKS: tuple[Check, ...] = (
    schema,
    promises,
    integrity,
    changed,
    _waiting,
    _missing_keys,
    _tallies,
    _rules,
    _sequences,
    _conflicts,
    _ended,
    _backup,
)
STEPS: Final = len(CHECKS) + 2
