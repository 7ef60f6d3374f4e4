"""The questionnaire as frozen values: Questionnaire › Section › Item (or Grid of items) › ResponseOption.

Floor 0: no web, no database, no clock. Built by :mod:`form_definitions.loader` from YAML, or by
:func:`form_definitions.bundle.from_canonical` from the frozen JSON of a published questionnaire.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from form_definitions.conditions import Condition

CollectionMode = Literal["tablet", "website", "personal_link", "paper"]
Requirement = Literal["required", "advised", "optional"]
OptionRole = Literal["substantive", "not_applicable", "no_opinion"]
Polarity = Literal["positive", "negative"]
CommitmentRule = Literal["pooled", "every_item"]
PartialPolicy = Literal["keep", "discard"]
Audience = Literal["users", "elected_officials"]


class FrozenModel(BaseModel):
    """Immutable, refuses unknown keys: what the definition says and nothing more."""

    model_config = ConfigDict(frozen=True, extra="forbid", ignored_types=(cached_property,))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other parts, and without what the original had already worked out from its own."""
        copy = super().model_copy(update=update, deep=deep)
        for name in copy.__dict__.keys() - type(self).model_fields.keys():
            del copy.__dict__[name]
        return copy


class ResponseOption(FrozenModel):
    """One closed answer (« modalité »). ``code`` is never reused with another meaning."""

    code: str
    label: str
    role: OptionRole = "substantive"
    specify: str | None = None
    """Label of the free text that goes with this option (« Précisez »), or None."""
    exclusive: bool = False
    """In a multiple choice: cannot be ticked together with another option."""
    face: int | None = None
    """1 (very unhappy) … 5 (very happy): the drawn face shown beside the words."""


class RateRule(FrozenModel):
    """Which options count for the rate. Options whose role is not ``substantive`` never do."""

    favourable: tuple[str, ...]
    excluded: tuple[str, ...] = ()
    polarity: Polarity = "positive"


class Item(FrozenModel):
    """One question, one grid row, or an information note (``question_type == "note"``, takes no answer)."""

    name: str
    question_type: str
    label: str
    help: str | None = None
    requirement: Requirement = "optional"
    options: tuple[ResponseOption, ...] = ()
    scale: str | None = None
    relevant_if: Condition | None = None
    sites: tuple[str, ...] | None = None
    modes: tuple[CollectionMode, ...] | None = None
    commitment: str | None = None
    rate: RateRule | None = None
    minimum: int | None = None
    maximum: int | None = None
    unit: str | None = None
    maximum_length: int | None = None

    def option(self, code: str) -> ResponseOption | None:
        """The option with this code, or None."""
        return next((option for option in self.options if option.code == code), None)


class Grid(FrozenModel):
    """A drawing group: items that share one scale, drawn as a table. Each row is an item of its own."""

    name: str
    label: str
    help: str | None = None
    items: tuple[Item, ...]


class Section(FrozenModel):
    """One step of the form (« rubrique »)."""

    name: str
    title: str
    introduction: str | None = None
    relevant_if: Condition | None = None
    sites: tuple[str, ...] | None = None
    modes: tuple[CollectionMode, ...] | None = None
    blocks: tuple[Item | Grid, ...]

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items in order, grid rows included."""
        return tuple(
            item for block in self.blocks for item in (block.items if isinstance(block, Grid) else (block,))
        )


class Commitment(FrozenModel):
    """One engagement of the framework (référentiel), as printed beside its rate."""

    code: str
    number: str | None = None
    """The official number, None unless publicly known."""
    title: str
    module: str
    """Number and title of its module."""
    service: str | None = None
    rule: CommitmentRule = "pooled"
    source: str | None = None
    to_check: bool = True
    """True until somebody compared the wording and the number with the official text."""


class Questionnaire(FrozenModel):
    """A whole instrument. Its identity is the digest of its canonical JSON, not its name."""

    slug: str
    title: str
    description: str | None = None
    audience: Audience = "users"
    framework: str
    estimated_minutes: int
    partial_policy: PartialPolicy = "keep"
    modes: tuple[CollectionMode, ...]
    sites: tuple[str, ...]
    commitments: tuple[Commitment, ...]
    sections: tuple[Section, ...]

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items of all sections in order."""
        return tuple(item for section in self.sections for item in section.items)

    @cached_property
    def items_by_name(self) -> dict[str, Item]:
        """The items under their names."""
        return {item.name: item for item in self.items}

    @cached_property
    def questions(self) -> dict[str, str]:
        """What each item asks, as read apart from its page: a grid row after the question of its grid."""
        asked: dict[str, str] = {}
        for block in (block for section in self.sections for block in section.blocks):
            if isinstance(block, Grid):
                asked |= {item.name: f"{block.label} {item.label}" for item in block.items}
            else:
                asked[block.name] = block.label
        return asked

    def items_of(self, commitment: str) -> Iterator[Item]:
        """The items that measure this commitment, in order."""
        return (item for item in self.items if item.commitment == commitment)
