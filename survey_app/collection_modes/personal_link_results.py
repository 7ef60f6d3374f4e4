"""What a personal link opens once its wave is over: the results, until their last day. Floor 5."""

from __future__ import annotations

from flask import Response, make_response

from survey_app import i18n
from survey_app.clock import today_in_paris
from survey_app.collection_modes.public_pages import page
from survey_app.invitation_models import Invitation, WaveFrame
from survey_app.link_results import are_open, results_page
from survey_app.models import Wave


def results_of(invitation: Invitation, wave: Wave, frame: WaveFrame) -> Response:
    """The page for the holder of this link, in the language of the request, after a human pressed the button.

    Until the results are published it says that they will be here; after ``results_until`` it says goodbye.
    """
    until = frame.results_until
    if are_open(wave, frame):
        response = make_response(results_page(wave, invitation.stratum, i18n.current_language()))
    else:
        kind = "goodbye" if until is not None and today_in_paris() > until else "results_later"
        response = page("personal_link/said.html", kind=kind)
    response.headers["Cache-Control"] = "no-store"
    return response
