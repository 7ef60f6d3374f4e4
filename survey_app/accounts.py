"""The people who may sign in: added, reset, disabled by the referent or by ``survey-app user``. Floor 4.

A passphrase is made by the platform, shown once to whoever created the account, and changed by its owner.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from email_validator import EmailNotValidError, validate_email
from flask_security import hash_password, verify_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_app.access import REFERENT, ROLES
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.models import Role, User
from survey_app.passphrases import check_passphrase, new_passphrase


class AccountError(ValueError):
    """An account cannot be made or changed so; the message (French) says why."""


def users() -> Sequence[User]:
    """Everybody with an account, by name."""
    return db.session.scalars(select(User).order_by(User.person_name, User.email)).unique().all()


def find_user(email: str, session: Session | None = None) -> User:
    """The account of this address; raises `AccountError` when there is none."""
    query = select(User).where(User.email == email.strip().lower())
    user = (session or db.session).scalars(query).unique().one_or_none()
    if user is None:
        raise AccountError(f"Aucun compte pour {email}.")
    return user


def add_user(email: str, person_name: str, roles: Iterable[str], *, actor: str) -> str:
    """Create an account; gives the passphrase to hand over, which is stored nowhere."""
    address, names = _checked_address(email), _checked_roles(roles)
    passphrase = new_passphrase()
    with act() as transaction:
        if transaction.scalars(select(User.id).where(User.email == address)).first() is not None:
            raise AccountError(f"{address} a déjà un compte.")
        user = User(
            email=address, person_name=person_name.strip(), active=True, fs_uniquifier=uuid.uuid4().hex
        )
        user.password = hash_password(passphrase)
        user.roles = [_role(transaction, name) for name in names]
        transaction.add(user)
        record(transaction, "user-added", actor=actor, subject=address, detail={"roles": list(names)})
    return passphrase


def reset_passphrase(email: str, *, actor: str) -> str:
    """Give a new passphrase and end every session of the person."""
    passphrase = new_passphrase()
    with act() as transaction:
        user = find_user(email, transaction)
        user.password = hash_password(passphrase)
        user.fs_uniquifier = uuid.uuid4().hex
        record(transaction, "passphrase-reset", actor=actor, subject=user.email)
    return passphrase


def change_passphrase(user: User, present: str, wanted: str) -> None:
    """The owner's own change: the present one is asked, and every session ends."""
    check_passphrase(wanted, user.email)
    if not verify_password(present, user.password or ""):
        raise AccountError("La phrase secrète actuelle est inexacte.")
    with act() as transaction:
        user = find_user(user.email, transaction)
        user.password = hash_password(wanted)
        user.fs_uniquifier = uuid.uuid4().hex
        record(transaction, "passphrase-changed", actor=user.email, subject=user.email)


def set_roles(email: str, roles: Iterable[str], *, actor: str) -> None:
    """Change what a person may do; sessions end, so that nothing keeps the old rights."""
    names = _checked_roles(roles)
    with act() as transaction:
        user = find_user(email, transaction)
        if REFERENT not in names:
            _keep_a_referent(transaction, user)
        user.roles = [_role(transaction, name) for name in names]
        user.fs_uniquifier = uuid.uuid4().hex
        record(transaction, "roles-changed", actor=actor, subject=user.email, detail={"roles": list(names)})


def set_active(email: str, active: bool, *, actor: str) -> None:
    """Disable or enable an account; disabling ends its sessions."""
    with act() as transaction:
        user = find_user(email, transaction)
        if not active:
            _keep_a_referent(transaction, user)
        user.active = active
        user.fs_uniquifier = uuid.uuid4().hex
        record(transaction, "user-enabled" if active else "user-disabled", actor=actor, subject=user.email)


def _keep_a_referent(transaction: Session, leaving: User) -> None:
    everybody = transaction.scalars(select(User)).unique()
    others = [u for u in everybody if u.id != leaving.id and u.active and _is_referent(u)]
    if _is_referent(leaving) and not others:
        raise AccountError("Il faut au moins un référent actif\u00a0: désignez-en un autre d’abord.")


def _is_referent(user: User) -> bool:
    return any(role.name == REFERENT for role in user.roles)


def _checked_address(email: str) -> str:
    try:
        address = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as fault:
        raise AccountError(f"«\u202f{email}\u202f» n’est pas une adresse électronique complète.") from fault
    return address.normalized.lower()


def _checked_roles(roles: Iterable[str]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(roles))
    if not names:
        raise AccountError("Choisissez au moins un rôle.")
    if any(name not in ROLES for name in names):
        raise AccountError(f"Choisissez un rôle parmi\u00a0: {', '.join(ROLES)}.")
    return names


def _role(transaction: Session, name: str) -> Role:
    role = transaction.scalars(select(Role).where(Role.name == name)).one_or_none()
    if role is None:
        role = Role(name=name, description=ROLES[name])
        transaction.add(role)
    return role
