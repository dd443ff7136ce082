"""House rules, held by tests: contracts, events, tables, migrations, routes, locks."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from sqlalchemy import Uuid, create_engine, inspect, text
from sqlalchemy.engine import make_url

from chassis import migrations
from chassis.host import service_class
from chassis.objects import object_store
from chassis.service import followed_producers, handlers_of
from chassis.settings import SERVICES, Settings
from chassis.wire.local import LocalWire
from contracts import forest
from contracts.base import Event, Request

ROOT = Path(__file__).resolve().parents[2]


def test_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("lock", ["run", "dev", "node", *(f"image-{name}" for name in (*SERVICES, "gateway"))])
def test_locks_have_hashes_and_name_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / f"{lock}.txt").read_text()
    assert "--hash=sha256:" in text
    assert not re.search(r"https?://|index-url|--find-links|--extra-index", text)
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


@pytest.mark.parametrize("lock", ["run", "dev", *(f"image-{name}" for name in (*SERVICES, "gateway"))])
def test_locks_pin_a_package_with_the_extras_that_others_ask_of_it(lock: str) -> None:
    """Else pip takes `coverage[toml]` for another package, looks for its newest release and refuses it, unhashed."""
    lines = (ROOT / "requirements" / f"{lock}.txt").read_text().splitlines()
    pinned = {
        canonicalize_name(pin.name): pin for line in lines if re.match(r"\w", line) for pin in [_requirement(line)]
    }
    lacking = [
        f"{name}: {wanted}"
        for name in pinned
        for wanted in map(Requirement, _requires(name))
        if wanted.extras - getattr(pinned.get(canonicalize_name(wanted.name)), "extras", wanted.extras)
        and (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
    ]
    assert lacking == []


def _requirement(line: str) -> Requirement:
    return Requirement(line.removesuffix("\\").strip())


def _requires(name: str) -> list[str]:
    try:
        return metadata.requires(name) or []
    except metadata.PackageNotFoundError:
        return []  # for another Python or system


def test_every_setting_is_in_the_example() -> None:
    text = (ROOT / ".env.example").read_text()
    missing = [name for name in Settings.model_fields if f"FICHE_{name.upper()}=" not in text]
    assert missing == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_request_of_a_service_is_answered_and_every_event_handled_is_told_by_another(service: str) -> None:
    cls = service_class(service)
    answered = {
        function.fiche_rpc.rpc.partition(".")[2]
        for function in (getattr(cls, name, None) for name in dir(cls))
        if hasattr(function, "fiche_rpc")
    }
    asked = {rpc.partition(".")[2] for rpc in Request.registry if rpc.partition(".")[0] == service}
    assert asked <= answered
    assert service not in followed_producers(cls)
    assert set(handlers_of(cls)) <= set(Event.registry)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_one_migration_head_and_its_tables_are_those_of_the_model(
    service: str, postgres_url: str
) -> None:
    assert migrations.head(service) == migrations.newest(service) is not None
    url = make_url(postgres_url).set(drivername="postgresql+psycopg2", database=f"structure_{service}")
    migrations.upgrade(service, url)
    migrations.upgrade(service, url)  # asked twice, it is done once
    engine = create_engine(url)
    with engine.begin() as connection:
        # Down again, one by one, and up: an operator who goes back a release finds that it works.
        command.downgrade(migrations.config(service, connection), "base")
        left = connection.execute(
            text(
                "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
                "AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = pg_proc.oid AND d.deptype = 'e')"
            )
        ).scalars()
        assert set(left) == set()
        assert inspect(connection).get_table_names() == ["alembic_version"]
        command.upgrade(migrations.config(service, connection), "head")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, migrations.metadata(service))
    engine.dispose()
    # Indexes on expressions are written by hand and cannot be compared.
    assert [d for d in differences if not (isinstance(d, tuple) and d[0] in ("remove_index", "add_index"))] == []


#: Tables of `clients` whose record the protocol itself calls `client_id`, or that tell what was done to it.
_OF_THE_RECORD = {"client_field_write", "client_reference", "erasure"}


@pytest.mark.parametrize("service", SERVICES)
def test_no_table_has_a_client_id_and_every_home_is_among_the_kinds(service: str) -> None:
    kinds: dict[str, Any] = getattr(importlib.import_module(f"services.{service}.model"), "KINDS", {})
    known = {kind.__tablename__ for kind in kinds.values()}
    for name, table in migrations.metadata(service).tables.items():
        if name not in _OF_THE_RECORD:
            assert "client_id" not in table.columns, name
        if "home_client_id" in table.columns and not name.startswith("known_"):
            assert "written_client_id" in table.columns, name
            assert name in known, f"{name} is not among the kinds of {service}"


#: Kinds that never change hands by themselves: they follow another row, or go with their record.
_FOLLOWING = {"client_tag", "billing_details", "billing_field_write", "visit", "folder", "portal_grant"}
#: Columns of ids that name no row of a client that could be on the other side of an undo, or that a row follows.
_NOT_LINKS = {
    "id", "home_client_id", "written_client_id", "other_home_client_id", "place_id", "type_id", "source_event",
    "lead_technician_id", "technician_ids", "assignee_id", "visit_id", "released_visit_id", "payer_id", "replaces_id",
    "created_by_id", "updated_by_id",
}  # fmt: skip
#: Columns of rows that stand alone only without them (`Movable.alone`).
_FOLLOWED = {("job_site", "quote_id")}


@pytest.mark.parametrize("service", SERVICES)
def test_every_kind_of_a_service_changes_hands_or_follows_and_tells_what_it_names(service: str) -> None:
    model = importlib.import_module(f"services.{service}.model")
    kinds: dict[str, Any] = getattr(model, "KINDS", {})
    movable: dict[str, Any] = getattr(model, "MOVABLE", {})
    assert tuple(movable) == forest.MOVABLE.get(service, ())
    assert set(kinds) - set(movable) <= _FOLLOWING
    assert not set(movable) & _FOLLOWING
    everywhere = {kind for known in forest.MOVABLE.values() for kind in known}
    for kind, told in movable.items():
        columns = kinds[kind].__table__.columns
        named = {link.column for link in told.links}
        assert {link.kind for link in told.links} <= everywhere
        for column in columns:
            if isinstance(column.type, Uuid) or column.name.endswith("_ids"):
                known = named | _NOT_LINKS | {name for of, name in _FOLLOWED if of == kind}
                assert column.name in known, f"{kind}.{column.name} names a row: tell it in MOVABLE"


def test_every_route_asks_who_comes_or_is_on_the_short_list(tmp_path: Path) -> None:
    from gateway import auth
    from gateway.app import create_app

    settings = Settings(data_dir=tmp_path)
    app = create_app(settings, (wire := LocalWire()).rpc_client(), object_store(settings), wire)
    client = app.test_client()
    uuid = "00000000-0000-7000-8000-000000000000"
    seen = set()
    for rule in app.url_map.iter_rules():
        seen.add(rule.endpoint)
        if rule.endpoint in auth.PUBLIC:
            continue
        path = re.sub(r"<uuid:\w+>", uuid, rule.rule)
        path = re.sub(r"<int\(signed=True\):\w+>", "1", path)
        path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", path)
        path = re.sub(r"<\w+>", "x", path)
        for method in (rule.methods or set()) - {"OPTIONS", "HEAD"}:
            answer = client.open(path, method=method)
            assert answer.status_code in (401, 303, 403), (method, path, answer.status_code)
    assert set(auth.PUBLIC) <= seen
