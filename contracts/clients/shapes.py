"""Bodies and answers of `clients`, the same in RPC and HTTP."""

from __future__ import annotations

from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, WithJsonSchema, model_validator

from contracts.base import Flag, Id, Line, Model, Moment, Name, Person, Resource, Text
from contracts.clients.layout import CustomKey, Layout
from contracts.fields import Email, Phone, Siret, VatNumber, Website, at_field

Kind = Literal["individual", "company", "property_manager"]
Stage = Literal["prospect", "client"]
Status = Literal["active", "archived", "deleted"]
Tag = Name


def _custom_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if (isinstance(value, str) and len(value) <= 10_000) or (isinstance(value, float) and isfinite(value)):
        return value
    raise ValueError("Un texte, un nombre, vrai ou faux est attendu.")


#: Value of a field of one's own; a null in a patch takes the key away.
CustomValue = Annotated[
    Any, AfterValidator(_custom_value), WithJsonSchema({"type": ["string", "boolean", "number", "null"]})
]


class NullIsEmpty(Model):
    """`null` empties a text or a list, as a JSON merge patch means it (RFC 7396)."""

    @model_validator(mode="before")
    @classmethod
    def _empty(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: cls._emptied(name) if value is None else value for name, value in data.items()}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, told in properties.items():
            if cls._emptied(name) is not None:
                outer = {word: told.pop(word) for word in ("title", "default") if word in told}
                properties[name] = {"anyOf": [told, {"type": "null"}], **outer}
        return schema

    @classmethod
    def _emptied(cls, name: str) -> Any:
        field = cls.model_fields.get(name)
        empty = field.get_default(call_default_factory=True) if field else None
        return empty if empty in ("", [], {}) else None


class ClientFields(NullIsEmpty):
    """What a person says of a client. SIRET and VAT number belong to the client (http-api, Rules).

    `display_name` is given only where the name shown is not what the other names make (imports). In a patch,
    `custom_fields` names the keys that change; a null takes its key away.
    """

    kind: Kind = "individual"
    first_name: Line = ""
    last_name: Line = ""
    company_name: Line = ""
    display_name: Line = ""
    registration_number: Line = ""
    stage: Stage = "client"
    siret: Siret = ""
    vat_number: VatNumber = ""
    email: Email = ""
    phone: Phone = ""
    secondary_phone: Phone = ""
    website: Website = ""
    sales_rep_id: Id | None = None
    tags: list[Tag] = Field(default_factory=list, max_length=50)
    custom_fields: dict[CustomKey, CustomValue] = Field(default_factory=dict, max_length=100)


class ClientBody(ClientFields):
    """Body of `POST /clients`: a person needs a last name, a company or property manager its name."""

    reference: Line | None = None
    memo: Text = ""

    @model_validator(mode="after")
    def _named(self) -> ClientBody:
        if self.kind == "individual" and not self.last_name:
            raise at_field("last_name", "Donnez au moins le nom de la personne.")
        if self.kind != "individual" and not self.company_name:
            raise at_field("company_name", "Donnez le nom de la société.")
        return self


class ClientChanges(ClientFields):
    """JSON merge patch of a client. A `layout` of null gives this fiche the company's again."""

    reference: Line = ""
    layout: Layout | None = None


class ClientView(Resource):
    """A client as answered. `parent` comes from the hierarchical relation.

    A phone comes as it was given, as it is dialled (`…_e164`, RFC 3966 `;ext=` behind it; empty for short internal
    numbers) and as a French reader is shown it (`…_display`).
    """

    kind: Kind
    first_name: str
    last_name: str
    company_name: str
    display_name: str
    reference: str
    registration_number: str
    stage: Stage
    siret: str
    vat_number: str
    email: str
    phone: str
    phone_e164: str
    phone_display: str
    secondary_phone: str
    secondary_phone_e164: str
    secondary_phone_display: str
    website: str
    sales_rep_id: Id | None
    sales_rep: dict[str, Any] | None
    tags: list[str]
    custom_fields: dict[str, Any]
    memo: str
    memo_version: int
    memo_updated_at: Moment | None
    memo_updated_by: str
    status: Status
    main_address: dict[str, Any] | None
    parent: dict[str, Any] | None
    layout: Layout | None
    #: When something last happened there: what was said or done, else when the record was opened.
    last_activity_at: Moment


class Origin(Model):
    """When and by whom something was made elsewhere, for imports."""

    created_at: Moment | None = None
    created_by_name: Line = ""


class ConvertBody(NullIsEmpty):
    """Body of `/convert`: what the new kind asks for.

    With `undo` the last conversion is taken back: each field it wrote and nobody changed since is as before, and the
    contact it made goes if nobody touched it.
    """

    to: Kind
    undo: Flag = False
    company_name: Line = ""
    siret: Siret = ""
    first_name: Line = ""
    last_name: Line = ""


class MemoBody(Model):
    """Body of `PUT /memo`."""

    text: Text


class MemoView(Model):
    """The memo as answered; version 0 before it was ever written."""

    client_id: Id
    text: str
    version: int
    updated_at: Moment | None
    updated_by: str


class MemoVersion(Model):
    """A text that the memo had: who wrote it, and when."""

    seq: int
    text: str
    at: Moment
    by: Person


class MemoConflict(Model):
    """Data of the 412 of a stale memo. `text` stands there now, `yours` was sent, `base` is what it was written on.

    `joined` holds both: changes of different lines are all made, where both changed the same lines they follow each
    other. It is an offer; nothing is written until it is sent with the present `version`.
    """

    text: str
    version: int
    updated_at: Moment | None
    updated_by: str
    yours: str
    base: str | None
    joined: str


class HistoryLine(Model):
    """One change of one field: what it was, what it became, when and by whom.

    `…_name`: what stands behind an id (salesperson, main address); null where the value is readable by itself.
    `addresses.street`: a field of a row, `row_id`, called `row_name` now; `addresses.created`, `.deleted`,
    `.restored`, `.reassigned` say what became of the row itself. `billing.iban`: of how the client is billed.
    `merge` and `merge_undone`: the record was merged with another, or stands by itself again; `merge` tells all of it.
    """

    seq: int
    field: str
    row_id: Id | None
    row_name: str | None
    op: Literal["set", "take", "join"]
    value: Any
    previous: Any
    value_name: str | None
    previous_name: str | None
    merge: dict[str, Any] | None = None
    at: Moment
    by: Person
