"""The command line: French help, one-line errors, exit codes; nothing ever ends in a traceback."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import click
import pytest
import sqlalchemy as sa
from python_calamine import CalamineWorkbook

from survey_app import cli
from survey_app import settings as survey_settings
from survey_app.commands.french import FrenchGroup
from survey_app.commands.surroundings import actor, application
from survey_app.database import db
from survey_app.demonstration import PRACTICE
from survey_app.models import AuditEntry
from survey_app.preview import create_preview
from survey_app.questionnaires import publish_source
from survey_app.serving import Address, SurveyServer
from tests.browsers import free_port
from tests.survey_app.conftest import USERS
from tests.survey_app.website_site import QUESTIONNAIRES

QUESTIONNAIRE = """\
questionnaire: essai
title: Essai
framework: qual_e_pref
estimated_minutes: 1
modes: [website, tablet]
sites: [accueil_general]
sections:
  - section: one
    title: Une rubrique
    questions:
      - item: courtesy
        type: satisfaction
        scale: satisfaction_4
        label: Comment avez-vous été reçu ?
        commitment: courtoisie
      - item: why
        type: short_text
        label: Pourquoi ?
        relevant_if: {is: [courtesy, dissatisfied]}
"""


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command."""
    for name, command in group.commands.items():
        yield (*path, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))


@pytest.fixture
def database(keys: Path) -> Path:
    """The same with a database that is up to date and a key to seal with."""
    assert cli.run(["database", "upgrade"]) == 0
    assert cli.run(["keys", "new"]) == 0
    return keys


def test_every_command_of_the_manual_exists() -> None:
    assert set(commands(cli.survey_app)) >= {
        ("check",),
        ("preview",),
        ("serve",),
        ("demo",),
        ("user", "add"),
        ("user", "reset"),
        ("keys", "list"),
        ("keys", "new"),
        ("keys", "lost"),
        ("wave", "open"),
        ("wave", "close"),
        ("wave", "list"),
        ("import",),
        ("report",),
        ("purge",),
        ("doctor",),
        ("database", "upgrade"),
    }


@pytest.mark.parametrize("path", [(), *commands(cli.survey_app)], ids=" ".join)
def test_every_help_page_is_french(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*path, "--help"]) == 0
    page = capsys.readouterr().out
    assert page.startswith("Utilisation\u00a0: ")
    for english in ("Usage", "Show this", "Commands", "required]", "[default", "<=x<="):
        assert english not in page


def test_a_term_of_one_day_is_said_in_the_singular(
    demonstrated: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETENTION_PRACTICE_DAYS", "1")
    assert cli.run(["purge"]) == 0
    page = capsys.readouterr().out
    assert "Réponses d’essai (après 1 jour)" in page
    assert "1 jours" not in page


def test_groups_stay_french_in_depth() -> None:
    assert all(
        isinstance(c, FrenchGroup) for c in cli.survey_app.commands.values() if isinstance(c, click.Group)
    )


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["chek"], "Vouliez-vous dire «\u202fcheck\u202f»"),
        (["nothing-like-it"], "Commande inconnue"),
        (["report"], "Il manque l’argument ÉDITION."),
        (["report", "x"], "Il manque l’option -o."),
        (["report", "x", "-o", "a.txt"], ".xlsx, .csv ou .json"),
        (["report", "x", "-o", "a.csv", "--export", "classeur"], "--export vaut"),
        (["serve", "--prt", "1"], "Vouliez-vous dire «\u202f--port\u202f»"),
        (["serve", "--port", "abc"], "un nombre entier de 1 à 65535 est attendu"),
        (["serve", "--port", "0"], "un nombre entier de 1 à 65535 est attendu"),
        (["demo", "--folder", __file__], "un dossier est attendu"),
        (["preview", "/"], "c’est un dossier, un fichier est attendu"),
        (["import"], "Il manque l’argument FICHIER.csv."),
        (["preview", "absent.yaml"], "fichier introuvable"),
        (["user", "add", "a@b.fr", "--role", "king"], "choisissez referent ou"),
        (["doctor", "extra"], "argument de trop"),
    ],
)
def test_misuse_is_one_french_line_and_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert said in output.err
    assert output.err.count("\n") == 1


def test_a_missing_secret_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert cli.run(["wave", "list"]) == 1
    assert capsys.readouterr().err.startswith("SECRET_KEY")


