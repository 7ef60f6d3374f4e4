"""The one door for every test of a page: title, language, labels, headings, code, typography, validity."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import pairwise

from tests.node_process import html_validator

RULES = {
    "extends": ["html-validate:recommended", "html-validate:document"],
    "rules": {
        # Style only: our templates write a lower-case doctype, and `autofocus` is how an error takes the
        # focus without JavaScript.
        "doctype-style": ["error", {"style": "lowercase"}],
        "no-trailing-whitespace": "off",
        "attribute-boolean-style": "off",
        "void-style": "off",
        "no-autofocus": "off",
        "long-title": "off",
        # A button in a form submits by default; saying so on each would only be bytes.
        "no-implicit-button-type": "off",
        "tel-non-breaking": "off",
        # The button that the Enter key presses is for no reader and no Tab key: see website/form.html.
        "hidden-focusable": "off",
        "multiple-labeled-controls": "error",
        "wcag/h32": "off",
        # Several answers to one question share a name on purpose.
        "form-dup-name": "off",
        # Ours are from the same site; only what comes from elsewhere would need it (and nothing does).
        "require-sri": ["error", {"target": "crossorigin"}],
        # Fields that are no answers start with an underscore.
        "valid-id": ["error", {"relaxed": True}],
    },
}
FRENCH_FAULTS = {
    "an ordinary space before ; ! ? or %": re.compile(r"[ \u00a0][;!?%](?!\w)"),
    "no space before ; ! ? (after a letter)": re.compile(r"\w[!?;](?:\s|$)"),
    "an ordinary space before a colon": re.compile(r"\w[ \u202f]:"),
    "no space before a colon": re.compile(r"[^\W\d]:\s"),
    "a straight apostrophe": re.compile(r"\w'\w"),
    "straight quotation marks": re.compile(r'"'),
    "guillemets without a narrow no-break space": re.compile(r"«(?!\u202f)|(?<!\u202f)»"),
    "three full stops": re.compile(r"\.\.\."),
}
VOID = {"area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class PageReader(HTMLParser):
    """What the checks need to know of a page, in one reading."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.references: list[tuple[str, str]] = []
        self.headings: list[int] = []
        self.faults: list[str] = []
        self.labels_for: set[str] = set()
        self.controls: list[tuple[str, bool]] = []
        self.language: str | None = None
        self.direction: str | None = None
        self.title = ""
        self.french: list[str] = []
        self._open: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what this element says."""
        given = dict(attrs)
        if tag == "html":
            self.language, self.direction = given.get("lang"), given.get("dir")
        self._look_for_inline_code(tag, given)
        self._note_references(given)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag == "label" and given.get("for"):
            self.labels_for.add(given["for"] or "")
        if tag in ("input", "textarea", "select") and given.get("type") not in ("hidden", "submit"):
            within_label = any(name == "label" for name, _ in self._open)
            self.controls.append((given.get("id") or "", within_label or bool(given.get("aria-label"))))
        if tag not in VOID:
            self._open.append((tag, given.get("lang") or self._language_here()))

    def _look_for_inline_code(self, tag: str, given: dict[str, str | None]) -> None:
        if tag == "style" or "style" in given:
            self.faults.append(f"<{tag}> carries an inline style")
        if any(name.startswith("on") for name in given):
            self.faults.append(f"<{tag}> carries an inline script")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.faults.append("an inline script")
        for name in ("src", "href", "action"):
            if re.match("javascript:", given.get(name) or "", re.IGNORECASE):
                self.faults.append(f"{name} with code in it")
        if tag in ("script", "link", "img") and re.match(
            "https?:|//", given.get("src") or given.get("href") or ""
        ):
            self.faults.append(f"<{tag}> from another site")

    def _note_references(self, given: dict[str, str | None]) -> None:
        if "id" in given:
            self.ids.append(given["id"] or "")
        for name in ("aria-describedby", "aria-labelledby", "for", "form"):
            self.references += [(name, part) for part in (given.get(name) or "").split()]
        if (given.get("href") or "").startswith("#"):
            self.references.append(("href", (given["href"] or "")[1:]))

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        """Keep the title and the French text."""
        tags = [name for name, _ in self._open]
        if "title" in tags:
            self.title += data
        if "script" not in tags and self._language_here() == "fr" and data.strip():
            self.french.append(data.strip("\n"))

    def _language_here(self) -> str | None:
        return self._open[-1][1] if self._open else self.language


def faults_of(html: str, *, language: str = "fr") -> list[str]:
    """Everything wrong with a page that can be seen without a browser, the validator's findings left out."""
    page = PageReader()
    page.feed(html)
    faults = [*page.faults]
    if page.language != language:
        faults.append(f"lang is {page.language!r}, not {language!r}")
    if page.direction != ("rtl" if language == "ar" else "ltr"):
        faults.append(f"dir is {page.direction!r}")
    if len(page.title.strip()) < 8:
        faults.append(f"the title says little: {page.title!r}")
    faults += [f"the id {name!r} is used twice" for name in {n for n in page.ids if page.ids.count(n) > 1}]
    faults += [f"{kind} names no element: {name!r}" for kind, name in page.references if name not in page.ids]
    faults += [
        f"no label for {name!r}" for name, ok in page.controls if not ok and name not in page.labels_for
    ]
    return faults + heading_faults(page.headings) + typography_faults(page.french)


def heading_faults(levels: list[int]) -> list[str]:
    """One first heading, and no level left out on the way down."""
    faults = [] if levels.count(1) == 1 else [f"{levels.count(1)} first headings"]
    jumps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    return faults + [f"heading {b} right after heading {a}" for a, b in jumps]


def typography_faults(texts: list[str]) -> list[str]:
    """French texts that a printer would not have set so."""
    return [
        f"{what}: {text!r}"
        for text in texts
        for what, pattern in FRENCH_FAULTS.items()
        if pattern.search(text)
    ]


def validator_faults(pages: dict[str, str]) -> list[str]:
    """What html-validate says of these pages."""
    found: list[str] = html_validator(json.dumps({"root": True, **RULES})).ask(pages)
    return found


def assert_good_page(html: str, *, language: str = "fr") -> None:
    """The page satisfies everything that every page must."""
    assert_good_pages({"page": (html, language)})


def assert_good_pages(pages: dict[str, tuple[str, str]]) -> None:
    """The same for many pages, ``{name: (html, language)}``."""
    faults = [
        f"{name}: {fault}"
        for name, (html, language) in pages.items()
        for fault in faults_of(html, language=language)
    ]
    faults += validator_faults({name: html for name, (html, _language) in pages.items()})
    assert not faults, "\n".join(faults[:30])
