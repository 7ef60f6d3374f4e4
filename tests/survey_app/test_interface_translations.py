"""Every sentence of the public pages exists in every language. Staff pages are in French only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

import survey_app
from form_definitions import LANGUAGES, SOURCE_LANGUAGE
from survey_app.error_pages import MESSAGES
from survey_app.forms import client_messages
from survey_app.open_waves import SITE_HELP, SITE_LABEL, SITE_TITLE

FOLDER = Path(survey_app.__file__).parent
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "translate": (2,), "translate_plural": (2, 3)}
NOT_PUBLIC = {"staff", "commands", "client", "exports", "preview", "entry.html"}
LANGUAGES_TO_WRITE = [code for code in LANGUAGES if code != SOURCE_LANGUAGE]

Message = str | tuple[str, str]


def public_files(pattern: str) -> Iterator[Path]:
    """Files whose sentences a respondent may read."""
    for path in sorted(FOLDER.glob(pattern)):
        if not NOT_PUBLIC & set(path.relative_to(FOLDER).parts):
            yield path


def messages_in(path: Path, method: str) -> Iterator[Message]:
    """The literal sentences that a file hands to gettext; (one, many) for those with a plural."""
    for _line, message, _comments, _context in extract_from_file(method, path, keywords=KEYWORDS):
        yield message if isinstance(message, str) else (message[0], message[1])


@lru_cache
def public_messages() -> frozenset[Message]:
    """Everything the public pages say themselves (the questionnaires have translations of their own)."""
    found: set[Message] = {*client_messages().values()}
    found |= {text for pair in MESSAGES.values() for text in pair}
    found |= {SITE_TITLE, SITE_LABEL, SITE_HELP}
    for path in public_files("templates/**/*.html"):
        found |= set(messages_in(path, "jinja2.ext:babel_extract"))
    for path in public_files("**/*.py"):
        found |= set(messages_in(path, "python"))
    return frozenset(found - {""})


def catalogue(language: str) -> Catalog:
    with (FOLDER / "translations" / f"{language}.po").open("rb") as stream:
        return read_po(stream, locale=language)


def entries(language: str) -> dict[Message, tuple[str, ...]]:
    """Sentence → its translation in all its forms, empty forms left out."""
    known: dict[Message, tuple[str, ...]] = {}
    for message in catalogue(language):
        if message.id:
            source = message.id if isinstance(message.id, str) else (message.id[0], message.id[1])
            texts = (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
            known[source] = () if message.fuzzy or not all(texts) else texts
    return known


def parameters(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", text))


def letters(message: Message) -> str:
    """What is left of a sentence without its parameters and its punctuation."""
    text = message if isinstance(message, str) else message[0]
    return re.sub(r"\{\w*\}|\W", "", text)


def test_the_search_finds_the_sentences_of_templates_code_and_messages() -> None:
    found = public_messages()
    assert "Suivant" in found
    assert ("{count} minute", "{count} minutes") in found
    assert "Page introuvable" in found
    assert len(found) > 60


@pytest.mark.parametrize("language", LANGUAGES_TO_WRITE)
def test_every_public_sentence_is_translated(language: str) -> None:
    known = entries(language)
    assert sorted((m for m in public_messages() if not known.get(m)), key=str) == []


@pytest.mark.parametrize("language", LANGUAGES_TO_WRITE)
def test_no_translation_outlives_its_sentence(language: str) -> None:
    assert sorted((m for m in entries(language) if m not in public_messages()), key=str) == []


@pytest.mark.parametrize("language", LANGUAGES_TO_WRITE)
def test_a_translation_has_every_plural_form_of_its_language(language: str) -> None:
    expected = catalogue(language).num_plurals
    plurals = {m: texts for m, texts in entries(language).items() if isinstance(m, tuple)}
    assert plurals
    assert {m: len(texts) for m, texts in plurals.items() if len(texts) != expected} == {}


@pytest.mark.parametrize("language", LANGUAGES_TO_WRITE)
def test_a_translation_names_no_parameter_that_the_sentence_does_not_have(language: str) -> None:
    for message, texts in entries(language).items():
        if isinstance(message, str):
            assert [parameters(text) for text in texts] == [parameters(message)], message
        else:
            assert all(parameters(text) <= parameters(message[1]) for text in texts), message


def test_arabic_is_written_in_arabic() -> None:
    for message, texts in entries("ar").items():
        assert all(re.search(r"[\u0621-\u064a]", text) for text in texts) or not letters(message), message
        assert not any(re.search(r"[?,;]", text) for text in texts), message


def test_the_french_of_the_public_pages_is_set_as_a_printer_would_set_it() -> None:
    sources = [text for m in public_messages() for text in ([m] if isinstance(m, str) else m)]
    wrong = re.compile(r"['\"]|\.\.\.|(?<!\u202f)[;!?%]|«(?!\u202f)|(?<!\u202f)»|(?<!\u00a0):")
    assert sorted(text for text in sources if wrong.search(text)) == []


def test_the_french_of_the_public_pages_is_short() -> None:
    sources = [text for m in public_messages() for text in ([m] if isinstance(m, str) else m)]
    sentences = [part for text in sources for part in re.split(r"[.!?:]\s", text)]
    assert [part for part in sentences if len(part.split()) >= 20] == []
