"""What a fiche shows and in which order: its sections, and the fields of one's own that an administrator defines."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from contracts.base import Command, Flag, Id, Model, Name, Page, Query, Resource
from contracts.fields import at_field

CustomKey = Annotated[str, StringConstraints(min_length=1, max_length=100)]
#: Sections of the side column, then tabs. What a fiche cannot be without (name, activities, memo, addresses) is none.
Section = Literal[
    "informations", "contacts", "relations", "billing", "portal",
    "documents", "interventions", "invoices", "equipment", "job_sites", "maintenance",
]  # fmt: skip
FieldType = Literal["text", "number", "date", "choice", "boolean"]


class ShownSection(Model):
    """A section, in its place, shown or not."""

    key: Section
    shown: Flag = True


class ShownField(Model):
    """A field of one's own, in its place, shown or not."""

    key: CustomKey
    shown: Flag = True


class Layout(Model):
    """Sections and fields of one's own in their order. What is not named comes behind, shown."""

    sections: list[ShownSection] = Field(default_factory=list, max_length=50)
    custom_fields: list[ShownField] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _once(self) -> Layout:
        for name in ("sections", "custom_fields"):
            keys = [each.key for each in getattr(self, name)]
            if len(set(keys)) < len(keys):
                raise at_field(name, "Chaque élément ne figure qu’une fois.")
        return self


class LayoutView(Layout, Resource):
    """The company's layout, complete: every section and every field of one's own. Version 0 before it was written."""


class CustomFieldFields(Model):
    """What an administrator says of a field of one's own."""

    label: Name
    required: Flag = False
    choices: list[Name] = Field(default_factory=list, max_length=200)

    @model_validator(mode="after")
    def _apart(self) -> CustomFieldFields:
        if len({choice.casefold() for choice in self.choices}) < len(self.choices):
            raise at_field("choices", "Deux choix portent le même nom.")
        return self


class CustomFieldBody(CustomFieldFields):
    """Definition of a field of one's own. Without a key one is made of the label."""

    key: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]{0,49}$")
    type: FieldType = "text"


class CustomFieldChanges(CustomFieldFields):
    """JSON merge patch of a definition. The key stays; the type changes while no client has a value."""

    label: Name = ""
    type: FieldType = "text"
    #: Its place among the fields, from 1.
    position: int = Field(default=1, ge=1, le=10_000)


class CustomFieldView(Resource):
    """Definition of a field of one's own, as answered. `used_by`: clients that have a value."""

    key: str
    label: str
    type: FieldType
    required: bool
    choices: list[str]
    position: int
    used_by: int
    deleted: bool


class CreateCustomField(Command):
    """Defines a field."""

    rpc: ClassVar[str] = "clients.create_custom_field"
    id: Id | None = None
    body: CustomFieldBody


class UpdateCustomField(Command):
    """Changes a definition."""

    rpc: ClassVar[str] = "clients.update_custom_field"
    id: Id
    expected_version: int | None = None
    changes: CustomFieldChanges


class DeleteCustomField(Command):
    """Takes a field off the fiches; the clients keep their values, and `RestoreCustomField` shows them again."""

    rpc: ClassVar[str] = "clients.delete_custom_field"
    id: Id
    expected_version: int | None = None


class RestoreCustomField(Command):
    """Puts a deleted field back."""

    rpc: ClassVar[str] = "clients.restore_custom_field"
    id: Id


class GetCustomField(Query):
    """One definition."""

    rpc: ClassVar[str] = "clients.get_custom_field"
    id: Id


class ListCustomFields(Page):
    """Definitions, in their order; those deleted only where asked."""

    rpc: ClassVar[str] = "clients.list_custom_fields"
    deleted: bool = False


class GetLayout(Query):
    """The company's layout."""

    rpc: ClassVar[str] = "clients.get_layout"


class SetLayout(Command):
    """Writes the company's layout."""

    rpc: ClassVar[str] = "clients.set_layout"
    expected_version: int | None = None
    body: Layout


class FicheSettings(Query):
    """What a fiche page needs to know how it is laid out: `{"layout", "custom_fields"}` in one answer."""

    rpc: ClassVar[str] = "clients.fiche_settings"


class FicheSettingsAnswer(Model):
    """The company's layout and the definitions."""

    layout: dict[str, Any]
    custom_fields: list[dict[str, Any]]
