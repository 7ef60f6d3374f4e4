"""How to set a tablet up and lock it: ``docs/tablettes.md``, drawn as a page. Floor 5.

The text is kept once. It is written with headings, lists, paragraphs and bold words, and with nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Final

from flask import Blueprint, render_template
from markupsafe import Markup, escape

from survey_app import access
from survey_app.access import ASSISTANT, TECHNICIAN

blueprint = Blueprint("staff_tablet_guide", __name__, url_prefix="/gestion/tablettes/preparer")

PLACES: Final = (
    Path(__file__).with_name("tablettes.md"),  # in an installed package
    Path(__file__).parents[2] / "docs/tablettes.md",
)
MARKS: Final = {"# ": "title", "## ": "heading", "- ": "points", "1. ": "steps"}


@blueprint.get("")
@access.roles(ASSISTANT, TECHNICIAN)
def show() -> str:
    """What the page does by itself, what only the device can do, and how."""
    text = next(place for place in PLACES if place.exists()).read_text("utf-8")
    (_, (title,)), *rest = blocks(text)
    return render_template("staff/tablet_guide.html", title=title, blocks=rest)


def blocks(text: str) -> Iterator[tuple[str, list[Markup]]]:
    """Each heading, list or paragraph, with its lines."""
    read = (_line(line) for line in text.splitlines())
    for kind, lines in groupby(read, key=lambda line: line[0]):
        if kind:
            yield kind, [words for _, words in lines]


def _line(line: str) -> tuple[str, Markup]:
    line = re.sub(r"^\d+\. ", "1. ", line)
    for mark, kind in MARKS.items():
        if line.startswith(mark):
            return kind, _words(line.removeprefix(mark))
    return ("paragraph" if line else ""), _words(line)


def _words(line: str) -> Markup:
    return Markup(re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", str(escape(line))))  # noqa: S704 (escaped)
