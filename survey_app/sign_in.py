"""Sign-in of staff through Flask-Security: delays after failures, end of sessions, form tokens. Floor 4.

No registration, no reset by mail, no "remember me". The accounts themselves are in ``accounts.py``.
"""

from __future__ import annotations

import hmac
import time
import uuid
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, cast

from flask import Flask, Request, Response, abort, current_app, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from flask_security import Security, SQLAlchemyUserDatastore, current_user
from flask_security.forms import LoginForm
from flask_security.signals import user_authenticated
from flask_security.utils import logout_user
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import update

from survey_app import access
from survey_app.audit import record
from survey_app.database import db, write_transaction
from survey_app.models import Role, User
from survey_app.passphrases import PASSPHRASE_MINIMUM
from survey_app.settings import Settings
from survey_app.sign_in_delay import SignInDelay

IDLE_SECONDS: Final = 15 * 60
ABSOLUTE_SECONDS: Final = 8 * 3600
TOUCH_SECONDS: Final = 30

csrf: Final = CSRFProtect()


class StaffSessions(SecureCookieSessionInterface):
    """Whoever brings no cookie gets an empty session at once: making the keys to read none costs as much."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of the cookie."""
        if self.get_cookie_name(app) not in request.cookies:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie; a session that is and stays empty needs none of its settings."""
        if session or session.modified:
            super().save_session(app, session, response)
        elif session.accessed:
            response.vary.add("Cookie")


def install(app: Flask, settings: Settings) -> None:
    """Wire Flask-Security with what is used of it, and nothing else."""
    app.config.update(_configuration(settings))
    app.session_interface = StaffSessions()
    csrf.init_app(app)
    datastore = SQLAlchemyUserDatastore(db, User, Role)
    security = Security(app, datastore, login_form=StaffLoginForm)
    app.extensions["survey_sign_in_delay"] = SignInDelay(derived_key(settings, "sign-in delay"))
    # Both would read the session, the database or the body on every request, public ones included.
    app.login_manager.request_loader(None)  # type: ignore[attr-defined]
    app.login_manager.session_protection = None  # type: ignore[attr-defined]
    security.principal.identity_loaders.clear()
    # Nobody is remembered beyond the session, so that no answer needs a look at what to remember.
    app.after_request_funcs[None].remove(app.login_manager._update_remember_cookie)  # type: ignore[attr-defined]
    user_authenticated.connect(_start_session, app)
    app.before_request(end_stale_session)
    access.install(app)
    app.before_request(check_token)
    for endpoint in ("security.login", "security.logout"):
        access.declare(app, endpoint, access.PUBLIC)
    app.jinja_env.globals["may"] = access.may


def derived_key(settings: Settings, purpose: str) -> str:
    """One key per purpose from the one secret: what signs sessions opens nothing else."""
    return hmac.new(settings.secret_key.encode(), purpose.encode(), sha256).hexdigest()


def _configuration(settings: Settings) -> dict[str, Any]:
    failed = ("Adresse ou phrase secrète inexacte.", "error")
    return {
        "SECRET_KEY": derived_key(settings, "staff session"),
        "SESSION_COOKIE_NAME": "__Host-session",
        "SESSION_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_PATH": "/",
        "PERMANENT_SESSION_LIFETIME": timedelta(seconds=ABSOLUTE_SECONDS),
        "WTF_CSRF_CHECK_DEFAULT": False,
        "WTF_CSRF_TIME_LIMIT": ABSOLUTE_SECONDS,
        "WTF_CSRF_SSL_STRICT": False,
        "SECURITY_PASSWORD_HASH": "argon2",
        "SECURITY_PASSWORD_SCHEMES": ["argon2"],
        "SECURITY_PASSWORD_SALT": derived_key(settings, "unused by argon2"),
        "SECURITY_PASSWORD_SINGLE_HASH": True,
        "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": _argon2_cost(settings),
        "SECURITY_PASSWORD_LENGTH_MIN": PASSPHRASE_MINIMUM,
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_FLASH_MESSAGES": False,
        "SECURITY_FRESHNESS": timedelta(seconds=-1),
        "SECURITY_LOGIN_URL": "/gestion/connexion",
        "SECURITY_LOGOUT_URL": "/gestion/deconnexion",
        "SECURITY_POST_LOGIN_VIEW": "/gestion/",
        "SECURITY_POST_LOGOUT_VIEW": "/gestion/connexion",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_LOGIN_USER_TEMPLATE": "staff/sign_in.html",
        "SECURITY_API_ENABLED_METHODS": ["session"],
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": failed,
        "SECURITY_MSG_DISABLED_ACCOUNT": failed,
    }


def _argon2_cost(settings: Settings) -> dict[str, int]:
    """64 MiB and 3 rounds (about 90 ms); tests, which sign in a thousand times, take the least there is."""
    if settings.testing_mode:
        return {"argon2__memory_cost": 8, "argon2__time_cost": 1, "argon2__parallelism": 1}
    return {"argon2__memory_cost": 65_536, "argon2__time_cost": 3, "argon2__parallelism": 4}


class StaffLoginForm(LoginForm):
    """Address and passphrase, slowed down after failures; one message for everything that can be wrong."""

    remember = None

    def validate(self, **kwargs: Any) -> bool:
        """Count the try before the passphrase is hashed; take it back where it was right."""
        delay = cast(SignInDelay, current_app.extensions["survey_sign_in_delay"])
        number = delay.begin(str(self.email.data or "").strip().lower(), request.remote_addr)
        if number is None:
            abort(429)
        valid = bool(super().validate(**kwargs))
        if valid:
            delay.succeeded(number)
        return valid


def _start_session(_app: Flask, user: User, **_details: Any) -> None:
    session.pop(access.ENDED, None)
    session["since"] = session["seen"] = int(time.time())
    with write_transaction() as transaction:
        record(transaction, "sign-in", actor=user.email, subject=user.email)


def end_stale_session() -> None:
    """Sign out whoever was idle for 15 minutes or signed in for 8 hours. Only the cookie changes."""
    if not request.path.startswith("/gestion/"):
        return
    if "since" not in session:
        if not session and current_app.session_interface.get_cookie_name(current_app) in request.cookies:
            session[access.ENDED] = True  # a cookie that is too old to be read
        return
    now = int(time.time())
    stale = now - session["seen"] > IDLE_SECONDS or now - session["since"] > ABSOLUTE_SECONDS
    if stale or not current_user.is_authenticated:
        logout_user()
        session.clear()
        session[access.ENDED] = True
    elif now - session["seen"] > TOUCH_SECONDS:
        session["seen"] = now


def check_token() -> ResponseReturnValue | None:
    """The form token of staff pages; Flask-Security's own form checks its own."""
    rule = access.rule_of(current_app, request.endpoint or "")
    if rule is not None and rule.kind == "staff" and current_user.is_authenticated:
        csrf.protect()
    if request.endpoint == "security.logout" and request.method == "POST" and current_user.is_authenticated:
        _end_all_sessions(current_user)
    return None


def _end_all_sessions(user: User) -> None:
    """Signing out ends every session of the person: a copied cookie is worth nothing afterwards."""
    session.pop("since", None)
    with write_transaction() as transaction:
        transaction.execute(update(User).where(User.id == user.id).values(fs_uniquifier=uuid.uuid4().hex))
