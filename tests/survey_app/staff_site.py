"""The application on a database of its own, and members of staff who are signed in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from survey_app import create_app
from survey_app.access import REFERENT
from survey_app.accounts import add_user
from survey_app.database import db
from survey_app.settings import testing

HERE = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says when the request comes from our own page."""


class StaffSite:
    """One application and the passphrases of the people that were added to it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.app: Flask = create_app(testing(data_folder=folder, **settings))
        # Our cookies are Secure: a test client, like a browser, only returns them over TLS.
        self.app.config["PREFERRED_URL_SCHEME"] = "https"
        self.passphrases: dict[str, str] = {}
        with self.app.app_context():
            db.create_all()

    def add(self, role: str) -> str:
        """An account with this role; gives its address."""
        email = f"{role}@prefecture.test.fr"
        if email not in self.passphrases:
            with self.app.app_context():
                self.passphrases[email] = add_user(email, role.title(), [role], actor="test")
        return email

    def client(self, role: str | None = REFERENT) -> FlaskClient:
        """A browser of somebody signed in under this role (None: nobody)."""
        client = self.app.test_client()
        client.environ_base["HTTP_SEC_FETCH_SITE"] = "same-origin"
        if role is not None:
            email = self.add(role)
            answer = sign_in(client, email, self.passphrases[email])
            assert answer.status_code == 302, answer.text
        return client

    @contextmanager
    def database(self) -> Iterator[None]:
        """Inside the application, to look at the tables or call a service."""
        with self.app.app_context():
            yield


def sign_in(client: FlaskClient, email: str, passphrase: str, **headers: str) -> TestResponse:
    """Fill in and send the sign-in form."""
    token = form_token(client.get("/gestion/connexion").text)
    form = {"email": email, "password": passphrase, "csrf_token": token}
    return client.post("/gestion/connexion", data=form, headers=headers)


def form_token(page: str) -> str:
    """The token that the forms of a page carry."""
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None, "no form token in the page"
    return found[1]


def post(
    client: FlaskClient, path: str, data: dict[str, Any] | None = None, *, page: str = ""
) -> TestResponse:
    """Send a form of a staff page, with the token that the page gave."""
    token = form_token(client.get(page or path).text)
    return client.post(path, data={**(data or {}), "csrf_token": token})
