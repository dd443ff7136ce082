"""What holds of every table that the product has or will have: nothing of an erased person can stay in it."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Text, create_engine, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase

from chassis import migrations
from chassis.settings import SERVICES
from chassis.tables import new_base
from contracts.base import Event
from contracts.catalogue import events, example
from services.kit import erasure_sql
from services.kit.erased import Erased, Nobodys

#: What the chassis keeps itself: of events and answers, see `erasure_sql.MESSAGES` and `erasure.sweep`.
_CHASSIS = set(new_base().metadata.tables)
#: Who did something, on every resource: the staff.
_STAFF = {"created_by_id", "created_by_name", "updated_by_id", "updated_by_name"}


def _base(service: str) -> type[DeclarativeBase]:
    return importlib.import_module(f"services.{service}.model").Base


@pytest.mark.parametrize("service", SERVICES)
def test_every_table_says_what_an_erasure_leaves_of_each_of_its_texts(service: str) -> None:
    base = _base(service)
    for name, table in base.metadata.tables.items():
        if name in _CHASSIS:
            continue
        spec = table.info.get("erased")
        assert isinstance(spec, Erased | Nobodys), f"{service}.{name} does not say what an erasure leaves of it"
        if isinstance(spec, Nobodys):
            assert spec.why
            assert "home_client_id" not in table.columns or name == "visit", name
            continue
        own = {each.name for each in table.columns if isinstance(each.type, Text | JSONB | LargeBinary)} - _STAFF
        assert not set(spec.blanks) & set(spec.kept), name
        assert (set(spec.blanks) | set(spec.kept)) <= set(table.columns.keys()), name
        assert not spec.parents or all(parent in base.metadata.tables for parent, _ in spec.parents)
        if not spec.drop:
            assert own - set(spec.blanks) - set(spec.kept) == set(), f"{service}.{name}: personal, or kept?"


@pytest.mark.parametrize("service", SERVICES)
def test_every_way_into_such_a_table_leads_through_its_trigger(service: str, postgres_url: str) -> None:
    base = _base(service)
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2", database=f"structure_erasure_{service}")
    migrations.upgrade(service, url)
    engine = create_engine(url)
    with engine.connect() as connection:
        found: dict[str, Any] = dict(
            connection.execute(
                text(
                    "SELECT c.relname, p.proname || ' ' || t.tgtype FROM pg_trigger t "
                    "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid "
                    "WHERE t.tgname = 'erased' AND t.tgenabled = 'O'"
                )
            )
            .tuples()
            .all()
        )
        bodies = dict(
            connection.execute(
                text("SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace")
            ).tuples().all()
        )  # fmt: skip
    engine.dispose()
    # 7: before an insert, for each row; 23: before an update too (pg_trigger.h).
    kinds = {table: 7 if table in erasure_sql.MESSAGES else 23 for table in erasure_sql.triggers(base)}
    assert found == {table: f"{function} {kinds[table]}" for table, function in erasure_sql.triggers(base).items()}
    for signature, body in erasure_sql.bodies(base).items():
        name = signature.partition("(")[0]
        assert bodies[name].strip() == body.strip(), f"{name}: write a migration of {service}"


@pytest.mark.parametrize("name", sorted(events()))
def test_a_blanked_event_is_an_event_still_and_its_texts_say_nothing(name: str, postgres_url: str) -> None:
    model: type[Event] = events()[name]
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2", database="structure_erasure_accounts")
    migrations.upgrade("accounts", url)
    engine = create_engine(url)
    with engine.connect() as connection:
        asked = text("SELECT erased_json(CAST(:data AS jsonb), '')")
        before = example(model)
        after = connection.execute(asked, {"data": model.model_validate(before).model_dump_json()}).scalar_one()
        again = connection.execute(asked, {"data": model.model_validate(after).model_dump_json()}).scalar_one()
    engine.dispose()
    assert again == after
    assert model.model_validate(after).about() == model.model_validate(before).about()
    for field, value in before.items():
        if isinstance(value, str) and field not in erasure_sql.KEPT and not field.endswith(("_id", "_at", "_on")):
            assert after[field] in ("", value)
            if after[field] and field != "id":
                assert not any(letter.isalpha() for letter in value.replace("T", "").replace("Z", "")), (field, value)
