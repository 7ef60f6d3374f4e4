"""The page on setting tablets up is the text of ``docs/tablettes.md``, whole."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from survey_app.staff.tablet_guide import blocks
from tests.survey_app.staff_site import StaffSite

TEXT = Path(__file__).parents[2] / "docs/tablettes.md"
PAGE = "/gestion/tablettes/preparer"


def test_the_devices_page_leads_to_the_guide_which_says_what_really_locks(site: StaffSite) -> None:
    client = site.client()
    assert f'href="{PAGE}"' in client.get("/gestion/tablettes").text
    words = unescape(re.sub(r"<[^>]+>", "", client.get(PAGE).text))
    assert "Seul le système de l’appareil verrouille vraiment" in words
    for line in TEXT.read_text("utf-8").splitlines():
        assert re.sub(r"^(#+|-|\d+\.) |\*\*", "", line) in words


def test_a_text_becomes_headings_lists_and_paragraphs() -> None:
    text = "# Un\n\nDeux **gras** <b>.\n\n1. a\n2. b\n\n- c"
    assert list(blocks(text)) == [
        ("title", ["Un"]),
        ("paragraph", ["Deux <strong>gras</strong> &lt;b&gt;."]),
        ("steps", ["a", "b"]),
        ("points", ["c"]),
    ]
