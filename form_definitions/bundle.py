"""A questionnaire as canonical JSON and its digest: what is published, held by the tablet, archived.

RFC 8785, restricted to what a questionnaire holds: NFC texts, whole numbers, no floats, keys in order.
Absent and default values are left out, so that a key added to the language later does not rename what is
published already. A default therefore never changes; the digests in ``tests/conformance/digests.json`` would.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from pydantic import ValidationError

from form_definitions.errors import DefinitionError, Place, fault
from form_definitions.model import Item, Questionnaire

Translations = Mapping[str, Mapping[str, str]]
"""Language → French source text → text in that language."""


def canonical_bytes(value: object) -> bytes:
    """RFC 8785 JSON of texts, whole numbers, truth values, lists and mappings with ASCII keys.

    Raises ValueError for a float and for a text that is not NFC or not Unicode.
    """
    _require_canonical(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _require_canonical(value: object) -> None:
    if isinstance(value, str):
        if not unicodedata.is_normalized("NFC", value):
            raise ValueError(f"not in Unicode normalisation form C: {value!r}")
    elif isinstance(value, dict):
        for key, member in value.items():
            _require_canonical(key)
            _require_canonical(member)
    elif isinstance(value, list | tuple):
        for member in value:
            _require_canonical(member)
    elif value is not None and not isinstance(value, int):
        raise ValueError(f"no canonical form: {value!r}")


def canonical_json(questionnaire: Questionnaire) -> bytes:
    """The one spelling of a questionnaire. Equal questionnaires give equal bytes, others others."""
    return canonical_bytes(questionnaire.model_dump(mode="json", exclude_defaults=True))


def from_canonical(canonical: bytes) -> Questionnaire:
    """The questionnaire that these bytes spell.

    Raises DefinitionError when they are not the canonical JSON of a questionnaire, so that a stored digest
    and what is read from the store can never differ silently.
    """
    try:
        questionnaire = Questionnaire.model_validate_json(canonical)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]["msg"]
        raise DefinitionError([fault("not_canonical", Place("canonical.json"), problem=problem)]) from error
    if canonical_json(questionnaire) != canonical:
        problem = "l’écriture n’est pas l’écriture canonique"
        raise DefinitionError([fault("not_canonical", Place("canonical.json"), problem=problem)])
    return questionnaire


def questionnaire_digest(questionnaire: Questionnaire) -> str:
    """SHA-256 of the canonical JSON, 64 hexadecimal digits: the name of a published questionnaire."""
    return hashlib.sha256(canonical_json(questionnaire)).hexdigest()


def bundle_digest(
    questionnaire: Questionnaire, translations: Translations, assets: Mapping[str, bytes] | None = None
) -> str:
    """The name of all that a tablet shows: the questionnaire, its translations, and rendered pages and files.

    A corrected translation changes this digest and not the questionnaire's.
    """
    used = set(texts_of(questionnaire))
    described = {
        "questionnaire": questionnaire_digest(questionnaire),
        "translations": {
            language: sorted([source, text] for source, text in messages.items() if source in used)
            for language, messages in translations.items()
        },
        "assets": {
            name: hashlib.sha256(content).hexdigest() for name, content in sorted((assets or {}).items())
        },
    }
    return hashlib.sha256(canonical_bytes(described)).hexdigest()


def texts_of(questionnaire: Questionnaire) -> Iterator[str]:
    """Every French text a respondent can see, in reading order; repeated texts repeated."""
    yield from _present(questionnaire.title, questionnaire.description)
    for section in questionnaire.sections:
        yield from _present(section.title, section.introduction)
        for block in section.blocks:
            if isinstance(block, Item):
                yield from _item_texts(block)
            else:
                yield from _present(block.label, block.help)
                for row in block.items:
                    yield from _item_texts(row)


def _item_texts(item: Item) -> Iterator[str]:
    yield from _present(item.label, item.help, item.unit)
    for option in item.options:
        yield from _present(option.label, option.specify)


def _present(*texts: str | None) -> Iterable[str]:
    return (text for text in texts if text)
