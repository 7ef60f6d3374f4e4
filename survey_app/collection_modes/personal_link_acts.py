"""What else the holder of a link may do: hand it on, refuse, say that it is somebody else's. Floor 5.

Each asks first, and does it when the button of that page is pressed. The link is in no address.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from form_definitions import LANGUAGES
from survey_app.access import public
from survey_app.collection_modes.link_opening import GONE, Opened, find_opened, said, standing
from survey_app.collection_modes.link_welcome import unknown
from survey_app.collection_modes.public_pages import page, speak
from survey_app.invitations import transitions
from survey_app.invitations.states import AlreadyAnswered, LinkError, LinkIsDead, WaveIsOver
from survey_app.rate_limits import at_most

blueprint = Blueprint("acts", __name__)

UNPROCESSABLE: Final = 422
PER_CALLER: Final = "60 per minute"


def _hand_on(opened: Opened) -> ResponseReturnValue:
    to, address = request.form.get("_to", "hand"), request.form.get("_address", "").strip()
    if to == "hand" and address:  # whoever writes an address means it
        to = "address"
    if to == "address" and not address:
        raise LinkError
    new = transitions.pass_on(opened.holder, address=address if to == "address" else None, back=to == "back")
    return said("handed_on", link=new, by_mail=to != "hand")


def _decline(opened: Opened) -> ResponseReturnValue:
    if request.form.get("_sure") == "for_good":
        return said("objected" if transitions.object_for_good(opened.holder) else "declined")
    transitions.decline(opened.holder)
    return said("declined")


def _say_wrong_person(opened: Opened) -> ResponseReturnValue:
    transitions.say_wrong_person(opened.holder)
    return said("wrong_person")


ACTS: Final[dict[str, Callable[[Opened], ResponseReturnValue]]] = {
    "transmettre": _hand_on,
    "refuser": _decline,
    "erreur": _say_wrong_person,
}


@blueprint.post(f"/r/lien/<any({', '.join(ACTS)}):link_act>/<language>")
@public
@at_most(PER_CALLER)
def take_act(link_act: str, language: str) -> ResponseReturnValue:
    """First the page that asks, then, with its button, the act."""
    speak(language)
    opened = find_opened()
    if opened is None:
        return unknown()
    if instead := standing(opened):
        return instead
    if not request.form.get("_sure"):
        return _ask(link_act, opened)
    try:
        return ACTS[link_act](opened)
    except (AlreadyAnswered, LinkIsDead):
        return said("dead", GONE)
    except WaveIsOver:
        return said("over")
    except LinkError:
        return _ask(link_act, opened, wrong=True)


def _ask(act: str, opened: Opened, *, wrong: bool = False) -> ResponseReturnValue:
    response = page(
        "personal_link/act.html",
        UNPROCESSABLE if wrong else 200,
        act=act,
        choices=list(LANGUAGES.values()),
        link=request.form.get("_link", ""),
        code=request.form.get("_code", ""),
        can_go_back=opened.invitation.passed_on and bool(opened.invitation.unit.email),
        address=request.form.get("_address", ""),
        wrong=wrong,
    )
    response.headers["Cache-Control"] = "no-store"
    return response
