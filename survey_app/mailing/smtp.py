"""The one door by which mail leaves. What became of a message is said exactly, or said to be uncertain.

A message is uncertain when the line broke after its last byte may have left and before the relay answered:
only then can nobody know whether it arrived.
"""

from __future__ import annotations

import errno
import re
import smtplib  # noqa: TID251 (this is the door)
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Final, Literal

from survey_app.mail_settings import STARTTLS, TLS, MailSettings
from survey_app.mailing.composing import needs_utf8

Fate = Literal["sent", "later", "refused", "uncertain"]
SENT: Final = "sent"
LATER: Final = "later"
REFUSED: Final = "refused"
UNCERTAIN: Final = "uncertain"
LONGEST_REPLY: Final = 300
ANSWER_SECONDS: Final = 30.0
"""How long a relay may be silent."""
CONVERSATION_SECONDS: Final = 90.0
"""How long all about one message may take, however busily the relay talks. Less than a lease."""
_OK, _GO_ON, _PERMANENT = 250, 354, 500
_ACCEPTED: Final = (250, 251)
_ADDRESSES: Final = re.compile(r"<?[^\s<>@]+@[^\s<>]+>?")
_BAD_ADDRESS: Final = re.compile(r"\b5\.1\.(?:[0-36]|10)\b")
"""https://www.rfc-editor.org/rfc/rfc3463#section-3.2: no such mailbox, domain or address."""


class RelayError(Exception):
    """The relay is not to be had, or will have nothing of ours: the message has not left. French."""


@dataclass(frozen=True)
class Delivery:
    """What became of a message, and what the relay said, without any address."""

    fate: Fate
    reply: str
    address_is_bad: bool = False
    """The relay knows that nobody has this address."""


def without_addresses(reply: bytes | str) -> str:
    """A reply of a relay, short, and with every address taken out."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    text = _ADDRESSES.sub("…", "".join(c if c.isprintable() else " " for c in text))
    return " ".join(text.split())[:LONGEST_REPLY]


class Relay:
    """A conversation with the relay, kept open from one message to the next."""

    def __init__(self, settings: MailSettings, name: str = "") -> None:
        self._settings = settings
        self._name = name or "localhost"
        self._line: smtplib.SMTP | None = None

    def open(self) -> None:
        """Be connected, encrypted and known to the relay. Raises RelayError."""
        if self._line is not None and self._answers():
            return
        self.close()
        try:
            self._line = self._greet()
        except (OSError, smtplib.SMTPException) as fault:
            raise RelayError(_why_not(fault, self._settings)) from fault

    def close(self) -> None:
        """End the conversation."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(OSError, smtplib.SMTPException):
                line.quit()
            line.close()

    def deliver(self, return_path: str, recipient: Address, message: EmailMessage) -> Delivery:
        """Hand over one message. Raises RelayError where the relay refuses the sender or is gone before."""
        line = self._line
        if line is None:
            raise RelayError("Le relais n’est plus connecté.")
        with _at_most(CONVERSATION_SECONDS, line):
            try:
                refused = self._address(line, return_path, recipient)
            except (OSError, smtplib.SMTPException) as fault:
                self.close()
                raise RelayError(_why_not(fault, self._settings)) from fault
            return refused or self._hand_over(line, message)

    def _greet(self) -> smtplib.SMTP:
        ours = self._settings
        context = ssl.create_default_context()
        if ours.security == TLS:
            line: smtplib.SMTP = smtplib.SMTP_SSL(
                ours.host, ours.port, self._name, timeout=ANSWER_SECONDS, context=context
            )
        else:
            line = smtplib.SMTP(ours.host, ours.port, self._name, timeout=ANSWER_SECONDS)
        try:
            with _at_most(CONVERSATION_SECONDS, line):
                if ours.security == STARTTLS:
                    line.starttls(context=context)
                line.ehlo_or_helo_if_needed()
                if ours.user:
                    line.login(ours.user, ours.password)
        except BaseException:
            line.close()
            raise
        return line

    def _answers(self) -> bool:
        with suppress(OSError, smtplib.SMTPException):
            return self._line is not None and self._line.rset()[0] == _OK
        return False

    def _address(self, line: smtplib.SMTP, return_path: str, recipient: Address) -> Delivery | None:
        """The envelope; a refusal of the recipient, or None."""
        utf8 = needs_utf8(recipient)
        if utf8 and not line.has_extn("smtputf8"):
            reason = "Le relais ne prend pas d’adresse accentuée devant le @ (SMTPUTF8)."
            return Delivery(REFUSED, reason)
        options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
        code, reply = line.mail(return_path, options)
        if code != _OK:
            raise smtplib.SMTPSenderRefused(code, reply, return_path)
        code, reply = line.rcpt(recipient.addr_spec)
        return None if code in _ACCEPTED else _refusal(code, reply, of_recipient=True)

    def _hand_over(self, line: smtplib.SMTP, message: EmailMessage) -> Delivery:
        try:
            code, reply = line.docmd("DATA")
        except (OSError, smtplib.SMTPException) as fault:
            self.close()
            raise RelayError(_why_not(fault, self._settings)) from fault
        if code != _GO_ON:
            return _refusal(code, reply)
        try:
            line.send(_dotted(message.as_bytes()))
            code, reply = line.getreply()
        except (OSError, smtplib.SMTPException) as fault:
            self.close()
            return Delivery(UNCERTAIN, _why_not(fault, self._settings))
        return Delivery(SENT, without_addresses(reply)) if code == _OK else _refusal(code, reply)


