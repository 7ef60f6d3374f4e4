"""What docs/installer.md says is what the program does: variables, commands, scripts."""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import fields
from pathlib import Path

import click
import pytest

from survey_app import cli
from survey_app.mail_settings import MAIL_VARIABLES
from survey_app.settings import _VARIABLES, RetentionTerms, Settings, SettingsError, read_settings

GUIDE = (Path(cli.__file__).parents[1] / "docs" / "installer.md").read_text(encoding="utf-8")
SECRETS = {
    "SECRET_KEY": "k7Qw2ZpLx9Rt4VbN8mYc3HdF6sGj1AeU",
    "DEVICE_MASTER_KEY": "p3Xc8LsTq5Wn1ZbJ7yRf4KvM9hGd2EaU",
}
OTHER_VALUES = {
    "SECRET_KEY": "Zr7mKq2LxWv9Tn4PbY8sHd3FcG6jAeUo",
    "DEVICE_MASTER_KEY": "Jt5hVn8QsLk2XwRz4MbCy7PfGd9aEuTo",
    "DEFINITIONS_FOLDER": "/",
    "DATABASE_URL": "postgresql:///survey",
    "PUBLIC_URL": "https://enquete.exemple.fr",
    "SMTP_SECURITY": "tls",
    "SMTP_PASSWORD_FILE": __file__,
    "MAIL_SENDER": "enquete@exemple.fr",
    "MAIL_RETURN_PATH": "retours@exemple.fr",
    "BOUNCE_FOLDER": "/",
}
TABLE = dict(re.findall(r"^\| `([A-Z_]+)` \| [^|]+ \| ([^|]+) \|$", GUIDE, flags=re.MULTILINE))
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", GUIDE, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [text for kind, text in BLOCKS if kind == "sh"]
FILES = dict(re.findall(r"Fichier `([^`]+)`\s:\n\n```\w+\n(.*?)```", GUIDE, flags=re.DOTALL))


def test_the_guide_gives_each_term_and_its_default() -> None:
    for term in fields(RetentionTerms):
        assert TABLE[f"RETENTION_{term.name.upper()}_DAYS"].strip() == f"`{term.default}`"


@pytest.mark.parametrize("variable", [name for name in TABLE if not name.startswith("RETENTION_")])
def test_a_variable_of_the_guide_is_read(variable: str) -> None:
    value = OTHER_VALUES.get(variable, "7")
    assert read_settings(SECRETS | {variable: value}) != read_settings(SECRETS)


def test_every_variable_is_in_the_table_of_the_guide() -> None:
    """But the one that marks a demonstration: no real installation may set it."""
    assert {*_VARIABLES, *MAIL_VARIABLES} - set(TABLE) == {"DEMONSTRATION"}


def test_the_file_of_settings_in_the_guide_is_accepted() -> None:
    written = dict(
        line.split("=", 1) for line in FILES["/etc/survey-app/environment"].splitlines() if "=" in line
    )
    assert isinstance(read_settings(written | SECRETS), Settings)


def test_a_forgotten_secret_in_that_file_stops_the_start() -> None:
    written = dict(
        line.split("=", 1) for line in FILES["/etc/survey-app/environment"].splitlines() if "=" in line
    )
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        read_settings(written)


def test_every_command_of_the_guide_exists() -> None:
    named = set(
        re.findall(r"(?<![\w./-])(?:/opt/survey-app/venv/bin/)?survey-app ([a-z-]+(?: [a-z]+)?)", GUIDE)
    )
    assert {"database upgrade", "purge", "doctor", "check"} <= named
    context = click.Context(cli.survey_app)
    for name in named:
        first, _, second = name.partition(" ")
        command = cli.survey_app.get_command(context, first)
        assert command is not None, name
        if isinstance(command, click.Group):
            assert command.get_command(context, second) is not None, name


def command_lines() -> list[list[str]]:
    """The arguments of every call of the program in a block of commands or in a unit."""
    lines = "\n".join([*COMMANDS, *FILES.values()]).splitlines()
    calls = [re.fullmatch(r"(?:ExecStart=)?(?:/opt/survey-app/venv/bin/)?survey-app (.+)", x) for x in lines]
    return [shlex.split(call[1].split(" > ")[0]) for call in calls if call]


