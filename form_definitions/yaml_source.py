"""YAML text → nodes that know their line and column, every scalar still text.

No object is ever constructed by YAML itself: ``no`` stays the text "no", and the reader of each key decides
what the text means. Built from parser events in one loop, so neither depth nor size can exhaust anything.
"""

# ruff: noqa: E501 - one cause per line

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from form_definitions.errors import Report

MAXIMUM_BYTES = 256 * 1024
MAXIMUM_NODES = 20_000
MAXIMUM_DEPTH = 12


class Node:
    """A place in the source. A bare Node stands for something refused and already reported."""

    __slots__ = ("column", "line")

    def __init__(self, event: Any) -> None:
        mark = event.start_mark
        self.line: int = mark.line + 1
        self.column: int = mark.column + 1


class TextNode(Node):
    """A scalar, as text. ``quoted`` tells ``"null"`` from ``null``."""

    __slots__ = ("quoted", "value")

    def __init__(self, event: Any) -> None:
        super().__init__(event)
        self.value: str = event.value
        self.quoted: bool = not event.implicit[0]


class ListNode(Node):
    """A sequence."""

    __slots__ = ("items",)

    def __init__(self, event: Any) -> None:
        super().__init__(event)
        self.items: list[Node] = []

    def add(self, node: Node, _report: Report) -> None:
        """The next element."""
        self.items.append(node)


class MapNode(Node):
    """A mapping with text keys. Refuses duplicate keys."""

    __slots__ = ("_pending", "_waits_for_value", "entries")

    def __init__(self, event: Any) -> None:
        super().__init__(event)
        self.entries: dict[str, tuple[TextNode, Node]] = {}
        self._pending: Node | None = None
        self._waits_for_value = False

    def add(self, node: Node, report: Report) -> None:
        """The next key or the value of the last key."""
        if not self._waits_for_value:
            self._pending, self._waits_for_value = node, True
            return
        key, self._pending, self._waits_for_value = self._pending, None, False
        if isinstance(key, TextNode):
            self._enter(key, node, report)
        elif isinstance(key, ListNode | MapNode):
            report.add("key_not_text", key.line, key.column)

    def _enter(self, key: TextNode, node: Node, report: Report) -> None:
        first = self.entries.setdefault(key.value, (key, node))[0]
        if first is not key:
            report.add("duplicate_key", key.line, key.column, key=key.value, first_line=first.line)


class _RefusedError(Exception):
    """The source goes beyond a limit: nothing after this point is read."""


def read_yaml(text: str, report: Report) -> Node | None:
    """The only document of the text, or None when it cannot be read at all (the report says why)."""
    if not _is_readable(text, report):
        return None
    try:
        return _compose(yaml.parse(text, Loader=yaml.CSafeLoader), report)
    except yaml.YAMLError as error:
        _report_syntax(error, text, report)
    except _RefusedError:
        pass
    return None


def _is_readable(text: str, report: Report) -> bool:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        report.add("not_utf8", 1, 1)
        return False
    if size > MAXIMUM_BYTES:
        report.add("too_big", 1, 1, limit=MAXIMUM_BYTES // 1024)
        return False
    return True


def _compose(events: Iterator[Any], report: Report) -> Node | None:
    root: Node | None = None
    open_nodes: list[ListNode | MapNode] = []
    count = 0
    for event in events:
        kind = type(event)
        if kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            open_nodes.pop()
        elif (node_class := _NODE_CLASSES.get(kind)) is not None:
            count += 1
            node = node_class(event)
            _check_limits(node, event, count, report)
            if open_nodes:
                open_nodes[-1].add(node, report)
            root = root or node
            if isinstance(node, ListNode | MapNode):
                open_nodes.append(node)
                _check_depth(node, len(open_nodes), report)
        elif kind is yaml.DocumentStartEvent and root is not None:
            report.add("several_documents", event.start_mark.line + 1, 1)
            raise _RefusedError
    if root is None:
        report.add("empty_file", 1, 1)
    return root


_NODE_CLASSES: dict[type, type[Node]] = {
    yaml.ScalarEvent: TextNode,
    yaml.SequenceStartEvent: ListNode,
    yaml.MappingStartEvent: MapNode,
    yaml.AliasEvent: Node,
}


def _check_limits(node: Node, event: Any, count: int, report: Report) -> None:
    if event.anchor is not None:
        report.add("alias", node.line, node.column)
    elif event.tag is not None:
        report.add("tag", node.line, node.column)
    if count > MAXIMUM_NODES:
        report.add("too_many_nodes", node.line, node.column, limit=MAXIMUM_NODES)
        raise _RefusedError


def _check_depth(node: Node, depth: int, report: Report) -> None:
    if depth > MAXIMUM_DEPTH:
        report.add("too_deep", node.line, node.column, limit=MAXIMUM_DEPTH)
        raise _RefusedError


_SYNTAX = (
    ("mapping values are not allowed", "un « : » est mal placé", "Mettez entre guillemets un texte qui contient « : »."),
    ("found character that cannot start", "un caractère ne peut pas commencer un texte", "Remplacez les tabulations par des espaces ; mettez le texte entre guillemets."),
    ("unexpected end of stream", "un guillemet ou un crochet n’est pas refermé", "Refermez-le."),
    ("did not find expected key", "le retrait ou un guillemet ne convient pas", "Alignez cette ligne avec ses voisines ; mettez entre guillemets un texte qui contient « : », « ' » ou « \" »."),
    ("did not find expected '-' indicator", "le retrait de la liste ne convient pas", "Alignez les tirets."),
    ("could not find expected ':'", "il manque un « : »", "Écrivez « clé: valeur »."),
    ("did not find expected ',' or", "une virgule ou un crochet manque", "Vérifiez les virgules et refermez les crochets et les accolades."),
    ("control characters are not allowed", "un caractère invisible est interdit", "Effacez-le."),
)  # fmt: skip


def _report_syntax(error: yaml.YAMLError, text: str, report: Report) -> None:
    mark = getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else _place_of_character(error, text)
    if _is_indented_by_tabs(text, line):
        advice = "Remplacez-la par des espaces, deux par degré de retrait."
        report.add("yaml_syntax", line, column, problem="une tabulation commence la ligne", advice=advice)
        return
    english = str(getattr(error, "problem", None) or getattr(error, "reason", None) or error)
    for sign, problem, advice in _SYNTAX:
        if sign in english:
            report.add("yaml_syntax", line, column, problem=problem, advice=advice)
            return
    advice = "Regardez cette ligne et celle d’avant : retrait, guillemets, deux-points."
    report.add("yaml_syntax", line, column, problem="la ligne n’a pas la forme attendue", advice=advice)


def _is_indented_by_tabs(text: str, line: int) -> bool:
    found = text.split("\n")[line - 1 : line]
    return any("\t" in one[: len(one) - len(one.lstrip())] for one in found)


def _place_of_character(error: yaml.YAMLError, text: str) -> tuple[int, int]:
    """A reader error knows only an offset, in bytes or characters: exact for the usual ASCII source."""
    before = text[: getattr(error, "position", 0) or 0]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
