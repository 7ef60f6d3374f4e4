"""Options and scales: from what the author wrote to the model, and the checks they share."""

from __future__ import annotations

from form_definitions.errors import Report, listed, nearest
from form_definitions.model import FrozenModel, ResponseOption
from form_definitions.structures import Record
from form_definitions.yaml_source import ListNode


class Scale(FrozenModel):
    """Options that several items share, with those that count as favourable."""

    name: str
    favourable: tuple[str, ...] = ()
    options: tuple[ResponseOption, ...]

    @property
    def has_faces(self) -> bool:
        """Whether every degree has its drawn face."""
        return all(option.face is not None for option in self.options if option.role == "substantive")


def read_options(records: tuple[Record, ...], report: Report) -> tuple[ResponseOption, ...]:
    """The valid options of a list, in order; repeated codes are reported and left out."""
    options: list[ResponseOption] = []
    lines: dict[str, int] = {}
    for record in records:
        code, label = record.get("option"), record.get("label")
        node = record.where("option")
        if code in lines:
            report.add("duplicate_option", node.line, node.column, option=code, first_line=lines[code])
        elif code is not None:
            lines[code] = node.line
            if label is not None:
                options.append(_option(record))
    if options and all(option.role != "substantive" for option in options) and len(options) == len(records):
        node = records[0].node
        report.add("only_absences", node.line, node.column)
    return tuple(options)


def _option(record: Record) -> ResponseOption:
    values = {key: value for key, value in record.values.items() if key != "option"}
    return ResponseOption(code=record.get("option"), **values)


def read_scale(name: str, record: Record, report: Report) -> Scale:
    """A scale; what is wrong with it is in the report."""
    options = read_options(record.get("options", ()), report)
    for option in record.get("options", ()):
        if option.get("exclusive"):
            node = option.where("exclusive")
            report.add("exclusive_needs_multiple", node.line, node.column)
    favourable = record.get("favourable", ())
    if options:
        check_favourable(record, options, report)
    return Scale(name=name, favourable=favourable, options=options)


def check_favourable(record: Record, options: tuple[ResponseOption, ...], report: Report) -> None:
    """The options that a rate names exist, and are answers rather than absences."""
    codes = {option.code: option for option in options}
    for key in ("favourable", "excluded"):
        node = record.where(key)
        for position, code in enumerate(record.get(key, ())):
            where = node.items[position] if isinstance(node, ListNode) and _aligned(record, key) else node
            if code not in codes:
                suggestion = nearest(code, codes)
                report.add(
                    "rate_unknown_option",
                    where.line,
                    where.column,
                    suggestion,
                    value=code,
                    words=listed(codes),
                )
            elif key == "favourable" and codes[code].role != "substantive":
                report.add("rate_absence", where.line, where.column, value=code)
    for code in sorted(set(record.get("favourable", ())) & set(record.get("excluded", ()))):
        node = record.where("excluded")
        report.add("rate_overlap", node.line, node.column, value=code)
    _warn_if_always_favourable(record, options, report)


def _aligned(record: Record, key: str) -> bool:
    """Whether no element of the list was refused, so that positions agree."""
    node = record.where(key)
    return isinstance(node, ListNode) and len(node.items) == len(record.get(key, ()))


def _warn_if_always_favourable(record: Record, options: tuple[ResponseOption, ...], report: Report) -> None:
    left = {option.code for option in options if option.role == "substantive"}
    left -= set(record.get("excluded", ()))
    if record.get("favourable") and left <= set(record.get("favourable", ())):
        node = record.where("favourable")
        report.add("rate_always_favourable", node.line, node.column)
