"""Databases as in the tests of the application, and one tablet in the field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from playwright.sync_api import Playwright

from tests.faults.field import Field, in_the_field
from tests.survey_app.conftest import postgresql_url, sqlite_app_database, sqlite_template, sqlite_url

__all__ = ["postgresql_url", "sqlite_app_database", "sqlite_template", "sqlite_url"]


@pytest.fixture
def field(playwright: Playwright, tmp_path: Path) -> Iterator[Field]:
    """A server and one enrolled tablet that is linked to it."""
    with in_the_field(playwright, tmp_path) as deployed:
        yield deployed


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A test of a fault in a real browser that fails is run once more, and its second run counts.

    They wait for browsers, servers and locks on real clocks: on a machine busy with something else one of a
    hundred is late. What is broken fails twice.
    """
    if item.get_closest_marker("browser") is None:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    if any(report.failed for report in reports):
        item._initrequest()  # type: ignore[attr-defined]
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
