"""« Ne plus m’écrire », from the link or the header of a mail (RFC 8058). Floor 5.

GET only shows a button, the same for every token: whoever scans a mail refuses nothing. POST refuses for
good, and is all that a mailbox provider sends: no cookie, no form token, no page of ours before it.
"""

from __future__ import annotations

from typing import Final

from flask import Blueprint
from flask.typing import ResponseReturnValue

from survey_app.access import public
from survey_app.collection_modes.public_pages import page, speak
from survey_app.invitations.transitions import unsubscribe
from survey_app.rate_limits import at_most

blueprint = Blueprint("unsubscribing", __name__, url_prefix="/r/desinscription")
PER_MINUTE: Final = "120 per minute"
"""A provider may send those of many people from one address."""
NOT_FOUND: Final = 404


@blueprint.get("/<token>")
@public
def ask(token: str) -> ResponseReturnValue:
    """A button, whatever the token is."""
    speak("fr")
    return page("personal_link/unsubscribe.html")


@blueprint.post("/<token>")
@public
@at_most(PER_MINUTE)
def refuse(token: str) -> ResponseReturnValue:
    """Never write to this address again."""
    speak("fr")
    if unsubscribe(token):
        return page("personal_link/unsubscribed.html")
    return page("personal_link/unsubscribe_unknown.html", NOT_FOUND)
