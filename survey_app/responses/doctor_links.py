"""What `doctor` says of surveys by personal link: nothing is lost, and the key is where it belongs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from analysis.display import counted
from survey_app import server_facts
from survey_app.clock import day_in_paris
from survey_app.database import db
from survey_app.invitation_models import Objection, WaveFrame
from survey_app.models import Wave
from survey_app.responses import link_key, tallies
from survey_app.responses.finding import Finding
from survey_app.responses.link_balance import Balance, balance, unreadable

ALARMING = dt.timedelta(days=7)
ENDED_STATES = ("closed", "sealed", "published")


def links(folder: Path, now: dt.datetime) -> Iterator[Finding]:
    """Per wave by personal link; nothing where there is none."""
    with db.engine.connect() as connection:
        query = sa.select(
            WaveFrame.wave_id, WaveFrame.key_id, WaveFrame.key_destroyed_at, Wave.state, Wave.closes_on
        )
        waves = connection.execute(
            query.join(Wave, Wave.id == WaveFrame.wave_id).where(WaveFrame.key_id.is_not(None))
        ).all()
        tried = server_facts.read(connection, server_facts.LINK_GUESSES)
        counts = {row.wave_id: balance(connection, row.wave_id) for row in waves}
        damaged = {row.wave_id: unreadable(connection, row.wave_id) for row in waves}
        recountable = {row.wave_id for row in waves if tallies.is_recountable(connection, row.wave_id)}
    if tried and dt.date.fromisoformat(tried) > day_in_paris(now - ALARMING):
        message = f"Le {tried}, beaucoup de liens personnels inconnus ont été essayés. Aucun ne s’est ouvert."
        yield Finding("guesses", "warning", message, "Si cela dure, limitez ces adresses dans nginx.")
    for row in waves:
        yield from _balance(row.wave_id, counts[row.wave_id], row.wave_id in recountable)
        yield from _unreadable(row, damaged[row.wave_id])
        yield from _overdue(row, day_in_paris(now))
        yield from _key(row, folder / f"{row.wave_id}-{row.key_id}.pem")
    yield from _of_no_wave(folder, {f"{row.wave_id}-{row.key_id}" for row in waves})


def changed_link_key(key: bytes, _now: dt.datetime) -> Iterator[Finding]:
    """Objections are kept for ever, under a key that must be kept for as long."""
    with db.engine.connect() as connection:
        changed = link_key.has_changed(connection, key)
        objections = connection.scalar(sa.select(sa.func.count()).select_from(Objection)) or 0
    if changed:
        message = (
            "DEVICE_MASTER_KEY n’est plus celle des liens préparés ici\u00a0: aucun courriel ne part, "
            "ni les codes des lettres ni les brouillons ne s’ouvrent. "
            f"Oppositions qui ne sont plus reconnues\u00a0: {objections}."
        )
        remedy = "Remettez l’ancienne clé dans les réglages avant tout envoi\u202f; elle est avec vos copies."
        yield Finding("link_key", "error", message, remedy)


def _balance(wave_id: str, found: Balance, recountable: bool) -> Iterator[Finding]:
    if not recountable:  # the responses are past their term
        return
    told = f"{counted(found.used, 'lien utilisé', 'liens utilisés')}, {found.sealed} scellées, "
    told += f"{found.mixed} mélangées et {found.withheld} détruites, trop peu nombreuses."
    if found.is_even:
        yield Finding("links", "ok", f"Édition {wave_id}\u00a0: {told}")
    else:
        remedy = (
            "Des réponses manquent ou sont en trop\u00a0: restaurez la dernière sauvegarde, avant de clore."
        )
        yield Finding("links", "error", f"Édition {wave_id}\u00a0: {told}", remedy)


def _unreadable(row: Any, number: int) -> Iterator[Finding]:
    if not number:
        return
    they = counted(number, "réponse scellée ne s’ouvre pas", "réponses scellées ne s’ouvrent pas")
    if row.key_destroyed_at is not None:
        yield Finding("unreadable", "ok", f"Édition {row.wave_id}\u00a0: {they}, laissées de côté.")
        return
    remedy = (
        "Restaurez une sauvegarde d’avant, ou mélangez les autres\u00a0: "
        f"«\u202fsurvey-app wave mix {row.wave_id} --leave-out-unreadable\u202f»."
    )
    yield Finding("unreadable", "error", f"Édition {row.wave_id}\u00a0: {they}.", remedy)


def _overdue(row: Any, today: dt.date) -> Iterator[Finding]:
    """Nothing closes a wave by itself, and only the closing mixes its answers and destroys its key."""
    if row.state == "open" and row.closes_on < today:
        message = (
            f"L’édition {row.wave_id} devait finir le {row.closes_on:%d/%m/%Y}. "
            "Ses réponses par lien personnel restent scellées, et leur clé existe encore."
        )
        remedy = f"Fermez-la\u00a0: «\u202fsurvey-app wave close {row.wave_id}\u202f»."
        yield Finding("overdue", "warning", message, remedy)


def _of_no_wave(folder: Path, keys: set[str]) -> Iterator[Finding]:
    """A kill between the rows and the files, or a list past its term, leaves them behind."""
    left = sorted(path.name for path in folder.glob("*-*") if path.stem not in keys)
    if left:
        message = f"Dans {folder}, d’aucune édition\u00a0: {', '.join(left)}."
        remedy = "Effacez-les avec leurs copies, sauf si vous allez restaurer une sauvegarde qui les attend."
        yield Finding("wave_key_left", "warning", message, remedy)


def _key(row: Any, path: Path) -> Iterator[Finding]:
    drafts = path.with_suffix(".drafts")
    if row.key_destroyed_at is not None:
        for back in filter(Path.exists, (path, drafts)):
            message = f"La clé de l’édition {row.wave_id} est de retour dans {back}."
            yield Finding("wave_key", "error", message, "Effacez ce fichier et toutes ses copies.")
        return
    if not drafts.exists():
        message = f"Le secret des brouillons de l’édition {row.wave_id} manque ({drafts})."
        remedy = "Remettez son fichier depuis sa copie\u00a0: sans lui, aucun brouillon ne s’ouvre."
        yield Finding("wave_key", "warning", message, remedy)
    if not path.exists():
        message = f"La clé de l’édition {row.wave_id} manque ({path})."
        remedy = "Remettez son fichier depuis sa copie\u00a0: sans lui, les réponses scellées sont perdues."
        yield Finding("wave_key", "error", message, remedy)
    elif path.stat().st_mode & 0o077:
        message = f"D’autres comptes peuvent lire {path}."
        yield Finding("wave_key", "warning", message, f"Lancez «\u202fchmod 600 {path}\u202f».")
    elif row.state in ENDED_STATES:
        message = f"Les réponses par lien personnel de l’édition {row.wave_id} ne sont pas encore mélangées."
        yield Finding(
            "mixing", "warning", message, f"Lancez «\u202fsurvey-app wave mix {row.wave_id}\u202f»."
        )
