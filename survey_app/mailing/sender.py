"""Sends what is due, one message at a time: mark, hand over, write down. Never the other way round."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_app.clock import utc_now
from survey_app.database import db, write_transaction
from survey_app.definitions import organisation
from survey_app.fault_log import told_without_values
from survey_app.invitation_models import Invitation, Mailing, WaveFrame
from survey_app.invitations.links import check_key
from survey_app.invitations.states import LinkKeyChanged
from survey_app.mailing import lease, queue
from survey_app.mailing.composing import AddressError, Attachment, Composition, address, compose
from survey_app.mailing.placeholders import fill
from survey_app.mailing.smtp import LATER, REFUSED, Delivery, Relay, RelayError
from survey_app.mailing.values import one_line, values_for
from survey_app.settings import Settings

log = logging.getLogger(__name__)
IDLE_SECONDS: Final = 5.0
"""How often an idle sender looks whether something is due."""
PAUSES: Final = (5.0, 15.0, 60.0, 300.0)
"""After each vain try to reach the relay."""
NOT_COMPOSED: Final = "Un message n’a pas pu être composé\u00a0: le journal du serveur dit pourquoi."
OTHER_KEY: Final = "Son lien a été fait avec une autre clé\u00a0: remplacez-le sur sa page, puis renvoyez."
UNSET: Final = "expediteur@exemple.fr"


@dataclass(frozen=True)
class Sendable:
    """A message with its envelope."""

    return_path: str
    recipient: Address
    composition: Composition


def sender_address(settings: Settings) -> Address:
    """« Préfecture … » <enquete@…>, as it stands in every message; a made-up one before it is set."""
    return address(organisation().name, settings.mail.sender or UNSET)


def sendable(session: Session, settings: Settings, claimed: queue.Claim) -> Sendable:
    """What leaves for this message. Raises AddressError."""
    message, invitation = claimed.message, claimed.invitation
    frame = session.get(WaveFrame, claimed.wave.id)
    mailing = session.get_one(Mailing, claimed.mailing.id)
    values = values_for(invitation, claimed.wave, frame, sample=False)
    recipient = recipient_of(invitation)
    return Sendable(
        settings.mail.return_address(message.return_tag),
        recipient,
        composition(mailing, values, (sender_address(settings), recipient), message.message_id),
    )


def composition(
    mailing: Mailing, values: dict[str, str], ends: tuple[Address, Address], message_id: str
) -> Composition:
    """The texts of a mailing filled with these values, between these two ends: sender, recipient."""
    attached = mailing.attachment
    return Composition(
        sender=ends[0],
        recipient=ends[1],
        subject=fill(mailing.subject, values),
        body=fill(mailing.body, values),
        links=(values["lien"], values["desinscription"], values["page_verification"]),
        unsubscribe=values["desinscription"],
        message_id=message_id,
        attachment=Attachment(mailing.attachment_name or "lettre.pdf", attached) if attached else None,
    )


def recipient_of(invitation: Invitation) -> Address:
    """Whom the message is for; once passed on, nobody knows, and the authority stands for them."""
    unit = invitation.unit
    person = one_line(f"{unit.first_name} {unit.last_name}")
    name = unit.authority_name if invitation.passed_on or not person else person
    return address(name, invitation.email or "")


class Sender:
    """One sender; of several, in whatever processes, only the one that holds the lease sends."""

    def __init__(self, settings: Settings, clock: Callable[[], dt.datetime] = utc_now) -> None:
        self._settings = settings
        self._clock = clock
        self._holder = lease.new_holder()
        self._relay = Relay(settings.mail, urlsplit(settings.public_url).hostname or "")
        self._vain_tries = 0
        self._at_work = False
        self._unwritten: tuple[queue.Attempt, Delivery] | None = None
        self.handed_over = 0
        self.trouble = ""

    def close(self) -> None:
        """End the conversation with the relay and let another sender go on."""
        self._relay.close()
        if self._at_work:
            with write_transaction() as transaction:
                lease.give_back(transaction, self._holder)
            self._at_work = False

    def step(self) -> float | None:
        """Send at most one message; seconds until the next step is worth while, None: nothing is due."""
        self._write_down()
        if self._settings.mail.lacks or not self._work_waits():
            self.close()
            return None
        waiting = self._take_turn()
        if waiting is None or waiting > 0:
            return waiting
        try:
            self._check_key()
            self._relay.open()
            claimed = self._claim()
            if claimed is None:
                return 0.0
            self._send(claimed)
        except (RelayError, LinkKeyChanged) as fault:
            return self._pause(str(fault))
        self._all_well()
        return 0.0

    def _check_key(self) -> None:
        """No message is marked as leaving while its link would open nothing."""
        with Session(db.engine) as session:
            check_key(session)

    def _work_waits(self) -> bool:
        with Session(db.engine) as session:
            return queue.anything_to_do(session, self._clock())

    def _take_turn(self) -> float | None:
        """Seconds to wait for the pace; None where another sender is at work."""
        try:
            with write_transaction() as transaction:
                now = self._clock()
                taken = lease.take(transaction, self._holder, now)
                if taken is None:
                    return None
                left = queue.own_up(transaction, now)  # none can be our own: it was written down
        except IntegrityError:  # two made the very first lease at once
            return IDLE_SECONDS
        self._at_work = True
        if left:
            log.warning("%d message(s) left half done: uncertain", left)
        return max(0.0, taken[0].next_at - now.timestamp())

    def _claim(self) -> queue.Claim | None:
        with write_transaction() as transaction:
            now = self._clock()
            taken = lease.take(transaction, self._holder, now)
            if taken is None or taken[1]:
                return None  # it took so long to reach the relay that another went on
            claimed = queue.claim(transaction, now)
            if claimed is not None:
                lease.pace(transaction, taken[0], 60 / claimed.mailing.per_minute, now)
            return claimed

    def _send(self, claimed: queue.Claim) -> None:
        try:
            with Session(db.engine) as session:
                ready = sendable(session, self._settings, claimed)
            message = compose(ready.composition)
        except AddressError as fault:
            self._settle(claimed, Delivery(REFUSED, str(fault), address_is_bad=True))
            return
        except LinkKeyChanged:
            self._settle(claimed, Delivery(REFUSED, OTHER_KEY))
            return
        except Exception as fault:  # whatever it is, the relay has heard nothing
            log.warning("a message could not be composed: %s", told_without_values(fault))
            self._settle(claimed, Delivery(LATER, NOT_COMPOSED))
            raise RelayError(NOT_COMPOSED) from fault
        try:
            delivery = self._relay.deliver(ready.return_path, ready.recipient, message)
        except RelayError:
            with write_transaction() as transaction:
                queue.put_back(transaction, claimed.attempt, self._clock())
            raise
        self.handed_over += delivery.fate == "sent"
        self._settle(claimed, delivery)

    def _settle(self, claimed: queue.Claim, delivery: Delivery) -> None:
        self._unwritten = (claimed.attempt, delivery)
        self._write_down()

    def _write_down(self) -> None:
        """What became of the last message; where the database is full, again before anything else."""
        if self._unwritten is None:
            return
        with write_transaction() as transaction:
            queue.settle(transaction, *self._unwritten, self._clock())
        self._unwritten = None

    def _pause(self, reason: str) -> float:
        """The relay is not to be had, or the key of the links: say so, let go, come back later."""
        log.warning("no mail leaves: %s", reason)
        self.trouble = reason
        pause = PAUSES[min(self._vain_tries, len(PAUSES) - 1)]
        self._vain_tries += 1
        with write_transaction() as transaction:
            lease.note_trouble(transaction, reason, self._clock())
        self.close()
        return pause

    def _all_well(self) -> None:
        self._vain_tries = 0
        with Session(db.engine) as session:
            if lease.trouble(session) is None:
                return
        with write_transaction() as transaction:
            lease.no_trouble(transaction)
