"""The keys of the questionnaire language: what may be written where. README.md shows it by example."""

from __future__ import annotations

from typing import Any, get_args

from form_definitions.condition_reading import ConditionReader
from form_definitions.errors import Report
from form_definitions.model import (
    Audience,
    CollectionMode,
    CommitmentRule,
    OptionRole,
    PartialPolicy,
    Polarity,
    Requirement,
)
from form_definitions.question_types import MAXIMUM_NUMBER, QUESTION_TYPES
from form_definitions.reading import INVALID, JsonSchema, Name, OneOf, Reader, Text, TrueOrFalse, WholeNumber
from form_definitions.structures import Key, ListOf, MapOf, RecordOf
from form_definitions.yaml_source import MapNode, Node

_NAME = Name()
_TEXT = Text()

OPTION = RecordOf(
    "une modalité",
    {
        "option": Key(_NAME, "code de la modalité, jamais réutilisé avec un autre sens", required=True),
        "label": Key(_TEXT, "texte montré", required=True),
        "role": Key(
            OneOf(get_args(OptionRole)), "not_applicable et no_opinion ne comptent pas dans la base du taux"
        ),
        "specify": Key(_TEXT, "libellé du texte libre qui accompagne la modalité (« Précisez »)"),
        "exclusive": Key(TrueOrFalse(), "choix multiple : ne va avec aucune autre modalité"),
        "face": Key(WholeNumber(1, 5), "visage dessiné, de 1 (très mécontent) à 5 (très content)"),
    },
)
OPTIONS = ListOf(OPTION, minimum=2)

SCALE = RecordOf(
    "une échelle",
    {
        "favourable": Key(ListOf(_NAME), "modalités qui comptent comme satisfaites"),
        "options": Key(OPTIONS, "modalités, dans l’ordre montré", required=True),
    },
)
SCALES = MapOf(SCALE, "La liste des échelles")

RATE = RecordOf(
    "une règle de taux",
    {
        "favourable": Key(ListOf(_NAME), "modalités favorables", required=True),
        "excluded": Key(ListOf(_NAME, minimum=0), "modalités hors de la base, en plus des absences"),
        "polarity": Key(OneOf(get_args(Polarity)), "negative : être d’accord avec la phrase est défavorable"),
    },
)

_ROUTING = {
    "relevant_if": Key(ConditionReader(), "posée seulement si la condition est vraie"),
    "sites": Key(ListOf(_NAME), "posée seulement sur ces sites"),
    "modes": Key(
        ListOf(OneOf(get_args(CollectionMode), "unknown_mode")), "posée seulement dans ces modes de recueil"
    ),
}
_WORDS = {
    "label": Key(_TEXT, "texte de la question", required=True),
    "help": Key(_TEXT, "aide, montrée sous le texte"),
}
_MEASURE = {
    "requirement": Key(
        OneOf(get_args(Requirement)), "required : obligatoire ; advised : conseillée ; optional : facultative"
    ),
    "commitment": Key(_NAME, "engagement que la question mesure"),
    "rate": Key(RATE, "règle du taux, si ce n’est pas celle de l’échelle"),
}

_NUMBER = WholeNumber(-MAXIMUM_NUMBER, MAXIMUM_NUMBER)
TYPE_KEYS = {
    "options": Key(OPTIONS, "modalités, dans l’ordre montré"),
    "scale": Key(_NAME, "échelle partagée"),
    "minimum": Key(_NUMBER, "plus petite valeur admise"),
    "maximum": Key(_NUMBER, "plus grande valeur admise"),
    "unit": Key(_TEXT, "unité, montrée après le nombre"),
    "maximum_length": Key(WholeNumber(1, 10_000), "nombre de caractères au plus"),
}
"""Keys that only some question types take: each type says which in its ``keys``."""

LIMITS = tuple(key for key in TYPE_KEYS if key not in ("options", "scale", "unit"))
"""The keys that bound an answer: a check needs them wherever it is made, in the browser too."""

ANSWERED_TYPES = tuple(name for name, question_type in QUESTION_TYPES.items() if question_type.takes_answer)

