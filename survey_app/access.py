"""Who may use a route. Every route says so, or the application does not start.

Floor 4. A rule sits on the view (``@public``, ``@device``, ``@roles("referent", …)``) or, for a route that a
library brings, in :func:`declare`. One hook applies the rules before any view runs: who is signed in, which
tablet signed the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeVar, cast
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user
from werkzeug.exceptions import ClientDisconnected

from survey_app.database import db
from survey_app.device_models import Device
from survey_app.prepared import Prepared
from survey_app.responses.credentials import (
    Credential,
    content_digest,
    device_secret,
    verify_announced,
    verify_request,
)
from survey_app.responses.envelope import is_identifier
from survey_app.responses.unidentified import UNIDENTIFIED

View = TypeVar("View", bound=Callable[..., Any])

REFERENT: Final = "referent"
ASSISTANT: Final = "assistant"
CONTRIBUTOR: Final = "contributor"
DIRECTOR: Final = "director"
READER: Final = "reader"
TECHNICIAN: Final = "technician"

ROLES: Final[dict[str, str]] = {
    REFERENT: "Référent qualité",
    ASSISTANT: "Assistant du référent",
    CONTRIBUTOR: "Contributeur d’un service",
    DIRECTOR: "Direction",
    READER: "Lecteur",
    TECHNICIAN: "Technicien",
}
"""The roles and their names on screen. The referent may do everything."""

ENDED: Final = "ended"
"""In the cookie of whoever was signed out without asking for it, until they sign in again."""
UNSAVED: Final = "unsaved"
"""And what they sent then was not kept."""
REVOKED: Final = "revoked"
_DEVICE: Final = Prepared(
    lambda _: sa.select(Device.id, Device.site, Device.state).where(
        Device.id == sa.bindparam("id", type_=sa.String)
    )
)

RESULT_READERS: Final = (ASSISTANT, CONTRIBUTOR, DIRECTOR, READER)
"""Who reads figures, beside the referent. Verbatims are for the referent alone."""


class AccessError(Exception):
    """A route without a rule, or a rule that names an unknown role."""


@dataclass(frozen=True)
class Rule:
    """What a route asks of whoever calls it."""

    kind: Literal["public", "device", "staff"]
    roles: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.kind if self.kind != "staff" else ",".join(role for role in ROLES if role in self.roles)

    def admits(self, role: str | None) -> bool:
        """Whether somebody signed in under this role (None = nobody signed in) may pass."""
        return self.kind != "staff" or role in self.roles


PUBLIC: Final = Rule("public")
DEVICE: Final = Rule("device")


def staff_rule(*names: str) -> Rule:
    """The rule for signed-in staff holding one of these roles; the referent always does."""
    unknown = [name for name in names if name not in ROLES]
    if unknown:
        raise AccessError(f"unknown role(s) {', '.join(unknown)}: use one of {', '.join(ROLES)}")
    return Rule("staff", frozenset({REFERENT, *names}))


def _marking(rule: Rule) -> Callable[[View], View]:
    def mark(view: View) -> View:
        cast(Any, view).access_rule = rule
        return view

    return mark


public = _marking(PUBLIC)
"""Anybody may use this route."""

device = _marking(DEVICE)
"""Only an enrolled tablet that signed the request; a revoked one is still heard, and flagged."""


def roles(*names: str) -> Callable[[View], View]:
    """Only signed-in staff holding one of these roles (the referent always may)."""
    return _marking(staff_rule(*names))


def everyone_signed_in(view: View) -> View:
    """Any signed-in member of staff."""
    return _marking(staff_rule(*ROLES))(view)


def declare(app: Flask, endpoint: str, rule: Rule) -> None:
    """Give a rule to a route that comes from a library and cannot carry a decorator."""
    app.extensions.setdefault("survey_access", {})[endpoint] = rule


def rule_of(app: Flask, endpoint: str) -> Rule | None:
    """The rule of this route, or None when nobody declared one."""
    declared = app.extensions.get("survey_access", {}).get(endpoint)
    return cast(Rule | None, declared or getattr(app.view_functions.get(endpoint), "access_rule", None))


def declared_routes(app: Flask) -> Iterator[tuple[str, str, Rule | None]]:
    """Each (address, endpoint, rule) of the application, sorted by address."""
    for route in sorted(app.url_map.iter_rules(), key=lambda route: (route.rule, route.endpoint)):
        yield route.rule, route.endpoint, rule_of(app, route.endpoint)


def check_every_route_declared(app: Flask) -> None:
    """Stop the start-up when a route has no rule: nothing is open by omission."""
    missing = [f"{address} ({endpoint})" for address, endpoint, rule in declared_routes(app) if rule is None]
    if missing:
        raise AccessError("routes without an access rule: " + ", ".join(missing))


def install(app: Flask) -> None:
    """Apply the rules before every view."""
    app.before_request(apply_rule)


def apply_rule() -> ResponseReturnValue | None:
    """Let the request pass, send it to the sign-in page, or refuse it."""
    if request.endpoint is None:
        return None
    rule = rule_of(current_app, request.endpoint)
    if rule is None:
        abort(403)
    if rule.kind == "device":
        g.sender = _signed_by()
    return _staff_only(rule) if rule.kind == "staff" else None


@dataclass(frozen=True)
class Sender:
    """The tablet that signed the present request, and the secret for the receipts it gets."""

    credential: Credential
    secret: bytes
    state: str
    """Of its device; :data:`UNIDENTIFIED` also where it has no row yet."""
    met: bool
    """Whether it has one."""


def sender() -> Sender:
    """Who signed the present request; only in the views of tablets."""
    return cast(Sender, g.sender)


def _signed_by() -> Sender:
    """401 for anybody else; the bytes of a stranger are not even read.

    A tablet that the database has lost signs as well as the others, because its secret is derived.
    """
    name, signature = request.headers.get("X-Device", ""), request.headers.get("X-Signature", "")
    found = _DEVICE.read(db.engine, id=name) if name else ()
    if not (found or is_identifier(name)):
        abort(401)
    secret = device_secret(current_app.extensions["survey_settings"].device_master_key, name)
    announced = request.headers.get("Content-Digest", "")
    if not (found or verify_announced(secret, request.method, request.path, announced, signature)):
        abort(401)
    check_bytes(secret, signature)
    site, state = (found[0].site or None, found[0].state) if found else (None, UNIDENTIFIED)
    credential = Credential(mode="tablet", device_id=name, site=site, revoked=state == REVOKED)
    return Sender(credential, secret, state, met=bool(found))


def check_bytes(secret: bytes, signature: str) -> None:
    """401 for another's signature; 422, to be sent again, for bytes that were cut or changed on their way."""
    try:
        raw = request.get_data()
    except ClientDisconnected:
        abort(422)
    if request.headers.get("Content-Digest") not in (None, content_digest(raw)):
        abort(422)
    if not verify_request(secret, request.method, request.path, raw, signature):
        abort(401)


def _staff_only(rule: Rule) -> ResponseReturnValue | None:
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    if not any(rule.admits(role.name) for role in current_user.roles):
        abort(403)
    return None


def _ask_to_sign_in() -> ResponseReturnValue:
    """And come back: whoever sent a form in a session that had ended finds its page again."""
    if request.method in ("GET", "HEAD"):
        return redirect(url_for("security.login", next=request.full_path.rstrip("?")))
    if ENDED not in session:
        abort(401)
    session[ENDED] = UNSAVED
    return redirect(url_for("security.login", next=_page_of_the_form()), 303)


def _page_of_the_form() -> str:
    came_from = urlsplit(request.referrer or "")
    ours = came_from.netloc == request.host and came_from.path.startswith("/gestion/")
    return came_from._replace(scheme="", netloc="").geturl() if ours else url_for("staff_home.home")


def may(*names: str) -> bool:
    """For templates: whether the person signed in holds one of these roles (the referent always does)."""
    rule = staff_rule(*names)
    return bool(current_user.is_authenticated) and any(rule.admits(r.name) for r in current_user.roles)
