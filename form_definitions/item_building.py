"""A block (question, grid, note) → Item or Grid, with every check that needs what stands around it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from form_definitions.condition_reading import ReadCondition, Reference
from form_definitions.errors import Report, listed, nearest
from form_definitions.frameworks import Framework
from form_definitions.language import ANSWERED_TYPES, TYPE_KEYS
from form_definitions.model import Grid, Item, RateRule, ResponseOption
from form_definitions.question_types import QUESTION_TYPES, QuestionType
from form_definitions.scales import Scale, check_favourable, read_options
from form_definitions.structures import Record, take_name
from form_definitions.yaml_source import Node


@dataclass(frozen=True)
class EarlierItem:
    """What a later condition may say about an item. ``options`` is None when they could not be read."""

    takes_answer: bool
    options: tuple[ResponseOption, ...] | None


@dataclass
class Surroundings:
    """What a block is checked against, and what it leaves for the blocks after it."""

    report: Report
    scales: Mapping[str, Scale]
    framework: Framework | None
    sites: tuple[str, ...]
    modes: tuple[str, ...]
    all_lines: Mapping[str, int]
    """The line of every item of the questionnaire, later ones included."""
    lines: dict[str, int] = field(default_factory=dict)
    earlier: dict[str, EarlierItem] = field(default_factory=dict)

    def take_name(self, record: Record, key: str) -> None:
        """Items, grids and notes share one space of names: they name fields and places of one page."""
        take_name(record, key, self.lines, self.report)

    def remember(
        self, name: str | None, *, takes_answer: bool = True, options: tuple[ResponseOption, ...] | None
    ) -> None:
        """From here on, conditions may name this item."""
        if name is not None:
            self.earlier[name] = EarlierItem(takes_answer, options)

    def routing_of(self, record: Record) -> dict[str, Any]:
        """Sites, modes and condition of a section or block, checked."""
        routing: dict[str, Any] = {}
        for key, known, code in (
            ("sites", self.sites, "unknown_site"),
            ("modes", self.modes, "unknown_mode"),
        ):
            if key in record.values:
                routing[key] = record.values[key]
                self._check_listed(record, key, known, code)
        read = record.get("relevant_if")
        if isinstance(read, ReadCondition):
            routing["relevant_if"] = read.condition
            for reference in read.references:
                self._check_reference(reference)
        return routing

    def _check_listed(self, record: Record, key: str, known: tuple[str, ...], code: str) -> None:
        for position, value in enumerate(record.values[key]):
            if known and value not in known:
                node = record.where_in(key, position)
                self.report.add(
                    code, node.line, node.column, nearest(value, known), value=value, words=listed(known)
                )

    def _check_reference(self, reference: Reference) -> None:
        item, node = self.earlier.get(reference.item), reference.item_node
        if item is None:
            self._report_unknown_item(reference)
        elif not item.takes_answer:
            self.report.add("condition_on_note", node.line, node.column, value=reference.item)
        elif reference.option is not None and item.options is not None:
            self._check_option(reference, item.options)

    def _report_unknown_item(self, reference: Reference) -> None:
        name, node = reference.item, reference.item_node
        if name in self.all_lines:
            line = self.all_lines[name]
            self.report.add("condition_later_item", node.line, node.column, value=name, later_line=line)
        else:
            suggestion = nearest(name, self.earlier)
            self.report.add("condition_unknown_item", node.line, node.column, suggestion, value=name)

    def _check_option(self, reference: Reference, options: tuple[ResponseOption, ...]) -> None:
        codes = [option.code for option in options]
        if not codes:
            node = reference.item_node
            self.report.add("condition_without_options", node.line, node.column, value=reference.item)
        elif reference.option not in codes and reference.option and reference.option_node:
            node = reference.option_node
            suggestion = nearest(reference.option, codes)
            parameters = {"value": reference.option, "item": reference.item, "words": listed(codes)}
            self.report.add("unknown_option", node.line, node.column, suggestion, **parameters)

    def scale_of(self, record: Record) -> Scale | None:
        """The scale that a question or grid names."""
        name = record.get("scale")
        if name is None or name in self.scales:
            return self.scales.get(name) if name else None
        node, suggestion = record.where("scale"), nearest(name, self.scales)
        self.report.add(
            "unknown_scale", node.line, node.column, suggestion, value=name, words=listed(self.scales)
        )
        return None


def build_block(record: Record, around: Surroundings) -> Item | Grid | None:
    """The block, or None when it is not valid (the report says why)."""
    if record.wrote("item"):
        return build_question(record, around)
    return build_grid(record, around) if record.wrote("grid") else build_note(record, around)


def build_note(record: Record, around: Surroundings) -> Item | None:
    """Words to read."""
    around.take_name(record, "note")
    routing = around.routing_of(record)
    name = record.get("note")
    around.remember(name, takes_answer=False, options=())
    return _item(record, name, "note", routing)


def build_question(record: Record, around: Surroundings) -> Item | None:
    """A question of any type that takes an answer."""
    around.take_name(record, "item")
    routing = around.routing_of(record)
    name, kind = record.get("item"), record.get("type")
    if kind not in ANSWERED_TYPES:
        _check_without_type(record, around)
        return None
    question_type = QUESTION_TYPES[kind]
    _check_keys(record, question_type, around.report)
    scale = around.scale_of(record)
    options = _options(record, question_type, scale, around.report)
    around.remember(name, options=options)
    _check_options(record, question_type, options or (), around.report)
    _check_bounds(record, around.report)
    own = {key: record.values[key] for key in TYPE_KEYS if key in record.values and key != "options"}
    values = {**question_type.defaults, **own, **routing, "options": options or ()}
    return _item(record, name, kind, values | _measure(record, question_type, scale, options, around))


def _check_without_type(record: Record, around: Surroundings) -> None:
    """Of a question whose type nobody knows, everything else is told all the same."""
    scale = around.scale_of(record)
    options = scale.options if scale else ()
    if record.wrote("options"):
        options = read_options(record.get("options", ()), around.report)
    around.remember(record.get("item"), options=options or None)
    _check_bounds(record, around.report)
    _rate(record, scale, options, around.report)
    _check_commitment(record, around)


def build_grid(record: Record, around: Surroundings) -> Grid | None:
    """Rows that share a scale. What is said of the grid holds for each row that does not say otherwise."""
    around.take_name(record, "grid")
    shared = around.routing_of(record)
    if requirement := record.get("requirement"):
        shared["requirement"] = requirement
    scale = around.scale_of(record)
    rows = [_build_row(row, shared, scale, around) for row in record.get("rows", ())]
    items = tuple(row for row in rows if row is not None)
    if around.report.has_errors or not items:
        return None
    values = {"name": record.get("grid"), "label": record.get("label"), "help": record.get("help")}
    return Grid(**values, items=items)


def _build_row(
    record: Record, shared: dict[str, Any], scale: Scale | None, around: Surroundings
) -> Item | None:
    around.take_name(record, "item")
    routing = _narrowed(shared, around.routing_of(record))
    kind = "satisfaction" if scale and scale.has_faces else "single_choice"
    options = scale.options if scale else None
    name = record.get("item")
    around.remember(name, options=options)
    values = {"scale": scale.name if scale else None, "options": options or (), **routing}
    return _item(record, name, kind, values | _measure(record, QUESTION_TYPES[kind], scale, options, around))


def _narrowed(shared: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """The routing of a row: both its own and its grid's."""
    routing = shared | own
    if "relevant_if" in shared and "relevant_if" in own:
        routing["relevant_if"] = {"all": [shared["relevant_if"], own["relevant_if"]]}
    for key in shared.keys() & own.keys() & {"sites", "modes"}:
        routing[key] = tuple(code for code in own[key] if code in shared[key])
    return routing