ITEM = RecordOf(
    "une question",
    {
        "item": Key(_NAME, "code de la question, jamais réutilisé avec un autre sens", required=True),
        "type": Key(OneOf(ANSWERED_TYPES, "unknown_type"), "type de question", required=True),
    }
    | _WORDS
    | TYPE_KEYS
    | _MEASURE
    | _ROUTING,
)
ROW = RecordOf(
    "une ligne de grille",
    {"item": Key(_NAME, "code de la question, jamais réutilisé avec un autre sens", required=True)}
    | _WORDS
    | _MEASURE
    | _ROUTING,
)
GRID = RecordOf(
    "une grille",
    {
        "grid": Key(_NAME, "code de la grille", required=True),
        "scale": Key(_NAME, "échelle de toutes les lignes", required=True),
        "rows": Key(ListOf(ROW), "une question par ligne", required=True),
        "requirement": _MEASURE["requirement"],
    }
    | _WORDS
    | _ROUTING,
)
NOTE = RecordOf("une note", {"note": Key(_NAME, "code de la note", required=True)} | _WORDS | _ROUTING)
BLOCKS = {"item": ITEM, "grid": GRID, "note": NOTE}


class Block(Reader):
    """A question, a grid or a note: told apart by their first key."""

    def read(self, node: Node, report: Report) -> Any:
        """The Record of the block."""
        if isinstance(node, MapNode):
            for key, reader in BLOCKS.items():
                if key in node.entries:
                    return reader.read(node, report)
        if type(node) is not Node:
            report.add("unknown_block", node.line, node.column)
        return INVALID

    def schema(self) -> JsonSchema:
        """One of the three; a question takes the keys of its type only."""
        questions = [_question_schema(name) for name in ANSWERED_TYPES]
        return {"oneOf": [*questions, GRID.schema(), NOTE.schema()]}


def _question_schema(type_name: str) -> JsonSchema:
    schema = ITEM.schema()
    foreign = TYPE_KEYS.keys() - QUESTION_TYPES[type_name].keys
    properties = {name: part for name, part in schema["properties"].items() if name not in foreign}
    properties["type"] = {"const": type_name, "description": QUESTION_TYPES[type_name].description}
    return schema | {"properties": properties}


SECTION = RecordOf(
    "une rubrique",
    {
        "section": Key(_NAME, "code de la rubrique", required=True),
        "title": Key(_TEXT, "titre montré", required=True),
        "introduction": Key(_TEXT, "phrase sous le titre"),
        "questions": Key(ListOf(Block()), "questions, grilles et notes, dans l’ordre", required=True),
    }
    | _ROUTING,
)

QUESTIONNAIRE = RecordOf(
    "un questionnaire",
    {
        "questionnaire": Key(_NAME, "nom court, dans l’adresse de la page", required=True),
        "title": Key(_TEXT, "titre montré", required=True),
        "description": Key(_TEXT, "phrase sous le titre"),
        "audience": Key(OneOf(get_args(Audience)), "à qui il s’adresse"),
        "framework": Key(_NAME, "référentiel, du dossier frameworks", required=True),
        "estimated_minutes": Key(WholeNumber(1, 60), "durée annoncée, en minutes", required=True),
        "partial_policy": Key(
            OneOf(get_args(PartialPolicy)), "keep : garder un questionnaire commencé ; discard : l’écarter"
        ),
        "modes": Key(
            ListOf(OneOf(get_args(CollectionMode), "unknown_mode")), "modes de recueil", required=True
        ),
        "sites": Key(ListOf(_NAME), "sites de organisation.yaml", required=True),
        "scales": Key(SCALES, "échelles propres à ce questionnaire"),
        "commitments": Key(ListOf(_NAME), "engagements que ce questionnaire promet de mesurer"),
        "commitment_rules": Key(
            MapOf(OneOf(get_args(CommitmentRule)), "La liste des règles d’engagement"),
            "pooled (par défaut) : réponses réunies ; every_item : chaque question doit atteindre le seuil",
        ),
        "sections": Key(ListOf(SECTION), "rubriques, dans l’ordre", required=True),
    },
)
