"""What is asked: declarative questionnaires, without web, database or clock."""

from form_definitions.answers import check_answers, item_faults, parse_answers, soft_warnings, specify_key
from form_definitions.bundle import (
    Translations,
    bundle_digest,
    canonical_json,
    from_canonical,
    questionnaire_digest,
    texts_of,
)
from form_definitions.conditions import holds
from form_definitions.errors import DefinitionError, Fault
from form_definitions.languages import LANGUAGES, SOURCE_LANGUAGE, Language
from form_definitions.model import (
    CollectionMode,
    Commitment,
    Grid,
    Item,
    Questionnaire,
    RateRule,
    ResponseOption,
    Section,
)
from form_definitions.question_types import (
    QUESTION_TYPES,
    SPECIFY_MAXIMUM_LENGTH,
    AnswerFault,
    QuestionType,
)
from form_definitions.routing import RoutingContext, relevant_items, split_by_path

__all__ = [
    "LANGUAGES",
    "QUESTION_TYPES",
    "SOURCE_LANGUAGE",
    "SPECIFY_MAXIMUM_LENGTH",
    "AnswerFault",
    "CollectionMode",
    "Commitment",
    "DefinitionError",
    "Fault",
    "Grid",
    "Item",
    "Language",
    "QuestionType",
    "Questionnaire",
    "RateRule",
    "ResponseOption",
    "RoutingContext",
    "Section",
    "Translations",
    "bundle_digest",
    "canonical_json",
    "check_answers",
    "from_canonical",
    "holds",
    "item_faults",
    "parse_answers",
    "questionnaire_digest",
    "relevant_items",
    "soft_warnings",
    "specify_key",
    "split_by_path",
    "texts_of",
]
