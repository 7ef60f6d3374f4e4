"""Databases as in the tests of the application."""

from tests.survey_app.conftest import postgresql_url, sqlite_template

__all__ = ["postgresql_url", "sqlite_template"]
