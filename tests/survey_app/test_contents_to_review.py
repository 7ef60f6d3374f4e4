"""The staff are told which translations and which commitments nobody has read again yet."""

from __future__ import annotations

from pathlib import Path

import pytest

from form_definitions import load_organisation
from survey_app.staff import questionnaires
from tests.survey_app.staff_site import StaffSite

PAGE = "/gestion/questionnaires"


@pytest.fixture
def site(tmp_path: Path) -> StaffSite:
    return StaffSite(tmp_path)


def test_arabic_is_marked_until_a_named_person_has_read_it(
    site: StaffSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = '<span lang="ar">العربية</span>\u00a0: traduction à relire'
    assert marked in site.client().get(PAGE).text
    read = load_organisation().model_copy(update={"reviewers": {"en": None, "ar": "Une relectrice"}})
    monkeypatch.setattr(questionnaires, "organisation", lambda: read)
    page = site.client().get(PAGE).text
    assert marked not in page
    assert '<span lang="en">English</span>\u00a0: traduction à relire' in page


def test_the_commitments_to_check_are_counted(site: StaffSite, monkeypatch: pytest.MonkeyPatch) -> None:
    count = questionnaires.commitments_to_check()
    assert count > 20
    assert f"{count} engagements sont à vérifier sur le texte officiel" in site.client().get(PAGE).text
    monkeypatch.setattr(questionnaires, "commitments_to_check", lambda: 0)
    assert "texte officiel" not in site.client().get(PAGE).text
