"""What a personal link opens once its wave is over: the results, until their last day. Floor 5."""

from __future__ import annotations

from flask import Response

from survey_app.clock import today_in_paris
from survey_app.collection_modes.public_pages import page
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.models import Wave

PUBLISHED = "published"


def results_of(invitation: Invitation, wave: Wave, frame: WaveFrame) -> Response:
    """The page for the holder of this link, in the language of the request, after a human pressed the button.

    Until the results are published it says that they will be here; after ``results_until`` it says goodbye.
    """
    until = frame.results_until
    if until is not None and today_in_paris() > until:
        kind = "goodbye"
    else:
        kind = "results" if wave.state == PUBLISHED else "results_later"
    answered = invitation.state == "answered"
    response = page("personal_link/said.html", kind=kind, answered=answered)
    response.headers["Cache-Control"] = "no-store"
    return response
