"""Databases as in the tests of the application, and one tablet in the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.faults.field import Field, in_the_field
from tests.faults.one_tablet import OneTablet, one_tablet
from tests.faults.tablet_on_a_line import Line, a_line
from tests.survey_app.conftest import postgresql_url, sqlite_app_database, sqlite_template, sqlite_url

__all__ = ["postgresql_url", "sqlite_app_database", "sqlite_template", "sqlite_url"]


@pytest.fixture
def field(playwright: Playwright, tmp_path: Path) -> Iterator[Field]:
    """A server and one enrolled tablet that is linked to it."""
    with in_the_field(playwright, tmp_path) as deployed:
        yield deployed


@pytest.fixture
def tablet(playwright: Playwright, tmp_path: Path) -> Iterator[OneTablet]:
    """A server and one enrolled tablet, to be killed, starved and started again."""
    with one_tablet(playwright, tmp_path) as made:
        yield made


@pytest.fixture
def line(playwright: Playwright, tmp_path: Path) -> Iterator[Line]:
    """An enrolled tablet on a good line, behind which its server is."""
    with a_line(playwright, tmp_path) as good:
        yield good
