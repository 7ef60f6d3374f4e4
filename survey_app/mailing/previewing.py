"""What one recipient will get, exactly, but with links that open nothing; and the same to oneself."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from email.message import EmailMessage
from typing import Final
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy.orm import Session

from survey_app.audit import act, record
from survey_app.invitation_models import Invitation, Mailing, SampledUnit, WaveFrame, random_number
from survey_app.mailing.composing import Composition, address, compose
from survey_app.mailing.placeholders import PERSONAL, fill, used_in
from survey_app.mailing.queue import new_message_id, new_tag
from survey_app.mailing.recipients import Forecast
from survey_app.mailing.sender import composition, recipient_of, sender_address
from survey_app.mailing.smtp import SENT, Relay, RelayError
from survey_app.mailing.values import values_for
from survey_app.models import Wave
from survey_app.settings import Settings

TRIAL: Final = "[Essai] "
_SHARED_LABELS: Final = 2
_OF_THE_STATE: Final = ".gouv.fr"


class TrialError(ValueError):
    """The trial did not leave; the message (French) says why."""


@dataclass(frozen=True)
class Preview:
    """A message as its recipient will see it."""

    headers: list[tuple[str, str]]
    text: str
    html: str


@dataclass(frozen=True)
class Blank:
    """A placeholder that stays empty for so many recipients."""

    placeholder: str
    recipients: int


def made_up() -> Invitation:
    """Somebody who does not exist, to show a text without showing who gets it."""
    unit = SampledUnit(
        authority_kind="commune",
        authority_code="79000",
        authority_name="Commune-Exemple",
        office="mayor",
        civility="Mme",
        first_name="Camille",
        last_name="Exemple",
    )
    return Invitation(id=random_number(), generation=1, email="mairie@exemple.fr", passed_on=False, unit=unit)


def preview(session: Session, mailing: Mailing, invitation: Invitation) -> Preview:
    """The message of this recipient. Raises AddressError for an address that mail cannot use."""
    message = compose(_composition(session, mailing, invitation))
    return Preview(
        [(name, str(value)) for name, value in message.items()],
        _part(message, "plain"),
        _part(message, "html"),
    )


def subject_of(session: Session, mailing: Mailing) -> str:
    """The subject as somebody who does not exist would read it."""
    wave, frame = session.get_one(Wave, mailing.wave_id), session.get(WaveFrame, mailing.wave_id)
    return fill(mailing.subject, values_for(made_up(), wave, frame, sample=True))


def send_trial(session: Session, mailing: Mailing, invitation: Invitation, to: str, *, actor: str) -> None:
    """The message of this recipient to oneself, now. Raises TrialError, AddressError."""
    settings = _settings()
    if settings.mail.lacks:
        raise TrialError(f"Rien ne peut partir\u00a0: il manque le réglage {', '.join(settings.mail.lacks)}.")
    own = address("", to)
    message = compose(_composition(session, mailing, invitation, to=to))
    relay = Relay(settings.mail, urlsplit(settings.public_url).hostname or "")
    try:
        relay.open()
        delivery = relay.deliver(settings.mail.return_address(new_tag()), own, message)
    except RelayError as fault:
        raise TrialError(str(fault)) from fault
    finally:
        relay.close()
    if delivery.fate != SENT:
        raise TrialError(f"Le relais n’a pas pris le message\u00a0: {delivery.reply}")
    with act() as transaction:
        detail = {"mailing": mailing.id, "kind": mailing.kind}
        record(transaction, "mailing-tried", actor=actor, subject=mailing.wave_id, detail=detail)


def blanks(mailing: Mailing, expected: Forecast, wave: Wave, frame: WaveFrame | None) -> list[Blank]:
    """The placeholders about the person that stay empty, and for how many."""
    used = [name for name in PERSONAL if name in used_in(mailing.subject, mailing.body)]
    values = [values_for(one, wave, frame, sample=True) for one in expected.recipients] if used else []
    counts = {name: sum(not known[name] for known in values) for name in used}
    return [Blank(name, count) for name, count in counts.items() if count]


def ends_at(due_at: dt.datetime, messages: int, per_minute: int) -> dt.datetime:
    """When the last message leaves, if nothing delays it."""
    return due_at + dt.timedelta(minutes=max(messages - 1, 0) / per_minute)


def foreign_sender(settings: Settings) -> bool:
    """Whether who writes and where the link leads do not look like the same house."""
    sender, host = settings.mail.sender.rpartition("@")[2], urlsplit(settings.public_url).hostname or ""
    return _house(sender) != _house(host)


def _house(domain: str) -> str:
    """The part of a name that its owner registered: two labels, three below gouv.fr."""
    count = _SHARED_LABELS + domain.endswith(_OF_THE_STATE)
    return ".".join(domain.lower().split(".")[-count:])


def _composition(
    session: Session, mailing: Mailing, invitation: Invitation, *, to: str | None = None
) -> Composition:
    settings = _settings()
    frame = session.get(WaveFrame, mailing.wave_id)
    values = values_for(invitation, session.get_one(Wave, mailing.wave_id), frame, sample=True)
    sender = sender_address(settings)
    ends = (sender, recipient_of(invitation) if to is None else address("", to))
    made = composition(mailing, values, ends, new_message_id(sender.domain))
    return made if to is None else replace(made, subject=TRIAL + made.subject)


def _part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    return str(found.get_content()) if found is not None else ""


def _settings() -> Settings:
    settings: Settings = current_app.extensions["survey_settings"]
    return settings