def _refusal(code: int, reply: bytes, *, of_recipient: bool = False) -> Delivery:
    told = f"{code} {without_addresses(reply)}"
    if code < _PERMANENT:  # 4xx, or an answer that makes no sense here: nothing was taken
        return Delivery(LATER, told)
    return Delivery(REFUSED, told, address_is_bad=of_recipient and bool(_BAD_ADDRESS.search(told)))


def _dotted(raw: bytes) -> bytes:
    """As the wire wants it: lines that begin with a dot get another, and a dot ends it all."""
    body = re.sub(rb"(?m)^\.", b"..", raw)
    return (body if body.endswith(b"\r\n") else body + b"\r\n") + b".\r\n"


@contextmanager
def _at_most(seconds: float, line: smtplib.SMTP) -> Iterator[None]:
    """Hang up when it takes longer in all: a relay that drips never runs into the time-out of one answer."""
    timer = threading.Timer(seconds, _hang_up, (line,))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _hang_up(line: smtplib.SMTP) -> None:
    if line.sock is not None:
        with suppress(OSError):
            line.sock.shutdown(socket.SHUT_RDWR)


_UNREACHABLE: Final = {
    errno.ECONNREFUSED: "il refuse la connexion",
    errno.ECONNRESET: "il a coupé la connexion",
    errno.EPIPE: "il a coupé la connexion",
    errno.EHOSTUNREACH: "aucun chemin n’y mène",
    errno.ENETUNREACH: "aucun chemin n’y mène",
}


def _why_not(fault: Exception, settings: MailSettings) -> str:
    where = f"{settings.host}, port {settings.port}"
    match fault:
        case smtplib.SMTPAuthenticationError():
            return f"Le relais ({where}) refuse le compte SMTP_USER\u00a0: vérifiez le mot de passe."
        case smtplib.SMTPSenderRefused() | smtplib.SMTPResponseException():
            told = without_addresses(fault.smtp_error)
            return f"Le relais ({where}) refuse nos messages\u00a0: {fault.smtp_code} {told}"
        case smtplib.SMTPNotSupportedError():
            return f"Le relais ({where}) n’offre pas ce que demandent SMTP_SECURITY ou SMTP_USER."
        case ssl.SSLCertVerificationError():
            return f"Le certificat du relais ({where}) n’est pas reconnu\u00a0: {fault.verify_message}"
        case smtplib.SMTPServerDisconnected():
            return f"Le relais ({where}) a coupé la connexion."
        case TimeoutError():
            return f"Le relais ({where}) ne répond pas."
        case socket.gaierror():
            return f"Le nom du relais ({settings.host}) est inconnu\u00a0: vérifiez SMTP_HOST."
    number = fault.errno if isinstance(fault, OSError) else None
    reason = _UNREACHABLE.get(number or 0) or without_addresses(str(fault)).rstrip(".")
    return f"Le relais ({where}) n’est pas joignable\u00a0: {reason}."
