"""What happens to an invitation before it is answered: begun, saved, passed on, refused, taken back.

Each is one transaction that looks at the invitation as it is now: whoever comes second finds the link dead or
used. A link has one holder at a time, and one answer whatever was passed on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from form_definitions import Questionnaire
from survey_app.audit import act, record
from survey_app.invitation_models import Invitation
from survey_app.invitations import drafts, links
from survey_app.invitations.objections import add_objection
from survey_app.invitations.redemption import Holder, hold_open
from survey_app.invitations.states import (
    ANSWERED,
    DECLINED,
    LINKS_STAY,
    MAY_ANSWER,
    OBJECTED,
    OVER,
    UNREACHABLE,
    WAITING,
    WITHDRAWN,
    WRONG_PERSON,
    AlreadyAnswered,
    LinkError,
    LinkIsDead,
    WaveIsOver,
)

OBJECTS: Final = (*MAY_ANSWER, OVER)
"""Whose invitation an objection changes."""


@contextmanager
def held_by(holder: Holder, *, until_closing: bool = True) -> Iterator[tuple[Session, Invitation]]:
    """The invitation while nobody else changes it, and nobody closes its wave.

    Raises
    ------
    AlreadyAnswered, LinkIsDead, WaveIsOver
        The holder of this link may do nothing with it any more.
    """
    with act() as transaction:
        if until_closing:
            hold_open(transaction, _wave_of(transaction, holder))
        invitation = _locked(transaction, holder.invitation_id)
        if invitation is None or invitation.generation != holder.generation:
            raise LinkIsDead
        if invitation.state == ANSWERED:
            raise AlreadyAnswered
        if invitation.state not in (MAY_ANSWER if until_closing else OBJECTS):
            raise LinkIsDead
        yield transaction, invitation


def begin(holder: Holder) -> dict[str, Any] | None:
    """« Commencer » was pressed; the draft of this link, where there is one."""
    with held_by(holder) as (transaction, invitation):
        invitation.started = True
        return drafts.read(transaction, invitation)


def save_draft(holder: Holder, draft: Mapping[str, Any], questionnaire: Questionnaire) -> None:
    """Keep an interview to be gone on with; raises `ValueError` where it is longer than the form allows."""
    with held_by(holder) as (transaction, invitation):
        drafts.save(transaction, invitation, draft, questionnaire)


def pass_on(holder: Holder, *, address: str | None = None, back: bool = False) -> str:
    """Hand the link on, to this address or back to the first one; the new link. What was saved goes along.

    Nothing is sent from here: a stranger's address is written to by reminders at most.

    Raises
    ------
    LinkError
        The address is none.
    """
    with held_by(holder) as (transaction, invitation):
        if back:
            invitation.email, invitation.passed_on = invitation.unit.email, False
        else:
            invitation.email = _checked(address) if address else invitation.email
            invitation.passed_on = True
        drafts.move_to_new_link(transaction, invitation, invitation.generation + 1)
        return links.link_address(invitation)


def decline(holder: Holder) -> None:
    """« Je ne souhaite pas répondre ». No more reminders; who thinks again still can, until the closing."""
    with held_by(holder) as (transaction, invitation):
        invitation.state = DECLINED
        drafts.forget(transaction, invitation)


def say_wrong_person(holder: Holder) -> None:
    """« Ce n’est pas moi ». The link dies; the referent may issue another one to the right address."""
    with held_by(holder) as (transaction, invitation):
        invitation.state = WRONG_PERSON
        drafts.forget(transaction, invitation)


def object_for_good(holder: Holder) -> bool:
    """« Ne plus m’écrire »: for this survey and all to come; whether it holds for the address.

    Whoever got the link by hand does not speak for the mailbox that it was sent to: they decline, no more.
    """
    with held_by(holder, until_closing=False) as (transaction, invitation):
        if invitation.passed_on and invitation.email == invitation.unit.email:
            if invitation.state != OVER:
                invitation.state = DECLINED
            drafts.forget(transaction, invitation)
            return False
        _object(transaction, invitation, links.address_hash(links.address_of(invitation)), "link")
    return True


def unsubscribe(secret: str) -> bool:
    """The unsubscribe link of a mail was followed; whether it is one of ours.

    It silences the address that the mail went to, not the one that the link was passed on to since.
    """
    said = links.read_unsubscribe_token(secret)
    if said is None:
        return False
    with act() as transaction:
        invitation = _locked(transaction, said.invitation_id)
        _object(transaction, invitation, said.address_hash, "one_click")
    return True


def _object(transaction: Session, invitation: Invitation | None, hashed: str, origin: str) -> None:
    add_objection(transaction, hashed, origin=origin)
    if invitation is None or invitation.state not in OBJECTS:
        return
    if links.address_hash(links.address_of(invitation)) == hashed:
        invitation.state = OBJECTED
        drafts.forget(transaction, invitation)


def revoke(invitation_id: str, *, actor: str) -> None:
    """Take the link back: its mandate ended, or its mail went astray."""
    with _by_referent(invitation_id, "link-revoked", actor) as (transaction, invitation):
        invitation.state = WITHDRAWN
        drafts.move_to_new_link(transaction, invitation, invitation.generation + 1)
        drafts.forget(transaction, invitation)


def reissue(invitation_id: str, *, actor: str, address: str | None = None) -> None:
    """A new link in place of the old one, for another address or the same; a draft stays with its address.

    Raises
    ------
    LinkError
        The address is none, the answer is there already, or the key is another one.
    """
    with _by_referent(invitation_id, "link-reissued", actor) as (transaction, invitation):
        links.check_key(transaction)
        if address is not None and address != invitation.email:
            invitation.email, invitation.passed_on = _checked(address), False
            drafts.forget(transaction, invitation)
            transaction.flush()
        invitation.state = WAITING
        drafts.move_to_new_link(transaction, invitation, invitation.generation + 1)


def mark_unreachable(transaction: Session, invitation: Invitation) -> None:
    """A bounce came back for its present address. The right to answer stays: a letter may bring the code."""
    if invitation.state in (WAITING, OVER):
        invitation.state = UNREACHABLE


@contextmanager
def _by_referent(invitation_id: str, logged: str, actor: str) -> Iterator[tuple[Session, Invitation]]:
    with act() as transaction:
        invitation = _locked(transaction, invitation_id)
        if invitation is None:
            raise LinkError("Cette invitation n’existe pas.")
        if invitation.state == ANSWERED:
            raise AlreadyAnswered("Une réponse est déjà enregistrée pour cette invitation.")
        if invitation.state == OVER:
            raise WaveIsOver(LINKS_STAY)
        yield transaction, invitation
        record(
            transaction, logged, actor=actor, subject=invitation.wave_id, detail={"link": invitation.id[:8]}
        )


def _wave_of(transaction: Session, holder: Holder) -> str:
    wave_id = transaction.scalar(sa.select(Invitation.wave_id).where(Invitation.id == holder.invitation_id))
    if wave_id is None:
        raise LinkIsDead
    return wave_id


def _locked(transaction: Session, invitation_id: str) -> Invitation | None:
    chosen = sa.select(Invitation).where(Invitation.id == invitation_id)
    return transaction.scalar(chosen.with_for_update(of=Invitation))


def _checked(address: str) -> str:
    try:
        return validate_email(address.strip(), check_deliverability=False).normalized
    except EmailNotValidError:
        raise LinkError("Cette adresse n’est pas une adresse de courriel.") from None
