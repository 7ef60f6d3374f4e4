"""« Tablettes »: enrol with a one-time code, list, withdraw, revoke. Floor 5."""

from __future__ import annotations

from datetime import UTC, datetime

import segno
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select

from form_definitions import LANGUAGES
from survey_app import access, questionnaires
from survey_app.access import ASSISTANT, TECHNICIAN
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.enrolment import LIFETIME, handle_of, make_code, waiting_codes, withdraw
from survey_app.models import Device
from survey_app.staff.pages import (
    actor,
    choices,
    language_name,
    posted_list,
    refused,
    site_name,
)

blueprint = Blueprint("staff_devices", __name__, url_prefix="/gestion/tablettes")


@blueprint.get("")
@access.roles(ASSISTANT, TECHNICIAN)
def index() -> ResponseReturnValue:
    """All tablets, and the form to enrol one."""
    return render_template("staff/devices.html", **_page())


def _page() -> dict[str, object]:
    desks = [site.code for site in organisation().sites if site.kind == "desk"]
    return {
        "codes": [(code, handle_of(code, _secret_key())) for code in waiting_codes(db.session())],
        "devices": db.session.scalars(select(Device).order_by(Device.state, Device.site, Device.name)).all(),
        "sites": choices(desks, site_name),
        "slugs": list(_titles().items()),
        "languages": choices(tuple(LANGUAGES), language_name),
        "form": request.form,
    }


def _secret_key() -> str:
    return str(current_app.config["SECRET_KEY"])


def _titles() -> dict[str, str]:
    """Slug → title of the questionnaires that a tablet can ask: their newest version says so."""
    return {
        version.slug: version.title
        for version in questionnaires.newest_versions()
        if "tablet" in questionnaires.questionnaire_of(version).modes
    }


@blueprint.post("")
@access.roles(ASSISTANT, TECHNICIAN)
def enrol() -> ResponseReturnValue:
    """Make a one-time code and show it once, with its QR code."""
    name, site = request.form.get("name", "").strip(), request.form.get("site", "")
    slugs, languages = posted_list("slugs"), posted_list("languages")
    fault = _fault(name, site, slugs, languages)
    if fault:
        return refused("staff/devices.html", fault, **_page())
    code = make_code(name=name, site=site, slugs=slugs, languages=languages, created_by=actor())
    with act() as transaction:
        record(transaction, "code-made", actor=actor(), subject=name, detail={"site": site})
    address = f"{current_app.extensions['survey_settings'].public_url}/tablette/#{code}"
    end = datetime.now(tz=UTC) + LIFETIME
    return render_template(
        "staff/enrolment_code.html",
        code=code,
        address=address,
        qr=qr_code(address),
        end=end,
        name=name,
        site=site,
    )


def _fault(name: str, site: str, slugs: tuple[str, ...], languages: tuple[str, ...]) -> str:
    if not name or len(name) > 80:  # noqa: PLR2004 (what fits on the page and in the log)
        return "Donnez un nom à la tablette, en 80 caractères au plus."
    if site not in organisation().sites_by_code:
        return "Choisissez un site de la liste."
    if not slugs or not set(slugs) <= set(_titles()):
        return "Choisissez au moins un questionnaire de la liste."
    if not languages or not set(languages) <= set(LANGUAGES):
        return "Choisissez au moins une langue de la liste."
    return ""


def qr_code(text: str) -> Markup:
    """The text as a QR code in SVG, without style attributes, black on white for every theme."""
    code = segno.make(text, error="m", micro=False)
    drawing = code.svg_inline(scale=4, border=2, dark="#000", light="#fff", svgclass="qr", title=text)
    return Markup(drawing)  # noqa: S704 (made by the library, which escapes the title)


@blueprint.post("/codes/<handle>/retirer")
@access.roles(ASSISTANT, TECHNICIAN)
def withdraw_code(handle: str) -> ResponseReturnValue:
    """A code that nobody needs any more stops working now."""
    with act() as transaction:
        code = withdraw(transaction, handle, _secret_key())
        if code is not None:
            record(
                transaction, "code-withdrawn", actor=actor(), subject=code.name, detail={"site": code.site}
            )
    if code is None:
        flash("Ce code ne sert déjà plus\u00a0: il a été utilisé, retiré, ou son délai est passé.")
    else:
        flash("Le code est retiré\u00a0: il n’inscrit plus de tablette.")
    return redirect(url_for("staff_devices.index"), 303)


@blueprint.post("/<device_id>/revoquer")
@access.roles(ASSISTANT, TECHNICIAN)
def revoke(device_id: str) -> ResponseReturnValue:
    """From now on what the tablet sends is kept and flagged, and not counted."""
    with act() as transaction:
        device = transaction.get(Device, device_id)
        if device is None:
            abort(404)
        device.state, device.revoked_at = "revoked", datetime.now(tz=UTC)
        record(transaction, "device-revoked", actor=actor(), subject=device.name)
    flash("La tablette est révoquée. Ce qu’elle envoie encore est gardé à part.")
    return redirect(url_for("staff_devices.index"), 303)
