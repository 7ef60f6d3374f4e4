"""Conditions as written in YAML → their JSON form, with where each item and option is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from form_definitions.conditions import OPERATORS, Condition
from form_definitions.errors import Report, listed, nearest
from form_definitions.reading import INVALID, Invalid, JsonSchema, Name, Reader
from form_definitions.structures import ListOf
from form_definitions.yaml_source import ListNode, MapNode, Node


class Reference(NamedTuple):
    """A condition names this item, and perhaps this option of it, here."""

    item: str
    item_node: Node
    option: str | None = None
    option_node: Node | None = None


class ReadCondition(NamedTuple):
    """A well-formed condition. Whether its names exist is for the questionnaire to say."""

    condition: Condition
    references: tuple[Reference, ...]


_Read = Callable[[Node, Report], ReadCondition | Invalid]


class ConditionReader(Reader):
    """Reads one condition. The depth of the source bounds how deep conditions nest."""

    _name = Name()
    _names = ListOf(Name())

    def read(self, node: Node, report: Report) -> ReadCondition | Invalid:
        """A ReadCondition."""
        if not isinstance(node, MapNode):
            return _malformed("ce n’est pas « {{opérateur: …}} »", node, report)
        if len(node.entries) != 1:
            return _malformed("il faut exactement un opérateur", node, report)
        ((operator, (key, operand)),) = node.entries.items()
        if operator not in OPERATORS:
            suggestion = nearest(operator, OPERATORS)
            report.add(
                "condition_unknown_operator",
                key.line,
                key.column,
                suggestion,
                value=operator,
                words=listed(OPERATORS),
            )
            return INVALID
        read: _Read = getattr(self, f"_read_{operator}")
        return read(operand, report)

    def _read_answered(self, node: Node, report: Report) -> ReadCondition | Invalid:
        item = self._name.read(node, report)
        if isinstance(item, Invalid):
            return INVALID
        return ReadCondition({"answered": item}, (Reference(item, node),))

    def _read_is(self, node: Node, report: Report) -> ReadCondition | Invalid:
        pair = self._pair(node, report, "[question, modalité]")
        if isinstance(pair, Invalid):
            return INVALID
        (item, item_node), option_node = pair
        option = self._name.read(option_node, report)
        if isinstance(option, Invalid):
            return INVALID
        return ReadCondition({"is": [item, option]}, (Reference(item, item_node, option, option_node),))

    def _read_any_of(self, node: Node, report: Report) -> ReadCondition | Invalid:
        pair = self._pair(node, report, "[question, [modalité, …]]")
        if isinstance(pair, Invalid):
            return INVALID
        (item, item_node), list_node = pair
        options = self._names.read(list_node, report)
        if options is INVALID or not isinstance(list_node, ListNode) or len(options) < len(list_node.items):
            return INVALID
        references = zip(options, list_node.items, strict=True)
        return ReadCondition(
            {"any_of": [item, list(options)]},
            tuple(Reference(item, item_node, option, where) for option, where in references),
        )

    def _pair(self, node: Node, report: Report, form: str) -> tuple[tuple[str, Node], Node] | Invalid:
        if not isinstance(node, ListNode) or len(node.items) != 2:  # noqa: PLR2004 - a pair
            return _malformed(f"{form} est attendu ici", node, report)
        item: str | Invalid = self._name.read(node.items[0], report)
        return INVALID if isinstance(item, Invalid) else ((item, node.items[0]), node.items[1])

    def _read_all(self, node: Node, report: Report) -> ReadCondition | Invalid:
        return self._several("all", node, report)

    def _read_any(self, node: Node, report: Report) -> ReadCondition | Invalid:
        return self._several("any", node, report)

    def _several(self, operator: str, node: Node, report: Report) -> ReadCondition | Invalid:
        if not isinstance(node, ListNode):
            return _malformed("une liste de conditions est attendue ici", node, report)
        read = [self.read(part, report) for part in node.items]
        parts = [part for part in read if isinstance(part, ReadCondition)]
        if len(parts) < len(read):
            return INVALID
        references = tuple(reference for part in parts for reference in part.references)
        return ReadCondition({operator: [part.condition for part in parts]}, references)

    def _read_not(self, node: Node, report: Report) -> ReadCondition | Invalid:
        part = self.read(node, report)
        if isinstance(part, Invalid):
            return INVALID
        return ReadCondition({"not": part.condition}, part.references)

    def schema(self) -> JsonSchema:
        """A reference: conditions nest."""
        return {"$ref": "#/$defs/condition"}


def _malformed(problem: str, node: Node, report: Report) -> Invalid:
    if type(node) is not Node:
        report.add("condition_form", node.line, node.column, problem=problem)
    return INVALID


def condition_schema() -> JsonSchema:
    """The definition that ``#/$defs/condition`` refers to."""
    name, nested = Name().schema(), {"$ref": "#/$defs/condition"}
    operands: dict[str, JsonSchema] = {
        "answered": name,
        "is": {"type": "array", "prefixItems": [name, name], "minItems": 2, "maxItems": 2},
        "any_of": {
            "type": "array",
            "prefixItems": [name, ListOf(Name()).schema()],
            "minItems": 2,
            "maxItems": 2,
        },
        "all": {"type": "array", "items": nested},
        "any": {"type": "array", "items": nested},
        "not": nested,
    }
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "properties": operands,
        "additionalProperties": False,
    }
