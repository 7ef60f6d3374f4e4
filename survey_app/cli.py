"""`survey-app`: everything that can be done without the staff pages. Floor 5.

Each command stays in its module under `commands/`; this one gathers them and turns every fault into one line.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click

from survey_app.commands.backup import backup, restore
from survey_app.commands.data import database, doctor, purge
from survey_app.commands.definitions import check, preview
from survey_app.commands.faults import DOMAIN_FAULT, expected_fault
from survey_app.commands.frames import frame
from survey_app.commands.french import MISUSE, FrenchGroup, french_message
from survey_app.commands.keys import keys
from survey_app.commands.mail import mail, mail_sink
from survey_app.commands.results import import_results, report
from survey_app.commands.server import demo, serve
from survey_app.commands.users import user
from survey_app.commands.waves import wave

INTERRUPTED = 130


@click.group(cls=FrenchGroup, context_settings={"max_content_width": 100})
@click.version_option(
    package_name="survey-app", message="%(prog)s %(version)s", help="Affiche la version de ce programme."
)
def survey_app() -> None:
    """Enquêtes de satisfaction de la préfecture.

    \b
    Les réglages viennent de l’environnement : SECRET_KEY, DEVICE_MASTER_KEY, DATABASE_URL, PUBLIC_URL…
    (voir docs/installer.md). « demo », « check » et « preview » n’en ont pas besoin.
    """


for command in (
    check,
    preview,
    demo,
    serve,
    user,
    wave,
    mail,
    mail_sink,
    keys,
    report,
    import_results,
    frame,
    purge,
    backup,
    restore,
    doctor,
    database,
):
    survey_app.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and leave with its exit code: 0 done, 1 a fault in what was asked for, 2 misuse."""
    sys.exit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run a command; its exit code. Never a traceback, except for whoever sets SURVEY_DEBUG."""
    try:
        result = survey_app.main(args=arguments, prog_name="survey-app", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as misuse:
        return _say(french_message(misuse), MISUSE)
    except (click.Abort, KeyboardInterrupt):
        return _say("Interrompu.", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as fault:
        if os.environ.get("SURVEY_DEBUG"):
            raise
        return _say(_one_line(fault), DOMAIN_FAULT)


def _one_line(fault: Exception) -> str:
    message = expected_fault(fault)
    if message is not None:
        return message
    logging.getLogger(__name__).debug("unexpected fault", exc_info=fault)
    text = " ".join(str(fault).split())[:200]
    return f"Erreur imprévue ({type(fault).__name__})\u00a0: {text} Pour le détail\u00a0: SURVEY_DEBUG=1."


def _say(message: str, code: int) -> int:
    click.echo(message, err=True)
    return code


if __name__ == "__main__":
    main()
