"""No page of the tablet leads anywhere but to the tablet: whoever holds it cannot wander off."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

from survey_app.collection_modes.tablet_bundle import MANIFEST
from tests.survey_app.tablet_site import tablet_site

QUESTIONNAIRE = Path(__file__).parents[2] / "form_definitions/questionnaires/users.yaml"
WAYS_OUT = ("href", "src", "action", "formaction", "xlink:href", "srcset", "ping", "data")
ALLOWED = ("/tablette/", "/static/", "#", "data:,")


class Links(HTMLParser):
    """The addresses that a page names, and whether one opens elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in WAYS_OUT]
        self.found += [f"<{tag} target>" for name, _ in attrs if name in ("target", "http-equiv")]


def outward(page: str) -> list[str]:
    """What leads away."""
    links = Links()
    links.feed(page)
    return [link for link in links.found if not link.startswith(ALLOWED)]


def test_no_page_of_the_tablet_has_a_link_that_leads_elsewhere(tmp_path: Path) -> None:
    with tablet_site(tmp_path, QUESTIONNAIRE.read_text("utf-8")) as site:
        client = site.app.test_client()
        listing = client.get("/tablette/bundle.json").get_json()
        addresses = [one["url"] for one in listing["files"] if one["url"].startswith("/tablette/")]
        pages = {address: client.get(address).text for address in addresses if address != MANIFEST}
        assert len(pages) == 4, "the start page and one page in each language"
        assert {address: links for address, page in pages.items() if (links := outward(page))} == {}


def test_the_search_finds_what_leads_elsewhere() -> None:
    page = (
        '<a href="https://example.org">x</a><a href="/q/usagers/fr">y</a><a href="#a" target="_blank">z</a>'
    )
    assert outward(page) == ["https://example.org", "/q/usagers/fr", "<a target>"]