def test_the_arguments_of_every_command_are_understood() -> None:
    assert len(command_lines()) >= 9
    for arguments in command_lines():
        command: click.Command = cli.survey_app
        context = click.Context(command)
        while isinstance(command, click.Group):
            name, *arguments = arguments
            found = command.get_command(context, name)
            assert found is not None, name
            command = found
        command.make_context(command.name, arguments)


def test_the_options_in_the_units_exist() -> None:
    serve = FILES["/etc/systemd/system/survey-app.service"]
    line = re.search(r"^ExecStart=\S+ (.+)$", serve, flags=re.MULTILINE)
    assert line is not None
    name, *arguments = line[1].split()
    command = cli.survey_app.get_command(click.Context(cli.survey_app), name)
    assert command is not None
    assert command.make_context(name, arguments).params == {"host": "127.0.0.1", "port": 8000}


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("/usr/local/sbin/")])
def test_a_script_of_the_guide_is_readable_by_the_shell(path: str) -> None:
    checked = subprocess.run(["sh", "-n"], input=FILES[path], text=True, capture_output=True, check=False)
    assert checked.stderr == ""


@pytest.mark.parametrize("commands", COMMANDS)
def test_a_block_of_commands_is_readable_by_the_shell(commands: str) -> None:
    checked = subprocess.run(["sh", "-n"], input=commands, text=True, capture_output=True, check=False)
    assert checked.stderr == ""


@pytest.mark.parametrize("path", [path for path in FILES if path.startswith("/etc/systemd/")])
def test_a_unit_of_the_guide_holds_sections_and_settings_only(path: str) -> None:
    lines = [line for line in FILES[path].splitlines() if line and not line.startswith("#")]
    assert lines[0] == "[Unit]"
    assert all(re.fullmatch(r"\[[A-Z][a-z]+\]|[A-Z]\w+=.*", line) for line in lines)


def test_the_folders_that_a_unit_may_write_to_are_those_that_the_guide_makes() -> None:
    made = {
        path
        for line in re.findall(r"install -d -o survey .*", GUIDE)
        for path in re.findall(r" (/\S+)", line)
    }
    units = [FILES[path] for path in FILES if path.endswith(".service")]
    for unit in units:
        assert set(re.findall(r"ReadWritePaths=(.+)", unit)[0].split()) <= made


def test_the_configuration_of_nginx_is_closed_and_every_directive_ends() -> None:
    lines = [line.strip() for line in FILES["/etc/nginx/sites-available/enquete"].splitlines()]
    told = [line for line in lines if line and not line.startswith("#")]
    assert [line for line in told if not line.endswith((";", "{", "}"))] == []
    assert sum(line.endswith("{") for line in told) == told.count("}")


def test_nginx_writes_no_number_of_a_record_beside_the_hour() -> None:
    site = FILES["/etc/nginx/sites-available/enquete"]
    ((_, told),) = re.findall(r"log_format (\w+) (.+);", site)
    assert "$page_sans_numero" in told
    assert not re.search(r"\$(request|uri|request_uri)\b", told)
    (rules,) = re.findall(r"map \$uri \$page_sans_numero \{(.+?)\}", site, re.DOTALL)
    patterns = [(one, put) for one, put in re.findall(r"(\S+)\s+(\S+);", rules) if one != "default"]
    number = "/api/v1/records/00000000-0000-4000-8000-000000000001"
    assert [put for one, put in patterns if re.search(one.removeprefix("~"), number)] == ["/api/v1/records/"]


def test_nginx_writes_no_address_of_a_visitor() -> None:
    site = FILES["/etc/nginx/sites-available/enquete"]
    formats = re.findall(r"log_format (\w+) (.+);", site)
    assert formats
    assert all("remote_addr" not in text and "forwarded" not in text for _, text in formats)
    logs = re.findall(r"access_log (\S+)(?: (\w+))?;", site)
    assert logs
    assert all(target == "off" or name == formats[0][0] for target, name in logs)
