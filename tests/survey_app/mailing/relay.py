"""A relay on a real socket whose answers are scripted; it keeps what it accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

from tests.browsers import free_port

OK = "250 2.0.0 Ok: queued"


@dataclass
class Accepted:
    """One message that the relay took."""

    return_path: str
    recipients: list[str]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed back."""
        parsed = message_from_bytes(self.raw, policy=default)
        assert isinstance(parsed, EmailMessage)
        return parsed


@dataclass
class ScriptedRelay:
    """Answers each command from a list, then with OK; sleeps before it answers DATA where told to."""

    port: int = 0
    accepted: list[Accepted] = field(default_factory=list)
    mail_replies: list[str] = field(default_factory=list)
    rcpt_replies: list[str] = field(default_factory=list)
    data_replies: list[str] = field(default_factory=list)
    hang_up_after_data: int = 0
    """So many messages are taken, and the line cut instead of an answer."""
    slowness: float = 0.0
    conversations: int = 0

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self.conversations += 1
        return replies

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.mail_replies.pop(0) if self.mail_replies else "250 OK"
        if reply.startswith("2"):
            envelope.mail_from = address
        return reply

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Any, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self.rcpt_replies.pop(0) if self.rcpt_replies else "250 OK"
        if reply.startswith("2"):
            envelope.rcpt_tos.append(address)
        return reply

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Envelope) -> str:  # noqa: N802
        await asyncio.sleep(self.slowness)
        reply = self.data_replies.pop(0) if self.data_replies else OK
        if reply.startswith("2"):
            raw = envelope.original_content or b""
            self.accepted.append(Accepted(envelope.mail_from or "", list(envelope.rcpt_tos), raw))
        if self.hang_up_after_data:
            self.hang_up_after_data -= 1
            cast(asyncio.Transport, server.transport).abort()
        return reply


@contextmanager
def listening(relay: ScriptedRelay | None = None, **options: Any) -> Iterator[ScriptedRelay]:
    """The relay on a port of the machine itself."""
    relay = relay or ScriptedRelay()
    relay.port = relay.port or free_port()
    controller = Controller(relay, hostname="127.0.0.1", port=relay.port, **options)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()
