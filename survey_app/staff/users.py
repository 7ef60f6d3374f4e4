"""« Comptes »: the people who may sign in, and one's own passphrase. Floor 5."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_security import current_user

from survey_app import access, accounts
from survey_app.access import REFERENT, ROLES
from survey_app.database import db
from survey_app.models import User
from survey_app.passphrases import PASSPHRASE_MINIMUM, PassphraseError
from survey_app.staff.pages import actor, posted_list, refused

blueprint = Blueprint("staff_users", __name__, url_prefix="/gestion")


@blueprint.get("/comptes")
@access.roles(REFERENT)
def index() -> ResponseReturnValue:
    """Everybody with an account."""
    return render_template("staff/users.html", **_page())


def _page() -> dict[str, object]:
    return {
        "users": accounts.users(),
        "roles": list(ROLES.items()),
        "role_names": ROLES,
        "form": request.form,
    }


@blueprint.post("/comptes")
@access.roles(REFERENT)
def add() -> ResponseReturnValue:
    """Create an account and show its passphrase once."""
    email, name = request.form.get("email", ""), request.form.get("name", "")
    try:
        passphrase = accounts.add_user(email, name, posted_list("roles"), actor=actor())
    except accounts.AccountError as fault:
        return refused("staff/users.html", str(fault), **_page())
    return render_template("staff/passphrase.html", email=email.strip().lower(), passphrase=passphrase)


@blueprint.post("/comptes/<int:user_id>/phrase")
@access.roles(REFERENT)
def reset(user_id: int) -> ResponseReturnValue:
    """Give a new passphrase and show it once."""
    user = _user(user_id)
    passphrase = accounts.reset_passphrase(user.email, actor=actor())
    return render_template("staff/passphrase.html", email=user.email, passphrase=passphrase)


@blueprint.post("/comptes/<int:user_id>/roles")
@access.roles(REFERENT)
def change_roles(user_id: int) -> ResponseReturnValue:
    """Change what a person may do."""
    return _change(lambda: accounts.set_roles(_user(user_id).email, posted_list("roles"), actor=actor()))


@blueprint.post("/comptes/<int:user_id>/desactiver")
@access.roles(REFERENT)
def disable(user_id: int) -> ResponseReturnValue:
    """Close an account."""
    return _change(lambda: accounts.set_active(_user(user_id).email, active=False, actor=actor()))


@blueprint.post("/comptes/<int:user_id>/activer")
@access.roles(REFERENT)
def enable(user_id: int) -> ResponseReturnValue:
    """Open a closed account again."""
    return _change(lambda: accounts.set_active(_user(user_id).email, active=True, actor=actor()))


def _change(change: Callable[[], None]) -> ResponseReturnValue:
    try:
        change()
    except accounts.AccountError as fault:
        return refused("staff/users.html", str(fault), **_page())
    flash("C’est enregistré. La personne devra se reconnecter.")
    return redirect(url_for("staff_users.index"), 303)


def _user(user_id: int) -> User:
    user = db.session.get(User, user_id)
    if user is None:
        abort(404)
    return user


@blueprint.get("/mon-compte")
@access.everyone_signed_in
def own_account() -> ResponseReturnValue:
    """One's own roles, and the form to change one's passphrase."""
    return render_template("staff/own_account.html", **_own_page())


def _own_page() -> dict[str, object]:
    return {"minimum": PASSPHRASE_MINIMUM, "own_roles": [ROLES[role.name] for role in current_user.roles]}


@blueprint.post("/mon-compte")
@access.everyone_signed_in
def change_own_passphrase() -> ResponseReturnValue:
    """Change one's own passphrase; one signs in again with it."""
    try:
        accounts.change_passphrase(
            current_user, request.form.get("present", ""), request.form.get("wanted", "")
        )
    except (accounts.AccountError, PassphraseError) as fault:
        return refused("staff/own_account.html", str(fault), **_own_page())
    return redirect(url_for("security.login"), 303)
