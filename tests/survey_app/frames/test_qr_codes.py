"""The code to scan on a letter: it holds the link, is large enough, and has white around it."""

from __future__ import annotations

import re
from typing import Any

import segno

from survey_app.definitions import organisation
from survey_app.frames.letters import letters_document, qr_code
from tests.survey_app.frames.test_letters import MILLIMETRES, URL, a_letter, an_occasion, texts_of
from tests.survey_app.staff_site import StaffSite

WHITE = 4
"""Modules of white around the code (ISO/IEC 18004)."""
SMALLEST = 0.5
"""Millimetres of one module that the camera of any telephone tells apart at arm's length."""


def dark_modules(drawing: str) -> set[tuple[int, int]]:
    """(line, column) of every dark square, from the strokes of the drawing."""
    (path,) = re.findall(r'<path [^>]*d="([^"]+)"', drawing)
    dark, line, column = set[tuple[int, int]](), 0.0, 0
    for command, numbers in re.findall(r"([Mmh])([^Mmhz]*)", path):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            column, line = int(values[0]), values[1]
        elif command == "m":
            column, line = column + int(values[0]), line + values[1]
        else:
            dark |= {(int(line), column + step) for step in range(int(values[0]))}
            column += int(values[0])
    return dark


def boxes_of(document: Any, tag: str) -> list[Any]:
    boxes = document.pages[0]._page_box.descendants(placeholders=True)
    return [box for box in boxes if str(box.element_tag).endswith(tag)]


def test_what_is_drawn_is_the_code_of_the_link_and_of_no_other() -> None:
    def matrix(url: str) -> set[tuple[int, int]]:
        lines = enumerate(segno.make(url, error="m", micro=False).matrix)
        return {(line, column) for line, row in lines for column, dark in enumerate(row) if dark}

    assert dark_modules(qr_code(URL)) == matrix(URL)
    assert dark_modules(qr_code(URL)) != matrix(URL[:-1] + "b")


def test_it_is_large_enough_and_nothing_stands_in_its_white_border(site: StaffSite) -> None:
    with site.database():
        document = letters_document([a_letter()], an_occasion(), organisation())
    (code,) = boxes_of(document, "svg")
    modules = len(segno.make(URL, error="m", micro=False).matrix)
    module = code.width / MILLIMETRES / modules
    assert module >= SMALLEST
    left, top = code.content_box_x() / MILLIMETRES, code.content_box_y() / MILLIMETRES
    right, bottom = left + code.width / MILLIMETRES, top + code.height / MILLIMETRES
    white = WHITE * module
    others = [
        text
        for x, above, below, text in texts_of(document)
        if left - white < x < right + white and above < bottom + white and below > top - white
    ]
    assert others == []
    (frame,) = [box for box in boxes_of(document, "div") if "access" in box.element.get("class", "")]
    assert left - frame.border_box_x() / MILLIMETRES >= white
    assert top - frame.border_box_y() / MILLIMETRES >= white