def _item(record: Record, name: str | None, kind: str, values: dict[str, Any]) -> Item | None:
    label = record.get("label")
    if name is None or label is None:
        return None
    words = {key: record.values[key] for key in ("help", "requirement") if key in record.values}
    return Item(name=name, question_type=kind, label=label, **(values | words))


def _check_keys(record: Record, question_type: QuestionType, report: Report) -> None:
    for key in record.node.entries:
        if key in TYPE_KEYS and key not in question_type.keys:
            node = record.node.entries[key][0]
            report.add("key_not_for_type", node.line, node.column, key=key, type=question_type.name)


def _options(
    record: Record, question_type: QuestionType, scale: Scale | None, report: Report
) -> tuple[ResponseOption, ...] | None:
    """The options of the question; None when they are not known, () when the type has none."""
    if not question_type.has_options:
        return ()
    node, name = record.node, record.get("item", "?")
    if record.wrote("options") and record.wrote("scale"):
        where = record.where("scale")
        report.add("options_and_scale", where.line, where.column, item=name)
    if record.wrote("options"):
        return read_options(record.get("options", ()), report) or None
    if not record.wrote("scale"):
        report.add("options_missing", node.line, node.column, item=name)
    return scale.options if scale else None


def _check_options(
    record: Record, question_type: QuestionType, options: tuple[ResponseOption, ...], report: Report
) -> None:
    if question_type.name != "multiple_choice":
        for option in record.get("options", ()):
            if option.get("exclusive"):
                node = option.where("exclusive")
                report.add("exclusive_needs_multiple", node.line, node.column)
    degrees = [option for option in options if option.role == "substantive"]
    if question_type.name == "satisfaction" and any(option.face is None for option in degrees):
        node = record.where("scale" if record.wrote("scale") else "options")
        report.add("faces_missing", node.line, node.column)