def test_a_database_that_is_not_there_is_never_created_by_serving(
    keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (["serve"], ["doctor"], ["doctor", "--rebuild"], ["purge"], ["wave", "list"]):
        assert cli.run(command) == 2
        assert "n’existe pas. Créez-la\u00a0: survey-app database upgrade" in capsys.readouterr().err
    assert not list(keys.glob("*.db"))


def test_an_empty_database_is_told_as_such(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (keys / "survey.db").touch()
    assert cli.run(["serve"]) == 2
    assert "La base est vide. Préparez-la\u00a0: survey-app database upgrade" in capsys.readouterr().err
    assert cli.run(["doctor"]) == 1
    assert "survey-app database upgrade" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["serve"], ["database", "upgrade"]])
def test_a_database_of_a_newer_program_is_told_as_such(
    command: list[str], database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(database / "survey.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert cli.run(command) == 2
    assert "La base vient d’un programme plus récent (version 9999" in capsys.readouterr().err


def test_serving_a_new_installation_says_what_to_do_first(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("survey_app.serving.serve", lambda _settings, _address, announce: announce())
    command = ["serve", "--port", str(free_port())]
    assert cli.run(command) == 0
    first = capsys.readouterr().out
    assert "À l’écoute sur http://127.0.0.1:" in first
    assert "survey-app user add ADRESSE" in first
    assert "Aucune édition encore" in first
    assert cli.run(["user", "add", "agent@prefecture.fr"]) == 0
    capsys.readouterr()
    assert cli.run(command) == 0
    assert "user add" not in capsys.readouterr().out


def test_serving_without_a_key_to_seal_with_is_refused_in_one_line(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (database / "record-keys").iterdir():
        path.unlink()
    capsys.readouterr()
    assert cli.run(["serve", "--port", str(free_port())]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "survey-app keys new" in said


def test_a_new_key_takes_over_and_the_old_one_stays(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["keys", "list"]) == 1
    assert "survey-app keys new" in capsys.readouterr().err
    assert cli.run(["keys", "new"]) == 0
    assert "Copiez ce fichier en lieu sûr" in capsys.readouterr().out
    assert cli.run(["keys", "new"]) == 0
    capsys.readouterr()
    next(iter((keys / "record-keys").iterdir())).chmod(0o644)
    assert cli.run(["keys", "list"]) == 0
    old, new = capsys.readouterr().out.splitlines()
    assert "ouvre les anciens envois" in old
    assert "scelle et ouvre" in new
    assert ("chmod 600" in old) != ("chmod 600" in new)


def test_a_new_key_is_in_the_log_of_acts_where_there_is_a_database(keys: Path) -> None:
    assert cli.run(["keys", "new"]) == 0
    assert not (keys / "survey.db").exists()
    assert cli.run(["database", "upgrade"]) == 0
    assert cli.run(["keys", "new"]) == 0
    newest = max((keys / "record-keys").iterdir()).stem.rpartition("-")[2]
    with application():
        (entry,) = db.session.scalars(sa.select(AuditEntry).where(AuditEntry.action == "key-made"))
        assert (entry.subject, entry.actor) == (newest, actor())


def test_a_key_can_be_declared_lost_only_when_it_is_not_here(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here,) = (path.stem.rpartition("-")[2] for path in (database / "record-keys").iterdir())
    capsys.readouterr()
    assert cli.run(["keys", "lost", here]) == 2
    assert "rien n’est perdu" in capsys.readouterr().err
    for options in ([], ["--yes"]):
        assert cli.run(["keys", "lost", "abc", *options]) == 2
        assert "Aucun envoi n’attend de clé abc" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["serve", "demo", "preview"])
def test_a_busy_port_is_one_french_line(
    command: str, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = database / "essai.yaml"
    path.write_text(QUESTIONNAIRE)
    file = [str(path)] if command == "preview" else []
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        assert cli.run([command, *file, "--port", str(port)]) == 2
    assert f"Le port {port} est déjà occupé." in capsys.readouterr().err


def test_an_address_of_no_machine_is_one_french_line(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["serve", "--host", "192.0.2.1"]) == 2
    assert "n’est pas une adresse de cette machine" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert capsys.readouterr().out == f"survey-app {version('survey-app')}\n"


def test_no_line_of_a_help_page_begins_with_a_lonely_sign(capsys: pytest.CaptureFixture[str]) -> None:
    for path in ((), *commands(cli.survey_app)):
        cli.run([*path, "--help"])
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith((":", ";", "!", "?", "»")) or line.endswith("«")] == []


def test_a_fault_nobody_foresaw_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("first line\nsecond line")

    monkeypatch.delenv("SURVEY_DEBUG", raising=False)
    monkeypatch.setattr("form_definitions.check_files", fail)
    assert cli.run(["check"]) == 1
    error = capsys.readouterr().err
    assert "RuntimeError" in error
    assert error.count("\n") == 1


def test_check_finds_no_error_in_what_is_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["check"]) == 0
    assert "[error]" not in capsys.readouterr().out


REUSED = ("Comment avez-vous été reçu ?", "À quelle heure êtes-vous arrivé ?")


def test_check_finds_a_code_published_with_another_meaning(
    database: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text(QUESTIONNAIRE.replace(*REUSED))
    assert cli.run(["check", str(path)]) == 0
    with application():
        publish_source(QUESTIONNAIRE, {}, actor="test")
    assert cli.run(["check", str(path)]) == 1
    output = capsys.readouterr()
    assert REUSED[0] in output.out
    assert "publiés dans la base" in output.err


def test_check_without_a_database_compares_with_what_is_shipped_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("SURVEY_DATA", raising=False)
    path = tmp_path / "users.yaml"
    text = (QUESTIONNAIRES / "users.yaml").read_text("utf-8")
    label = re.search(r"- item: courtesy\n(?:.*\n)*? +label: (.*)", text)
    assert label is not None
    path.write_text(text.replace(label[1], "À quelle heure êtes-vous arrivé ?"), "utf-8")
    assert cli.run(["check", str(path)]) == 1
    output = capsys.readouterr()
    assert "courtesy" in output.out
    assert "livrés avec le programme" in output.err


def test_check_tells_every_fault_with_its_place_and_leaves_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text(
        QUESTIONNAIRE.replace("satisfaction_4", "satisfaktion_4").replace("courtoisie", "courtoisy")
    )
    assert cli.run(["check", str(path)]) == 1
    output = capsys.readouterr()
    assert f"{path}:13:16: erreur" in output.out
    assert "satisfaction_4" in output.out
    assert "2 erreurs" in output.err


def test_accounts_are_added_and_reset(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["user", "add", "agent@prefecture.fr", "--role", "reader"]) == 0
    first = capsys.readouterr().out
    assert "Phrase secrète" in first
    assert cli.run(["user", "reset", "agent@prefecture.fr"]) == 0
    assert capsys.readouterr().out != first
    assert cli.run(["user", "reset", "personne@prefecture.fr"]) == 1


def test_the_doctor_finds_a_new_installation_sound(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["doctor"]) == 0
    assert "✗" not in capsys.readouterr().out


def test_purge_only_shows_unless_told_otherwise(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["purge"]) == 0
    assert "Rien n’a été effacé" in capsys.readouterr().err
    assert cli.run(["purge", "--yes"]) == 0
    assert "Effacé" in capsys.readouterr().err


def test_the_sheet_of_processing_activities_is_printed(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["database", "register"]) == 0
    assert capsys.readouterr().out.startswith("# Fiche du registre")


def test_waves_are_listed_closed_and_not_closed_twice(
    demonstration_folder: Path,
    keys: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = keys / "survey.db"
    source = demonstration_folder / "survey.db"
    copy.write_bytes(source.read_bytes())
    assert cli.run(["wave", "list"]) == 0
    assert "usagers-2026" in capsys.readouterr().out
    assert cli.run(["wave", "close", "usagers-2026"]) == 0
    assert cli.run(["wave", "close", "usagers-2026"]) == 1
    assert cli.run(["wave", "open", "usagers-2026"]) == 1
    assert cli.run(["wave", "open", "unknown"]) == 1


@pytest.mark.parametrize("name", ["r.xlsx", "r.csv", "r.json"])
def test_a_report_is_written_for_each_kind_of_file(name: str, demonstrated: Path) -> None:
    target = demonstrated / name
    assert cli.run(["report", "usagers-2026", "-o", str(target)]) == 0
    content = target.read_bytes()
    match target.suffix:
        case ".xlsx":
            assert CalamineWorkbook.from_path(str(target)).sheet_names[0] == "Synthèse"
        case ".csv":
            assert content.startswith(b"\xef\xbb\xbf")
            assert "Borne basse" in content.decode("utf-8-sig").splitlines()[0], "results, not people"
        case ".json":
            assert json.loads(content)["responses"] == USERS - PRACTICE
    assert [path.name for path in demonstrated.iterdir()] == [name]


def test_texts_are_in_a_report_only_when_asked_for(demonstrated: Path) -> None:
    target = demonstrated / "r.csv"
    answers = ["report", "usagers-2026", "--export", "reponses", "-o", str(target)]
    cli.run(answers)
    assert "Commentaire synthétique" not in target.read_text()
    cli.run([*answers, "--verbatims"])
    assert "Commentaire synthétique" in target.read_text()


def test_a_part_of_a_wave_can_be_reported(demonstrated: Path) -> None:
    target = demonstrated / "r.json"
    assert (
        cli.run(["report", "usagers-2026", "-o", str(target), "--site", "immigration", "--period", "2026-11"])
        == 0
    )
    found = json.loads(target.read_text())
    assert found["filters"] == {"site": "Hall du bureau de l’immigration", "période": "2026-11"}
    assert list(found["by_site"]) == ["immigration"]


@pytest.mark.parametrize(
    "part, value, said",
    [
        (
            "--site",
            "acceuil",
            "Site inconnu dans cette édition\u00a0: «\u202facceuil\u202f». Ses sites\u00a0: accueil_",
        ),
        ("--mode", "fax", "Ses modes\u00a0: tablet, website, paper."),
        ("--period", "2019-11", "«\u202f2019-11\u202f». Ses périodes\u00a0: 20"),
        ("--period", "2026-S99", "Période inconnue"),
        ("--site", "", "Site inconnu"),
    ],
)
def test_a_part_that_the_wave_does_not_have_is_refused_with_those_that_it_has(
    part: str, value: str, said: str, demonstrated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["report", "usagers-2026", "-o", str(demonstrated / "r.csv"), part, value]) == 1
    assert said in capsys.readouterr().err
    assert not list(demonstrated.iterdir())


def test_an_unknown_wave_leaves_no_file(demonstrated: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "unknown", "-o", str(demonstrated / "r.xlsx")]) == 1
    assert "Aucune édition" in capsys.readouterr().err
    assert not list(demonstrated.iterdir())


def test_past_years_are_imported_or_refused_by_line(
    demonstration_folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (keys / "survey.db").write_bytes((demonstration_folder / "survey.db").read_bytes())
    path = keys / "past.csv"
    path.write_text("commitment,item,favourable,base\ncourtoisie,,80,100\nattente,,9,3\n")
    command = ["import", str(path), "--survey", "usagers", "--year", "2024"]
    assert cli.run(command) == 1
    assert "Ligne 3" in capsys.readouterr().err
    path.write_text("commitment,item,favourable,base\ncourtoisie,,80,100\n")
    assert cli.run(command) == 0
    assert cli.run(command) == 2
    assert "--replace" in capsys.readouterr().err
    assert cli.run([*command, "--replace"]) == 0
    path.write_bytes(b"commitment,item,favourable,base\n\xe9,,1,2\n")
    assert cli.run(command) == 2
    assert f"{path}:2" in capsys.readouterr().err


def test_the_counts_that_report_writes_are_what_import_takes(
    demonstration_folder: Path, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (keys / "survey.db").write_bytes((demonstration_folder / "survey.db").read_bytes())
    for year, export in ((2023, "comptes"), (2024, "resultats")):
        path = keys / f"{export}.csv"
        assert cli.run(["report", "usagers-2026", "-o", str(path), "--export", export]) == 0
        assert cli.run(["import", str(path), "--survey", "usagers", "--year", str(year)]) == 0
        assert f"pour usagers {year}." in capsys.readouterr().out


def test_the_preview_follows_its_file_in_every_language(tmp_path: Path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text(QUESTIONNAIRE)
    client = create_preview(path).test_client()
    first = client.get("/version").text
    for mode in ("website", "tablet"):
        for language in ("fr", "en", "ar"):
            page = client.get(f"/{mode}/{language}")
            assert page.status_code == 200
            assert "Comment avez-vous été reçu" in page.text
    assert client.get("/website/xx").status_code == 404
    path.write_text(QUESTIONNAIRE.replace("satisfaction_4", "satisfaktion_4"))
    os.utime(path, ns=(1, 1))
    assert client.get("/version").text != first
    assert "Ligne 13" in client.get("/website/fr").text


def test_the_preview_stores_nothing(tmp_path: Path) -> None:
    path = tmp_path / "essai.yaml"
    path.write_text(QUESTIONNAIRE)
    assert create_preview(path).test_client().post("/website/fr").status_code == 405
    assert [found.name for found in tmp_path.iterdir()] == ["essai.yaml"]


def test_one_process_serves_sqlite_and_several_serve_postgresql() -> None:
    assert survey_settings.testing().processes == 1
    assert survey_settings.testing(database_url="postgresql://x/y").processes > 1


def test_the_server_never_writes_addresses_of_respondents() -> None:
    choices = SurveyServer(survey_settings.testing(), Address("127.0.0.1", 8000), lambda: None).choices()
    assert choices["accesslog"] is None
    assert choices["worker_class"] == "gthread"


@pytest.mark.timeout(90)
def test_the_demonstration_starts_prints_its_addresses_and_answers(demonstration_folder: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "survey_app.cli", "demo", "--folder", str(demonstration_folder)]
    environment = {**os.environ, "PORT": str(port)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        printed = [process.stdout.readline() for _ in range(10)]
        text = "".join(printed)
        for path in ("/q/usagers/fr", "/r/", "/tablette/", "/gestion/"):
            assert f"http://127.0.0.1:{port}{path}" in text
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            assert json.load(answer)["ok"] is True
    finally:
        process.stdout.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
