"""Click in French: headings, the help option, and one-line errors instead of Click's English ones."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Any

import click

MISUSE = 2


def _typeset(text: str | None) -> str | None:
    """Docstrings are typed with plain spaces; on screen no line may begin with « : », « ; » or « » »."""
    for typed, set_so in ((" :", "\u00a0:"), (" ;", "\u202f;"), ("« ", "«\u202f"), (" »", "\u202f»")):
        text = text and text.replace(typed, set_so)
    return text


class FrenchCommand(click.Command):
    """A command whose help page is French throughout."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _typeset(self.help)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line of the help."""
        formatter.write_usage(ctx.command_path, _usage(self, ctx), prefix="Utilisation\u00a0: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of options, without Click's English markers."""
        _write_options(self, ctx, formatter)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, explained in French."""
        return _french_help(super().get_help_option(ctx))


class FrenchGroup(click.Group):
    """A group of commands, French as well; its commands and subgroups inherit that."""

    command_class = FrenchCommand
    group_class = type

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _typeset(self.help)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The first line of the help."""
        formatter.write_usage(ctx.command_path, _usage(self, ctx), prefix="Utilisation\u00a0: ")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The options, then the commands."""
        _write_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands in the order of the year, each with its first sentence."""
        commands = [(name, self.commands[name]) for name in self.list_commands(ctx)]
        # Click shortens by splitting at every space, no-break ones too.
        rows = [(name, _typeset(command.get_short_help_str(110)) or "") for name, command in commands]
        with formatter.section("Commandes\u00a0"):
            formatter.write_dl(rows)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of their registration, not of the alphabet."""
        return list(self.commands)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """`--help`, explained in French."""
        return _french_help(super().get_help_option(ctx))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """An unknown command is told in French, with the nearest one."""
        if args and args[0] not in self.commands:
            near = difflib.get_close_matches(args[0], self.commands, n=1)
            hint = _perhaps(near) or f" Voir «\u202f{ctx.command_path} --help\u202f»."
            raise click.UsageError(f"Commande inconnue\u00a0: «\u202f{args[0]}\u202f».{hint}")
        return super().resolve_command(ctx, args)


def _usage(command: click.Command, ctx: click.Context) -> str:
    pieces = ["[OPTIONS]"] if len(command.get_params(ctx)) > 1 else []
    pieces += [str(p.make_metavar(ctx)) for p in command.get_params(ctx) if isinstance(p, click.Argument)]
    if isinstance(command, click.Group):
        pieces.append("COMMANDE …")
    return " ".join(pieces)


def _write_options(command: click.Command, ctx: click.Context, formatter: click.HelpFormatter) -> None:
    records = [p.get_help_record(ctx) for p in command.get_params(ctx) if isinstance(p, click.Option)]
    rows = [(name, _french_markers(text)) for name, text in filter(None, records)]
    with formatter.section("Options\u00a0"):
        formatter.write_dl(rows)


def _french_markers(text: str) -> str:
    """Click's own marks at the end of a line of help: bounds, and what must be given."""
    text = re.sub(r"\[(\d+)<=x<=(\d+)(; required)?\]", r"[de \1 à \2\3]", text)
    return text.replace("; required]", "\u202f; obligatoire]").replace("[required]", "[obligatoire]")


def _french_help(option: click.Option | None) -> click.Option | None:
    if option is not None:
        option.help = "Affiche cette aide."
    return option


def _perhaps(near: Sequence[str] | None) -> str:
    return f" Vouliez-vous dire «\u202f{near[0]}\u202f»\u202f?" if near else ""


def french_message(error: click.ClickException) -> str:
    """One French sentence for any misuse of the command line."""
    match error:
        case click.NoSuchOption():
            near = _perhaps(error.possibilities)
            return f"Option inconnue\u00a0: «\u202f{error.option_name}\u202f».{near}"
        case click.MissingParameter():
            return f"Il manque {_named(error.param)}."
        case click.BadParameter():
            return f"{_capitalised(_named(error.param))} ne convient pas\u00a0: {_reason(error)}"
        case click.FileError():
            return f"Impossible d’ouvrir «\u202f{error.ui_filename}\u202f»."
        case click.UsageError() if "unexpected extra argument" in error.message:
            return "Il y a un argument de trop."
    return error.message


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _named(parameter: Any) -> str:
    if isinstance(parameter, click.Argument):
        return f"l’argument {parameter.metavar or parameter.human_readable_name.upper()}"
    return f"l’option {parameter.opts[0]}" if parameter is not None else "un argument"


def _reason(error: click.BadParameter) -> str:
    kind = getattr(error.param, "type", None)
    match kind:
        case click.Path(file_okay=False):
            return "un dossier est attendu."
        case click.Path() if "is a directory" in error.message:
            return "c’est un dossier, un fichier est attendu."
        case click.Path():
            return "fichier introuvable ou illisible."
        case click.Choice():
            return f"choisissez {' ou '.join(str(choice) for choice in kind.choices)}."
        case click.IntRange(min=int(least), max=int(most)):
            return f"un nombre entier de {least} à {most} est attendu."
        case click.types.IntParamType():
            return "un nombre entier est attendu."
        case click.DateTime():
            return "une date AAAA-MM-JJ est attendue."
    return error.message
