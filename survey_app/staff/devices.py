"""« Tablettes »: enrol with a one-time code, list, withdraw, revoke. Floor 5."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import segno
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from form_definitions import LANGUAGES
from survey_app import access, questionnaires, waves
from survey_app.access import ASSISTANT, REFERENT, REVOKED, TECHNICIAN
from survey_app.audit import act, record
from survey_app.database import db
from survey_app.definitions import organisation
from survey_app.device_health import COLOURS, Health, Situation, health_of
from survey_app.device_models import Device
from survey_app.enrolment import (
    PinError,
    end_of_day,
    handle_of,
    hashed_pin,
    make_code,
    ten_minutes_from,
    waiting_codes,
    withdraw,
)
from survey_app.responses.chains import chains
from survey_app.responses.unidentified import UNIDENTIFIED
from survey_app.staff.pages import (
    actor,
    choices,
    language_name,
    posted_list,
    refused,
    site_name,
)
from survey_app.unknown_tablets import ENROLLED, identify_as, identify_at

AT_SITE: Final = "site:"
"""Before the code of a site in the list of what an unknown tablet may be."""

blueprint = Blueprint("staff_devices", __name__, url_prefix="/gestion/tablettes")

WINDOWS: Final[Mapping[str, tuple[str, Callable[[datetime], datetime]]]] = {
    "dix-minutes": ("Dix minutes", ten_minutes_from),
    "journee": ("Toute la journée, jusqu’à minuit", end_of_day),
}
"""How long a code may wait for its tablet."""


@blueprint.get("")
@access.roles(ASSISTANT, TECHNICIAN)
def index() -> ResponseReturnValue:
    """All tablets, the worst first, and the form to enrol one."""
    return render_template("staff/devices.html", **_page())


def _page() -> dict[str, object]:
    desks = [site.code for site in organisation().sites if site.kind == "desk"]
    tablets = health()
    colours = Counter(one.colour for one in tablets)
    return {
        "codes": [(code, handle_of(code, _secret_key())) for code in waiting_codes(db.session())],
        "tablets": tablets,
        "summary": [(colour, words, colours[colour]) for colour, words in COLOURS.items() if colours[colour]],
        "colours": COLOURS,
        "known_as": _what_it_may_be([one.device for one in tablets]),
        "waves": [wave for wave in waves.waves() if wave.state != waves.DRAFT and "tablet" in wave.modes],
        "sites": choices(desks, site_name),
        "slugs": list(_titles().items()),
        "languages": choices(tuple(LANGUAGES), language_name),
        "windows": [(name, words) for name, (words, _) in WINDOWS.items()],
        "form": request.form,
    }


def _what_it_may_be(devices: Sequence[Device]) -> list[tuple[str, str]]:
    """For a tablet that this server has lost: one that was enrolled again since, or any of a site."""
    enrolled = [one for one in devices if one.state == ENROLLED and one.replaced_by is None]
    by_name = sorted(enrolled, key=lambda one: (one.name, one.site))
    today = [
        (one.id, f"{one.name}, {site_name(one.site)}\u00a0: elle y est inscrite de nouveau")
        for one in by_name
    ]
    desks = [site.code for site in organisation().sites if site.kind == "desk"]
    return [*today, *((AT_SITE + code, f"une autre tablette de\u00a0: {site_name(code)}") for code in desks)]


def health() -> list[Health]:
    """Every tablet with its colour and the reasons, the worst first."""
    session = db.session()
    devices = session.scalars(select(Device)).all()
    known = chains(session, devices)
    now, bundle = datetime.now(tz=UTC), current_app.extensions["survey_tablet_bundle"]()
    found = (health_of(Situation(device, known[device.id], now, bundle)) for device in devices)
    return sorted(found, key=lambda one: one.rank)


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
    try:
        _check(name, site, slugs, languages)
        pin = hashed_pin(request.form.get("pin", ""))
    except ValueError as fault:
        return refused("staff/devices.html", str(fault), **_page())
    _, end_of = WINDOWS.get(request.form.get("window", ""), WINDOWS["dix-minutes"])
    end = end_of(datetime.now(tz=UTC))
    code = make_code(
        name=name, site=site, slugs=slugs, languages=languages, created_by=actor(), expires_at=end, pin=pin
    )
    with act() as transaction:
        record(transaction, "code-made", actor=actor(), subject=name, detail={"site": site})
    address = f"{current_app.extensions['survey_settings'].public_url}/tablette/#{code}"
    return render_template(
        "staff/enrolment_code.html",
        code=code,
        address=address,
        qr=qr_code(address),
        end=end,
        name=name,
        site=site,
    )


def _check(name: str, site: str, slugs: tuple[str, ...], languages: tuple[str, ...]) -> None:
    if not name or len(name) > 80:  # noqa: PLR2004 (what fits on the page and in the log)
        raise ValueError("Donnez un nom à la tablette, en 80 caractères au plus.")
    if site not in organisation().sites_by_code:
        raise ValueError("Choisissez un site de la liste.")
    if not slugs or not set(slugs) <= set(_titles()):
        raise ValueError("Choisissez au moins un questionnaire de la liste.")
    if not languages or not set(languages) <= set(LANGUAGES):
        raise ValueError("Choisissez au moins une langue de la liste.")


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


def _device_or_404(session: Session, device_id: str) -> Device:
    found = session.get(Device, device_id)
    if found is None:
        abort(404)
    return found


@blueprint.get("/<device_id>/revoquer")
@access.roles(ASSISTANT, TECHNICIAN)
def ask_to_revoke(device_id: str) -> ResponseReturnValue:
    """What it changes, before it is done: nobody takes it back."""
    device = _device_or_404(db.session(), device_id)
    if device.state == REVOKED:
        return redirect(url_for("staff_devices.index"), 303)
    chain = chains(db.session(), [device])[device.id]
    return render_template("staff/revoke.html", device=device, chain=chain)


@blueprint.post("/<device_id>/revoquer")
@access.roles(ASSISTANT, TECHNICIAN)
def revoke(device_id: str) -> ResponseReturnValue:
    """From now on what the tablet sends is kept and flagged, and not counted."""
    with act() as transaction:
        device = _device_or_404(transaction, device_id)
        device.state, device.revoked_at = REVOKED, datetime.now(tz=UTC)
        record(transaction, "device-revoked", actor=actor(), subject=device.name)
    flash(
        "La tablette est révoquée. Ce qu’elle garde encore arrive au prochain contact et "
        "est gardé à part. Elle s’efface quand une sauvegarde contient le tout."
    )
    return redirect(url_for("staff_devices.index"), 303)


@blueprint.post("/<device_id>/reconnaitre")
@access.roles(REFERENT)
def identify(device_id: str) -> ResponseReturnValue:
    """Say which tablet one that this server has lost is: what it sent is judged from then on."""
    chosen = request.form.get("known_as", "")
    if chosen not in dict(_what_it_may_be(db.session.scalars(select(Device)).all())):
        return refused("staff/devices.html", "Choisissez dans la liste quelle tablette c’est.", **_page())
    with act() as transaction:
        device = _device_or_404(transaction, device_id)
        if device.state != UNIDENTIFIED:
            abort(404)
        before = device.name
        if chosen.startswith(AT_SITE):
            site = chosen.removeprefix(AT_SITE)
            identify_at(device, site, site_name(site))
        else:
            identify_as(device, _device_or_404(transaction, chosen))
        detail = {"before": before, "site": device.site}
        record(transaction, "device-identified", actor=actor(), subject=device.name, detail=detail)
    flash(
        f"C’est noté\u00a0: «\u202f{before}\u202f» est «\u202f{device.name}\u202f». Ses envois vont être lus."
    )
    return redirect(url_for("staff_devices.index"), 303)


@blueprint.post("/<device_id>/code-agent")
@access.roles(ASSISTANT, TECHNICIAN)
def change_pin(device_id: str) -> ResponseReturnValue:
    """Another PIN for the agent, which the tablet takes at its next contact."""
    try:
        pin = hashed_pin(request.form.get("pin", ""))
    except PinError as fault:
        return refused("staff/devices.html", str(fault), **_page())
    with act() as transaction:
        device = _device_or_404(transaction, device_id)
        device.pin = pin
        record(transaction, "device-pin-changed", actor=actor(), subject=device.name)
    flash("Le code de l’agent est changé\u00a0: la tablette le prend à son prochain contact.")
    return redirect(url_for("staff_devices.index"), 303)
