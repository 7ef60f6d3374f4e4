"""What is asked: declarative questionnaires, without web, database or clock."""

from form_definitions.answers import check_answers, item_faults, soft_warnings, specify_key
from form_definitions.bundle import (
    Translations,
    bundle_digest,
    canonical_json,
    from_canonical,
    questionnaire_digest,
    texts_of,
)
from form_definitions.changes import Change, explain_changes
from form_definitions.checking import check_files
from form_definitions.conditions import holds
from form_definitions.errors import DefinitionError, Fault
from form_definitions.frameworks import Framework, FrameworkCommitment, FrameworkModule
from form_definitions.languages import LANGUAGES, SOURCE_LANGUAGE, Language
from form_definitions.library import Library, load_framework, load_library, load_organisation
from form_definitions.loader import CheckedSource, check_file, check_source, load_questionnaire
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
from form_definitions.organisation import Organisation, Service, Site
from form_definitions.question_types import (
    QUESTION_TYPES,
    SPECIFY_MAXIMUM_LENGTH,
    AnswerFault,
    QuestionType,
)
from form_definitions.routing import RoutingContext, relevant_items, split_by_path
from form_definitions.translations import (
    Localised,
    by_typography,
    load_translations,
    localise,
    translation_faults,
)

__all__ = [
    "LANGUAGES",
    "QUESTION_TYPES",
    "SOURCE_LANGUAGE",
    "SPECIFY_MAXIMUM_LENGTH",
    "AnswerFault",
    "Change",
    "CheckedSource",
    "CollectionMode",
    "Commitment",
    "DefinitionError",
    "Fault",
    "Framework",
    "FrameworkCommitment",
    "FrameworkModule",
    "Grid",
    "Item",
    "Language",
    "Library",
    "Localised",
    "Organisation",
    "QuestionType",
    "Questionnaire",
    "RateRule",
    "ResponseOption",
    "RoutingContext",
    "Section",
    "Service",
    "Site",
    "Translations",
    "bundle_digest",
    "by_typography",
    "canonical_json",
    "check_answers",
    "check_file",
    "check_files",
    "check_source",
    "explain_changes",
    "from_canonical",
    "holds",
    "item_faults",
    "load_framework",
    "load_library",
    "load_organisation",
    "load_questionnaire",
    "load_translations",
    "localise",
    "questionnaire_digest",
    "relevant_items",
    "soft_warnings",
    "specify_key",
    "split_by_path",
    "texts_of",
    "translation_faults",
]
