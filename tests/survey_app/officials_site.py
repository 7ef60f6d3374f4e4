"""A wave by personal link in the database at hand: its frozen list, its invitations, its mixed answers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from survey_app import questionnaires, waves
from survey_app.clock import today_in_paris
from survey_app.database import db, write_connection, write_transaction
from survey_app.invitation_models import (
    Invitation,
    Mailing,
    MailMessage,
    SampledUnit,
    WaveFrame,
    random_number,
)
from survey_app.invitations.links import renew_hashes
from survey_app.models import Response, Wave
from survey_app.responses import tallies
from tests.survey_app.frozen_list import a_unit, freeze, strata_of
from tests.survey_app.staff_site import a_plan, a_source

WAVE = "elus-2026"
NIORT, PARTHENAY, BRESSUIRE = "niort", "parthenay", "bressuire"
COMMUNES = {NIORT: 121, PARTHENAY: 78, BRESSUIRE: 57}
"""The 256 communes of Deux-Sèvres."""
NOW = dt.datetime(2026, 11, 20, 9, tzinfo=dt.UTC)


def officials_source() -> str:
    """A small questionnaire for officials, asked by personal link."""
    return a_source(
        **{
            "[tablet, website, paper]": "[personal_link]",
            "[accueil_general, point_numerique]": "[a_distance]",
            "audience: users": "audience: elected_officials",
        }
    )


def seed_officials(
    populations: Mapping[str, int] = COMMUNES,
    *,
    wave_id: str = WAVE,
    merged: Mapping[str, str] | None = None,
    nominative: bool = False,
    **plan: Any,
) -> Wave:
    """An open wave with one invitation for each commune of the list, every one waiting."""
    version = questionnaires.publish_source(officials_source(), {}, actor="test")
    declared: dict[str, Any] = {
        "id": wave_id,
        "title": "Élus 2026",
        "sites": ("a_distance",),
        "modes": ("personal_link",),
        "headline_modes": ("personal_link",),
        "headline_sites": ("a_distance",),
    }
    waves.create_wave(a_plan(version.digest, **{**declared, **plan}), actor="test")
    with write_transaction() as transaction:
        strata = strata_of(populations, merged or {})
        _freeze(transaction, wave_id, populations, strata=strata, nominative=nominative)
    waves.open_wave(wave_id, actor="test")
    wave = waves.find_wave(wave_id)
    assert wave is not None
    return wave


def _freeze(transaction: Session, wave_id: str, populations: Mapping[str, int], **frame: Any) -> None:
    codes = [code for code, number in populations.items() for _ in range(number)]
    units = [_official(line, code) for line, code in enumerate(codes, 1)]
    freeze(transaction, wave_id, units, key_id="test", public_key=b"public", **frame)
    transaction.add_all(_invitation(wave_id, unit, code) for unit, code in zip(units, codes, strict=True))


def _official(line: int, arrondissement: str) -> SampledUnit:
    return a_unit(line, arrondissement=arrondissement, inhabitants=100 * line)


def _invitation(wave_id: str, unit: SampledUnit, stratum: str) -> Invitation:
    invitation = Invitation(
        id=random_number(),
        wave_id=wave_id,
        unit_id=unit.id,
        stratum=stratum,
        generation=1,
        email=unit.email,
    )
    renew_hashes(invitation)
    return invitation


def set_states(stratum: str, states: Mapping[str, int], *, wave_id: str = WAVE, started: bool = True) -> None:
    """Give so many waiting invitations of a stratum each of these states."""
    with write_transaction() as transaction:
        waiting = list(
            transaction.scalars(
                sa.select(Invitation).where(
                    Invitation.wave_id == wave_id,
                    Invitation.stratum == stratum,
                    Invitation.state == "waiting",
                )
            )
        )
        for state, number in states.items():
            for invitation in (waiting.pop() for _ in range(number)):
                invitation.state = state
                invitation.started = invitation.started or (started and state == "answered")


def send_mails(states: Sequence[str] = (), *, wave_id: str = WAVE, kind: str = "invitation") -> None:
    """One mail for every invitation that has an address: sent, or the state given by its turn."""
    with write_transaction() as transaction:
        mailing = Mailing(
            wave_id=wave_id, kind=kind, subject="s", body="b", state="done", created_at=NOW, created_by="t"
        )
        transaction.add(mailing)
        transaction.flush()
        invited = transaction.scalars(
            sa.select(Invitation)
            .join(SampledUnit)
            .where(Invitation.wave_id == wave_id)
            .order_by(SampledUnit.line)
        )
        for turn, invitation in enumerate(i for i in invited if i.email):
            transaction.add(
                MailMessage(
                    mailing_id=mailing.id,
                    invitation_id=invitation.id,
                    state=states[turn] if turn < len(states) else "sent",
                    message_id=f"<{uuid.uuid4()}@test>",
                    return_tag=uuid.uuid4().hex,
                    changed_at=NOW,
                )
            )


def add_answers(good: int, bad: int, stratum: str, *, wave_id: str = WAVE, digest: str | None = None) -> None:
    """Mixed answers as the closing leaves them: their stratum and their week, nothing else."""
    known = digest or db.session.scalar(sa.select(Wave.questionnaire_digest).where(Wave.id == wave_id))
    today = today_in_paris()
    rows: list[dict[str, Any]] = [
        {
            "wave_id": wave_id,
            "questionnaire_digest": known,
            "revision": 1,
            "site": stratum,
            "mode": "personal_link",
            "record_id": str(uuid.uuid4()),
            "language": "fr",
            "answered_on": today - dt.timedelta(days=today.weekday()),
            "complete": True,
            "practice": False,
            "answers": {"courtesy": ["very_satisfied" if n < good else "very_dissatisfied"]},
            "other_answers": {},
            "flags": [],
        }
        for n in range(good + bad)
    ]
    with write_connection() as connection:
        if rows:
            connection.execute(sa.insert(Response), rows)
        tallies.rebuild(connection, wave_id)
    set_states(stratum, {"answered": good + bad}, wave_id=wave_id)


def close(wave_id: str = WAVE, *, publish: bool = False) -> None:
    """Close the wave; seal and publish it too where asked."""
    waves.close_wave(wave_id, actor="test")
    with write_transaction() as transaction:
        frame = transaction.get_one(WaveFrame, wave_id)
        frame.mixed_at = frame.key_destroyed_at = NOW
    db.session.rollback()
    if publish:
        waves.seal_wave(wave_id, actor="test")
        waves.publish_wave(wave_id, actor="test")


def without_address(stratum: str, number: int, *, wave_id: str = WAVE) -> None:
    """Take the e-mail address of so many waiting invitations of a stratum away."""
    with write_transaction() as transaction:
        mine = sa.select(Invitation).where(Invitation.wave_id == wave_id, Invitation.stratum == stratum)
        for one in transaction.scalars(mine.where(Invitation.state == "waiting").limit(number)):
            one.email = None
