"""A decision about a response and its line in the log stand or fall together."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from survey_app import audit
from survey_app.database import db
from survey_app.models import Response, ResponseSetAside
from survey_app.responses import set_aside, tallies
from tests.survey_app.staff_site import WAVE, StaffSite, another_edition, post

PAGE = f"/gestion/reponses/{WAVE}"
pytestmark = pytest.mark.usefixtures("open_edition")


def some_record() -> str:
    return db.session.scalars(select(Response.record_id)).first() or ""


def lines() -> list[tuple[str, str]]:
    return [(line.action, line.subject) for line in audit.latest(50) if line.action.startswith("response-")]


def test_a_decision_that_changes_nothing_leaves_no_line(site: StaffSite) -> None:
    with site.database():
        record_id = some_record()
    client = site.client()
    for _ in range(2):
        assert post(client, PAGE, {"reponse": record_id, "reason": "test"}).status_code == 303
    assert "Rien n’a changé" in client.get(PAGE).text
    with site.database():
        assert lines() == [("response-set-aside", record_id)]


def test_a_response_of_another_edition_is_refused(site: StaffSite) -> None:
    with site.database():
        record_id = some_record()
        another_edition()
    page = "/gestion/reponses/autre-2026"
    assert post(site.client(), page, {"reponse": record_id, "reason": "test"}).status_code == 422
    with site.database():
        assert not lines()
        assert not db.session.scalars(select(ResponseSetAside)).all()


def test_a_decision_that_fails_halfway_leaves_no_line(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("disk full")

    monkeypatch.setattr(tallies, "apply", broken)
    with site.database():
        record_id = some_record()
        with pytest.raises(RuntimeError, match="disk full"):
            set_aside.set_aside(record_id, reason="test", by="a", wave_id=WAVE)
        assert not lines()
