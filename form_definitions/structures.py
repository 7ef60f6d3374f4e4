"""Nodes → lists and mappings of typed values; whatever a mapping holds, it knows where each value stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from form_definitions.errors import Report, listed, nearest
from form_definitions.reading import INVALID, NAME_PATTERN, JsonSchema, Name, OneOf, Reader, refused
from form_definitions.yaml_source import ListNode, MapNode, Node, TextNode


class ListOf(Reader):
    """A list of values of one kind."""

    def __init__(self, member: Reader, minimum: int = 1) -> None:
        self._member, self._minimum = member, minimum
        self._distinct = isinstance(member, Name | OneOf)

    def read(self, node: Node, report: Report) -> Any:
        """A tuple of the valid members. Members of words are distinct."""
        if not isinstance(node, ListNode):
            return refused("not_a_list", node, report)
        if len(node.items) < self._minimum:
            report.add("list_too_short", node.line, node.column, minimum=self._minimum)
        read = self._member.read
        values = [(value, item) for item in node.items if (value := read(item, report)) is not INVALID]
        if self._distinct:
            self._report_repeated(values, report)
        return tuple(value for value, _ in values)

    @staticmethod
    def _report_repeated(values: list[tuple[Any, Node]], report: Report) -> None:
        seen: set[str] = set()
        for value, node in values:
            if value in seen:
                report.add("repeated_in_list", node.line, node.column, value=value)
            seen.add(value)

    def schema(self) -> JsonSchema:
        """An array."""
        distinct = {"uniqueItems": True} if self._distinct else {}
        return {"type": "array", "minItems": self._minimum, "items": self._member.schema()} | distinct


class Key(NamedTuple):
    """How one key of a mapping is read."""

    reader: Reader
    description: str
    required: bool = False


class Record:
    """A mapping that was read: its values, and where each stands."""

    __slots__ = ("_nodes", "node", "values")

    def __init__(self, node: MapNode) -> None:
        self.node = node
        self.values: dict[str, Any] = {}
        self._nodes = node.entries

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key, or the default when it is absent or was refused."""
        return self.values.get(key, default)

    def wrote(self, key: str) -> bool:
        """Whether the author wrote this key, rightly or not."""
        return key in self._nodes

    def where(self, key: str) -> Node:
        """Where the value of a key stands (or the mapping itself)."""
        return self._nodes[key][1] if key in self._nodes else self.node

    def where_in(self, key: str, position: int) -> Node:
        """Where one element of a list stands."""
        node = self.where(key)
        return node.items[position] if isinstance(node, ListNode) else node


def take_name(record: Record, key: str, lines: dict[str, int], report: Report) -> None:
    """Note in ``lines`` where a name is taken, or the fault that it is taken already."""
    name, node = record.get(key), record.where(key)
    if name in lines:
        report.add("duplicate_name", node.line, node.column, name=name, first_line=lines[name])
    elif name is not None:
        lines[name] = node.line


class RecordOf(Reader):
    """A mapping with known keys."""

    def __init__(self, what: str, keys: Mapping[str, Key]) -> None:
        self.what, self.keys = what, keys
        self._required = tuple(name for name, key in keys.items() if key.required)

    def read(self, node: Node, report: Report) -> Any:
        """A Record of the keys that were read without fault."""
        if not isinstance(node, MapNode):
            return refused("not_a_map", node, report, what=self.what[:1].upper() + self.what[1:])
        record, keys = Record(node), self.keys
        for name, (key_node, value_node) in node.entries.items():
            key = keys.get(name)
            if key is None:
                self._report_unknown(key_node, report)
            elif (value := key.reader.read(value_node, report)) is not INVALID:
                record.values[name] = value
        for name in self._required:
            if name not in node.entries:
                report.add("missing_key", node.line, node.column, key=name, what=self.what)
        return record

    def _report_unknown(self, key: TextNode, report: Report) -> None:
        suggestion = nearest(key.value, self.keys)
        report.add(
            "unknown_key",
            key.line,
            key.column,
            suggestion,
            key=key.value,
            what=self.what,
            words=listed(self.keys),
        )

    def schema(self) -> JsonSchema:
        """An object."""
        properties = {
            name: key.reader.schema() | {"description": key.description} for name, key in self.keys.items()
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(self._required),
            "additionalProperties": False,
        }


class MapOf(Reader):
    """A mapping from codes that the author chooses to values of one kind."""

    def __init__(self, member: Reader, what: str) -> None:
        self._member, self._what, self._name = member, what, Name()

    def read(self, node: Node, report: Report) -> Any:
        """A dict from code to (value, where the code stands)."""
        if not isinstance(node, MapNode):
            return refused("not_a_map", node, report, what=self._what)
        values: dict[str, tuple[Any, Node]] = {}
        for key_node, value_node in node.entries.values():
            name = self._name.read(key_node, report)
            value = self._member.read(value_node, report)
            if name is not INVALID and value is not INVALID:
                values[name] = (value, key_node)
        return values

    def schema(self) -> JsonSchema:
        """An object with patterned keys."""
        return {
            "type": "object",
            "patternProperties": {NAME_PATTERN: self._member.schema()},
            "additionalProperties": False,
        }
