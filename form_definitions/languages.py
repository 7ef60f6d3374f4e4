"""The languages a questionnaire can be read in, under their own names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

SOURCE_LANGUAGE = "fr"
"""The language of the texts in the YAML."""


class Language(NamedTuple):
    """A language as its readers call it and write it."""

    code: str
    own_name: str
    direction: Literal["ltr", "rtl"]


LANGUAGES: Mapping[str, Language] = {
    language.code: language
    for language in (
        Language("fr", "Français", "ltr"),
        Language("en", "English", "ltr"),
        Language("ar", "العربية", "rtl"),
    )
}
"""One entry per language. A new language is an entry here and its .po files."""
