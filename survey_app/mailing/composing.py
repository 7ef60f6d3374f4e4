"""One message as it leaves: headers, the text, and HTML made from that text. Nothing remote, no picture.

The address of a link is what one reads: nothing is hidden behind a button. A line of dashes begins the small
print.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Final

from email_validator import EmailNotValidError, validate_email
from markupsafe import Markup, escape

from survey_app.clock import PARIS, utc_now
from survey_app.mailing.values import one_line


class WholeHeader(UnstructuredHeader):
    """A header on one line: the library would cut the address of a link in two encoded words."""

    name: str

    def fold(self, *, policy: Policy[EmailMessage]) -> str:
        """As it is."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
_HEADERS.map_to_type("list-unsubscribe", WholeHeader)  # type: ignore[arg-type]
POLICY: Final = SMTP.clone(header_factory=_HEADERS)
ONE_CLICK: Final = "List-Unsubscribe=One-Click"
"""https://www.rfc-editor.org/rfc/rfc8058#section-3.1"""
_WEB: Final = re.compile(r"https?://\S+\Z")
_SEPARATOR: Final = re.compile(r"^[-\u2013\u2014_]{3,}$", re.MULTILINE)
_PAGE: Final = Markup(
    '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{}</title></head>\n'
    '<body style="margin:0;background:#ffffff;color:#1b1b1b">'
    '<div style="max-width:36em;margin:0 auto;padding:1.5em;font:16px/1.55 Arial,Helvetica,sans-serif">\n'
    "{}</div></body></html>\n"
)
_SMALL: Final = Markup(
    '<div style="border-top:1px solid #8a8a8a;margin-top:1.5em;padding-top:.5em;font-size:14px;color:#444">'
    "\n{}</div>\n"
)
_PARAGRAPH: Final = Markup('<p style="margin:1em 0">{}</p>\n')
_LINK: Final = Markup('<a href="{0}" style="color:#000091;word-break:break-all">{0}</a>')
_BREAK: Final = Markup("<br>\n")


class AddressError(ValueError):
    """Nothing can be sent to this address. The message says why and quotes nothing."""


@dataclass(frozen=True)
class Attachment:
    """A PDF that goes with every message of a mailing."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Composition:
    """Everything one message is made of; texts already filled."""

    sender: Address
    recipient: Address
    subject: str
    body: str
    links: Collection[str]
    """The addresses of the text that become links in HTML; no other does."""
    unsubscribe: str
    message_id: str
    attachment: Attachment | None = None


def address(name: str, email: str) -> Address:
    """An address with a name as headers carry it. Raises AddressError for one that mail cannot use."""
    try:
        found = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as fault:
        raise AddressError("L’adresse n’est pas une adresse électronique.") from fault
    return Address(one_line(name), found.local_part, found.ascii_domain)


def needs_utf8(recipient: Address) -> bool:
    """Whether only a relay that speaks SMTPUTF8 can take this address: letters with accents before the @."""
    return not recipient.username.isascii()


def compose(parts: Composition) -> EmailMessage:
    """The message, ready to leave."""
    policy = POLICY.clone(utf8=True) if needs_utf8(parts.recipient) else POLICY
    message = EmailMessage(policy=policy)
    message["From"], message["To"] = parts.sender, parts.recipient
    message["Subject"] = one_line(parts.subject)
    message["Date"] = format_datetime(utc_now().astimezone(PARIS))
    message["Message-ID"] = parts.message_id
    message["List-Unsubscribe"] = f"<{parts.unsubscribe}>"
    message["List-Unsubscribe-Post"] = ONE_CLICK
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message.set_content(parts.body, cte="quoted-printable")
    html = html_of(parts.subject, parts.body, parts.links)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    if parts.attachment is not None:
        name = one_line(parts.attachment.name)
        message.add_attachment(parts.attachment.content, maintype="application", subtype="pdf", filename=name)
    message["Content-Language"] = "fr"  # last: making a part takes such headers with it
    return message


def html_of(subject: str, body: str, links: Collection[str]) -> str:
    """The text as a page of HTML: paragraphs, lines, links that show their address."""
    main, _, small = _split(body)
    content = Markup("").join(_paragraphs(main, links))
    if small:
        content += _SMALL.format(Markup("").join(_paragraphs(small, links)))
    return str(_PAGE.format(one_line(subject), content))


def _split(body: str) -> tuple[str, str, str]:
    found = _SEPARATOR.search(body)
    return (body, "", "") if found is None else (body[: found.start()], found[0], body[found.end() :])


def _paragraphs(text: str, links: Collection[str]) -> Iterator[Markup]:
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        lines = [_line(line, links) for line in paragraph.splitlines() if line.strip()]
        if lines:
            yield _PARAGRAPH.format(_BREAK.join(lines))


def _line(line: str, links: Collection[str]) -> Markup:
    known = sorted(filter(_WEB.match, links), key=len, reverse=True)
    if not known:
        return escape(line)
    pieces = re.split(f"({'|'.join(map(re.escape, known))})", line)
    return Markup("").join(_LINK.format(piece) if piece in known else escape(piece) for piece in pieces)
