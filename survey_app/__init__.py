"""The application: `create_app(settings)` wires the rooms together and decides nothing itself. Floor 6."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from flask import Flask

from survey_app.settings import Settings

BLUEPRINT_MODULES: Final = (
    "survey_app.collection_modes.website",
    "survey_app.collection_modes.tablet",
    "survey_app.collection_modes.paper",
    "survey_app.collection_modes.unsubscribing",
    "survey_app.collection_modes.personal_link",
    "survey_app.staff.home",
    "survey_app.staff.questionnaires",
    "survey_app.staff.waves",
    "survey_app.staff.mailings",
    "survey_app.staff.mailing_plans",
    "survey_app.staff.devices",
    "survey_app.staff.reconciliation",
    "survey_app.staff.fieldwork",
    "survey_app.staff.unreadable",
    "survey_app.staff.results_letter",
    "survey_app.staff.tablet_guide",
    "survey_app.staff.rescue",
    "survey_app.staff.results",
    "survey_app.staff.responses",
    "survey_app.staff.frames",
    "survey_app.staff.letters",
    "survey_app.staff.recipients",
    "survey_app.staff.objections",
    "survey_app.staff.past_results",
    "survey_app.staff.exports",
    "survey_app.staff.users",
    "survey_app.staff.audit",
    "survey_app.health",
)


class Application(Flask):
    """Flask without coroutines: to ask each hook and view whether it is one takes a tenth of a page."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is."""
        return func


def create_app(settings: Settings) -> Flask:
    """The WSGI application for these settings. Raises `AccessError` when a route declares no rule."""
    from survey_app import (
        access,
        assets,
        database,
        error_pages,
        i18n,
        odd_requests,
        rate_limits,
        security,
        sign_in,
    )
    from survey_app.staff import pages

    app = Application(__name__)
    security.install(app, settings)
    rate_limits.install(app)
    odd_requests.install(app)
    database.install(app, settings)
    i18n.install(app)
    assets.install(app)
    error_pages.install(app)
    sign_in.install(app, settings)
    pages.install(app)
    access.declare(app, "static", access.PUBLIC)
    for module in BLUEPRINT_MODULES:
        app.register_blueprint(import_module(module).blueprint)
    access.check_every_route_declared(app)
    return app
