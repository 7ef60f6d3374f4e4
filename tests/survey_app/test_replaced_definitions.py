"""Another prefecture replaces the organisation, its translations and questionnaires by one folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from form_definitions import DefinitionError, check_files
from form_definitions.library import FOLDER
from survey_app import cli, create_app
from survey_app.definitions import library_of
from survey_app.preview import create_preview
from survey_app.settings import SettingsError
from survey_app.settings import testing as settings_for_tests
from tests.survey_app.staff_site import StaffSite, a_source, upload
from tests.survey_app.tablet_site import QUESTIONNAIRE, tablet_site

SHIPPED = (FOLDER / "organisation.yaml").read_text("utf-8")
NAME = next(line for line in SHIPPED.splitlines() if line.startswith("name:"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An organisation of another name, its English, and nothing else."""
    folder = tmp_path / "definitions"
    (folder / "translations").mkdir(parents=True)
    organisation = SHIPPED.replace(NAME, "name: Préfecture de la Mer", 1)
    (folder / "organisation.yaml").write_text(organisation, "utf-8")
    english = 'msgid "Préfecture de la Mer"\nmsgstr "Prefecture of the Sea"\n'
    (folder / "translations" / "en.po").write_text(english, "utf-8")
    return folder


def rewrite(folder: Path, change: Callable[[str], str]) -> None:
    path = folder / "organisation.yaml"
    path.write_text(change(path.read_text("utf-8")), "utf-8")


def test_every_public_page_names_the_new_organisation_in_each_language(tmp_path: Path, folder: Path) -> None:
    with tablet_site(tmp_path, definitions_folder=folder) as site:
        client = site.app.test_client()
        for page in ("/", "/q/usagers/fr", "/confidentialite/fr", "/tablette/"):
            assert "Préfecture de la Mer" in client.get(page).text, page
        assert "Prefecture of the Sea" in client.get("/q/usagers/en").text
        assert '<span lang="fr" dir="ltr">Préfecture de la Mer</span>' in client.get("/q/usagers/ar").text
        assert "The welcome" in client.get("/tablette/q/usagers/en").text, (
            "the program's own translations stay"
        )


def test_staff_pages_and_the_check_of_uploads_use_the_new_sites(tmp_path: Path, folder: Path) -> None:
    rewrite(folder, lambda text: text.replace("site: accueil_general", "site: capitainerie", 1))
    site = StaffSite(tmp_path, definitions_folder=folder)
    client = site.client()
    assert 'value="capitainerie"' in client.get("/gestion/tablettes").text
    address = "/gestion/questionnaires"
    known = a_source(accueil_general="capitainerie")
    assert "Publier" in client.get(upload(client, address, "source", known).headers["Location"]).text
    unknown = client.get(upload(client, address, "source", a_source()).headers["Location"]).text
    assert "accueil_general" in unknown
    assert "Publier cette version" not in unknown


def test_what_the_folder_lacks_is_the_program_s_own(folder: Path) -> None:
    replaced, shipped = library_of(folder), library_of(None)
    assert (replaced.scales, replaced.frameworks) == (shipped.scales, shipped.frameworks)
    assert replaced.organisation != shipped.organisation
    (folder / "scales.yaml").write_text((FOLDER / "scales.yaml").read_text("utf-8"), "utf-8")
    assert [fault for fault in check_files(folder=folder) if fault.severity == "error"] == []


def test_check_without_files_checks_the_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEFINITIONS_FOLDER", str(folder))
    assert cli.run(["check"]) == 0
    assert "en.po" not in capsys.readouterr().out, "its English is complete"
    (folder / "translations" / "en.po").write_text('msgid "Disparu"\nmsgstr "Gone"\n', "utf-8")
    assert cli.run(["check"]) == 0
    stale = capsys.readouterr().out
    assert "Préfecture de la Mer" in stale
    assert "Disparu" in stale
    rewrite(folder, lambda text: text.replace("immigration, kind: desk", "immigration, kind: desc"))
    assert cli.run(["check"]) == 1
    assert f"{folder}/organisation.yaml:" in capsys.readouterr().out


def test_the_preview_shows_the_new_organisation(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "one.yaml").write_text(QUESTIONNAIRE, "utf-8")
    client = create_preview(tmp_path / "one.yaml", folder).test_client()
    assert "Préfecture de la Mer" in client.get("/website/fr").text


def test_the_server_does_not_start_without_a_readable_folder(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(SettingsError, match="DEFINITIONS_FOLDER"):
        settings_for_tests(definitions_folder=tmp_path / "absent")
    rewrite(folder, lambda text: text.replace("immigration, kind: desk", "immigration, kind: desc"))
    with pytest.raises(DefinitionError, match=r"organisation\.yaml"):
        create_app(settings_for_tests(data_folder=tmp_path, definitions_folder=folder))
