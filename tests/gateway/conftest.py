"""The product behind its gateway, as a process of its own, and a client that speaks HTTP to it."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

TOKEN = "cle-de-demarrage-des-essais-0123456789"


@dataclass
class Product:
    """A running product. `http` asks as an administrator's key; `anonymous` as nobody."""

    url: str
    link: str
    process: subprocess.Popen[str]
    http: httpx.Client
    anonymous: httpx.Client
    opened: ExitStack
    database_url: str
    data_dir: Path

    def peak_memory(self) -> int:
        """Bytes that the product held in memory at once, at most, so far."""
        [line] = [x for x in Path(f"/proc/{self.process.pid}/status").read_text().splitlines() if x.startswith("VmHWM")]
        return int(line.split()[1]) * 1024

    def command(self, action: str, service: str) -> None:
        """Stops or starts a service; returns when done."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{action} {service}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().strip() == "ok"

    def as_key(self, *scopes: str) -> httpx.Client:
        """A client with a fresh key of these scopes."""
        made = self.http.post("/api-keys", json={"name": "essai", "scopes": list(scopes)})
        assert made.status_code == 201, made.text
        return self.client({"Authorization": f"Bearer {made.json()['key']}"})

    def client(self, headers: dict[str, str] | None = None) -> httpx.Client:
        """A client with these headers."""
        made = httpx.Client(base_url=f"{self.url}/api/v1", headers=headers, timeout=20, trust_env=False)
        return self.opened.enter_context(made)

    def sql(self, service: str, statement: str, **values: Any) -> list[Any]:
        """Runs a statement in a service's database; its rows, where it has any."""
        address = make_url(f"{self.database_url}_{service}").set(drivername="postgresql+psycopg2")
        engine = create_engine(address)
        with engine.begin() as connection:
            found = connection.execute(text(statement), values)
            rows = list(found) if found.returns_rows else []
        engine.dispose()
        return rows

    def new_client(self, **fields: Any) -> dict[str, Any]:
        """A client's record, made by the API."""
        body = {"kind": "company", "company_name": f"Essai {uuid.uuid4().hex[:6]}"} | fields
        answer = self.http.post("/clients", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture(scope="session")
def product(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Runs for the whole session; tests make their own rows."""
    yield from running(postgres_url, tmp_path_factory)


def running(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with databases and folder of its own, until the iterator is closed."""
    environment = os.environ | {
        "FICHE_DATABASE_URL": f"{postgres_url.rsplit('/', 1)[0]}/gw{uuid.uuid4().hex[:8]}",
        "FICHE_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "FICHE_BOOTSTRAP_TOKEN": TOKEN,
        "FICHE_LOG_LEVEL": "warning",
        # A machine that stands still for some seconds is no fault of the product: one that is away is said at once.
        "FICHE_DEADLINE_MS": "15000",
        "PYTHONWARNINGS": "ignore",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.gateway.product"],
        cwd=Path(__file__).parents[2],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        port, _, link = process.stdout.readline().strip().partition(" ")
        assert port.isdigit(), "the product did not start"
        url = f"http://127.0.0.1:{port}"
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        base = f"{url}/api/v1"
        with (
            httpx.Client(base_url=base, headers=bearer, timeout=20, trust_env=False) as http,
            httpx.Client(base_url=base, timeout=20, trust_env=False) as anonymous,
            ExitStack() as opened,
        ):
            yield Product(url, link, process, http, anonymous, opened, environment["FICHE_DATABASE_URL"],
                          Path(environment["FICHE_DATA_DIR"]))  # fmt: skip
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every endpoint of the application and its rule."""
    from chassis.objects import FolderStore
    from chassis.settings import load_settings
    from chassis.wire.local import LocalWire
    from gateway.app import create_app

    app = create_app(
        load_settings(), (wire := LocalWire()).rpc_client(), FolderStore(tmp_path_factory.mktemp("objects")), wire
    )
    return {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