def _check_bounds(record: Record, report: Report) -> None:
    low, high = record.get("minimum"), record.get("maximum")
    if low is not None and high is not None and low > high:
        node = record.where("minimum")
        report.add("bounds_upside_down", node.line, node.column, minimum=low, maximum=high)


def _measure(
    record: Record,
    question_type: QuestionType,
    scale: Scale | None,
    options: tuple[ResponseOption, ...] | None,
    around: Surroundings,
) -> dict[str, Any]:
    """The commitment and the rate rule of an item."""
    commitment, rate = record.get("commitment"), _rate(record, scale, options or (), around.report)
    if record.wrote("commitment"):
        _check_commitment(record, around)
    for key in ("commitment", "rate"):
        if record.wrote(key) and not question_type.has_rate:
            node = record.where(key)
            around.report.add("commitment_without_rate", node.line, node.column, type=question_type.name)
            return {}
    if commitment and rate is None and options and not record.wrote("rate"):
        node = record.where("commitment")
        around.report.add("rate_missing", node.line, node.column, item=record.get("item", "?"))
    return {"commitment": commitment, "rate": rate if question_type.has_rate else None}


def _rate(
    record: Record, scale: Scale | None, options: tuple[ResponseOption, ...], report: Report
) -> RateRule | None:
    own = record.get("rate")
    if own is not None:
        if options:
            check_favourable(own, options, report)
        return RateRule(**own.values) if "favourable" in own.values else None
    return RateRule(favourable=scale.favourable) if scale and scale.favourable else None


def _check_commitment(record: Record, around: Surroundings) -> None:
    code, framework = record.get("commitment"), around.framework
    if code is not None and framework is not None and code not in framework.commitments:
        report_unknown_commitment(code, record.where("commitment"), framework, around.report)


def report_unknown_commitment(code: str, node: Node, framework: Framework, report: Report) -> None:
    """A commitment that the framework does not have."""
    suggestion = nearest(code, framework.commitments)
    report.add("unknown_commitment", node.line, node.column, suggestion, value=code, framework=framework.code)
