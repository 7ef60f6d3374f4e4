"""A relay on this machine that delivers nothing and shows everything: for demonstrations and trials.

It listens on loopback only and keeps the messages in memory. What a message says is shown as text, or as a
page in a frame without scripts, forms or network.
"""

from __future__ import annotations

import os
import socket
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

from aiosmtpd.controller import Controller
from markupsafe import Markup, escape
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from survey_app.clock import PARIS, utc_now
from survey_app.mail_settings import NONE, MailSettings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment
    from aiosmtpd.smtp import SMTP, Envelope, Session

HOST: Final = "127.0.0.1"
SMTP_PORT: Final = 2525
WEB_PORT: Final = 8025
KEPT: Final = 1000
LARGEST: Final = 30 * 2**20
PAGE_POLICY: Final = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)
MAIL_POLICY: Final = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""The styles of a mail are its own; nothing else of it is carried out."""
STYLE: Final = """
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem; color: #1b1b1b }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #ccc; vertical-align: top;
  overflow-wrap: anywhere }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f6f6f6; padding: 1rem; font-size: .9rem }
iframe { width: 100%; height: 45rem; border: 1px solid #ccc }
dt { font-weight: bold } dd { margin: 0 0 .5rem; overflow-wrap: anywhere }
.note { border-left: .3rem solid #b34000; padding-left: .8rem }
"""
_PAGE: Final = Markup(
    '<!doctype html><html lang="fr" dir="ltr"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>{title} – Relais d’essai</title>"
    '<link rel="stylesheet" href="/style.css"></head><body><h1>{title}</h1>{content}</body></html>'
)
_NOTE: Final = Markup(
    '<p class="note">Relais d’essai\u00a0: aucun de ces messages n’est remis. '
    "Ils s’effacent à l’arrêt du programme.</p>"
)
_FRAME: Final = Markup(
    '<h2>Page</h2><iframe sandbox title="Le message comme page" src="/{}/page.html"></iframe>'
)


class SinkError(Exception):
    """The sink cannot listen; one French line."""


@dataclass(frozen=True)
class Kept:
    """One message as it came in."""

    number: int
    at: datetime
    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed."""
        found = message_from_bytes(self.raw, policy=default)
        assert isinstance(found, EmailMessage)  # noqa: S101 (what this policy makes)
        return found

    def part(self, kind: str) -> str:
        """The text (``plain``) or the page (``html``); empty where there is none."""
        found = self.message.get_body((kind,))
        with suppress(LookupError, ValueError):  # a charset that does not exist, …
            return str(found.get_content()) if found is not None else ""
        return "(illisible)"


class Messages:
    """The last messages, newest first."""

    def __init__(self) -> None:
        self._kept: deque[Kept] = deque(maxlen=KEPT)
        self._count = 0
        self._guard = threading.Lock()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take what was sent, for real to the sender, for nobody else."""
        raw = envelope.original_content or b""
        recipients = tuple(map(str, envelope.rcpt_tos))
        with self._guard:
            self._count += 1
            self._kept.appendleft(
                Kept(self._count, utc_now(), str(envelope.mail_from or ""), recipients, raw)
            )
        return "250 2.0.0 OK, ne sera pas remis"

    def all(self) -> list[Kept]:
        """Every message that is still kept."""
        with self._guard:
            return list(self._kept)

    def find(self, number: str) -> Kept | None:
        """The message with this number."""
        return next((one for one in self.all() if str(one.number) == number), None)


class Viewer:
    """The messages in a browser: a list, and of each the text, the page, the source."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        request = Request(environ)
        response = self._answer(request)
        response.headers.setdefault("Content-Security-Policy", PAGE_POLICY)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    def _answer(self, request: Request) -> Response:
        # Another name could be a foreign site whose address was turned to this machine.
        if request.host.partition(":")[0] not in (HOST, "localhost"):
            return Response(status=HTTPStatus.BAD_REQUEST)
        if request.method not in ("GET", "HEAD"):
            return Response(status=HTTPStatus.METHOD_NOT_ALLOWED)
        match request.path.strip("/").split("/"):
            case [""]:
                return self._list()
            case ["style.css"]:
                return Response(STYLE, content_type="text/css; charset=utf-8")
            case [number, *rest] if (kept := self._messages.find(number)) is not None:
                return self._one(kept, "/".join(rest))
        return _page("Page introuvable", Markup('<p><a href="/">Tous les messages</a></p>'), status=404)

    def _list(self) -> Response:
        row = Markup('<tr><td>{:%H:%M:%S}</td><td>{}</td><th scope="row"><a href="/{}">{}</a></th></tr>')
        rows = Markup("").join(
            row.format(
                one.at.astimezone(PARIS),
                ", ".join(one.recipients),
                one.number,
                _subject(one) or "(sans objet)",
            )
            for one in self._messages.all()
        )
        head = Markup(
            '<table><thead><tr><th scope="col">Heure</th><th scope="col">Pour</th>'
            '<th scope="col">Objet</th></tr></thead><tbody>{}</tbody></table>'
        )
        content = head.format(rows) if rows else Markup("<p>Aucun message encore. Rechargez la page.</p>")
        return _page("Courriels reçus", _NOTE + content)

    def _one(self, kept: Kept, view: str) -> Response:
        match view:
            case "":
                return _page(_subject(kept) or "(sans objet)", Markup("").join(_sheet(kept)))
            case "page.html":
                response = Response(kept.part("html"), content_type="text/html; charset=utf-8")
                response.headers["Content-Security-Policy"] = MAIL_POLICY
                return response
            case "source.txt":
                return Response(kept.raw, content_type="text/plain; charset=utf-8")
        return _page("Page introuvable", Markup('<p><a href="/">Tous les messages</a></p>'), status=404)


def _sheet(kept: Kept) -> Iterator[Markup]:
    yield Markup('<p><a href="/">Tous les messages</a> · <a href="/{}/source.txt">Source</a></p><dl>').format(
        kept.number
    )
    pair = Markup("<dt>{}</dt><dd>{}</dd>")
    yield pair.format("Adresse de retour", kept.sender)
    for name, value in kept.message.items():
        yield pair.format(name, str(value))
    yield Markup("</dl><h2>Texte</h2><pre>{}</pre>").format(kept.part("plain"))
    if kept.part("html"):
        yield _FRAME.format(kept.number)


def _subject(kept: Kept) -> str:
    return str(kept.message.get("Subject", ""))


def _page(title: str, content: Markup, status: int = 200) -> Response:
    html = _PAGE.format(title=escape(title), content=content)
    return Response(html, status, content_type="text/html; charset=utf-8")


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 (werkzeug's name)
        """Nothing: the terminal is for the person who started it."""


def _check_free(port: int) -> None:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((HOST, port))
        except OSError as fault:
            raise SinkError(f"Le port {port} est déjà occupé\u00a0: choisissez-en un autre.") from fault


class Sink:
    """Both servers, for as long as the block lasts. Raises SinkError where a port is taken."""

    def __init__(self, smtp_port: int, web_port: int) -> None:
        self._smtp_port, self._web_port = smtp_port, web_port
        self.messages = Messages()
        self.address = f"http://{HOST}:{web_port}/"
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        for port in (self._smtp_port, self._web_port):
            _check_free(port)
        self._process = os.getpid()
        self._relay = Controller(
            self.messages,
            hostname=HOST,
            port=self._smtp_port,
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            ident="survey-app mail-sink",
        )
        self._relay.start()
        self._web = make_server(
            HOST, self._web_port, Viewer(self.messages), threaded=True, request_handler=_Quiet
        )
        threading.Thread(target=self._web.serve_forever, name="mail sink", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        if os.getpid() != self._process:  # a child that was forked inside the block has no such threads
            return
        self._web.shutdown()
        self._web.server_close()
        self._relay.stop()

    def settings(self, sender: str) -> MailSettings:
        """To hand mail over to this relay."""
        return MailSettings(host=HOST, port=self._smtp_port, security=NONE, sender=sender)

    def wait(self) -> None:
        """Until the program is interrupted."""
        self._ended.wait()
