"""The pattern company: made by the product itself, in a server of its own. A process by itself (green threads).

`python -m cli.volume.pattern FOLDER CLIENTS SEED STAFF` leaves a database server's data in FOLDER/postgres and the
bytes of documents in FOLDER/objects; it prints nothing.
"""

from __future__ import annotations

import eventlet

if __name__ == "__main__":
    eventlet.monkey_patch()

import json
import secrets
import sys
import time
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from chassis import logs
from chassis.ids import new_id
from chassis.settings import SERVICES, load_settings
from cli.embedded import EmbeddedProduct
from cli.volume.marks import FIRST, MarkedNames

#: One of so many clients gets an invoice issued here, with its number, its place in the chain and a payment.
INVOICED = 6
_COMPANY = {
    "legal_name": "Rhône Chauffage", "legal_form": "SARL", "siren": "732829320", "siret": "73282932000074",
    "vat_number": "FR44732829320", "rcs": "Lyon", "street": "12 rue des Ateliers", "postal_code": "69007",
    "city": "Lyon", "iban": "FR1420041010050500013M02606",
}  # fmt: skip


def make(folder: Path, clients: int, seed: int, staff_for: int) -> None:
    """Makes the pattern and stops what was started once every event has been read by all."""
    token = secrets.token_hex(24)
    settings = (
        load_settings(
            data_dir=folder, database_url="", amqp_url="", s3_url="", port=0, host="127.0.0.1", url="",
            bootstrap_token=token, log_level="warning",
        )
    )  # fmt: skip
    logs.configure(settings, "pattern")
    product = EmbeddedProduct(settings)
    product.start()
    try:
        from cli.sign_in import first_sign_in

        assert product.runtime is not None
        first_sign_in(product.runtime.client, product.settings)
        ask = _Api(product.url, token)
        ask.change("/company", _COMPANY)
        _clients(product, clients, seed, staff_for)
        for rank, client in enumerate(ask.all("/clients")):
            if client["status"] == "active":
                _documents(ask, client["id"], rank)
                if rank % INVOICED == 0:
                    _invoice(ask, client["id"])
        _drained(product)
    finally:
        product.stop()


def _clients(product: EmbeddedProduct, clients: int, seed: int, staff_for: int) -> None:
    """The demo company with marks instead of names, taken in by the import's own engine."""
    from services.imports.company import generate
    from services.imports.model import ImportJob
    from services.imports.runner.engine import Engine
    from services.imports.runner.ledger import Ledger
    from services.imports.runner.sources import DemoSource

    assert product.runtime is not None
    today = datetime.now(ZoneInfo("Europe/Paris")).date()

    class Marked(DemoSource):
        def items(self) -> Any:
            return generate(clients, seed, today, names=MarkedNames(), first=FIRST, staff_for=staff_for)

    database = product.runtime.database("imports")
    ledger = Ledger(database, product.runtime.bell("imports"))
    job = ImportJob(
        id=new_id(), source="demo", clients=clients, seed=seed, today=today, status="running",
        lease_owner=ledger.owner, lease_until=datetime(2999, 1, 1, tzinfo=ZoneInfo("UTC")),
        created_by_id="import", created_by_name="Import", updated_by_id="import", updated_by_name="Import",
    )  # fmt: skip
    with database.session() as session:
        session.add(job)
        session.commit()
    Engine(product.runtime, ledger, job, lambda: False).run(Marked(clients, seed, today))
    with database.session() as session:
        status, tables = session.execute(text("SELECT status, tables FROM import_job")).one()
    # A day that no visit of the plan fits is refused, here as in the demo.
    refused = {name: c["refused"] for name, c in tables.items() if c["refused"] and name != "plannedvisit"}
    if status != "done" or refused:
        raise RuntimeError(f"the pattern is {status}, refused: {refused}")


#: What clients keep, by name: one page of text and a photo's worth of bytes, kept once however many hold it.
_FILES = {
    "Attestation d’entretien.txt": "Attestation d’entretien\nAppareil contrôlé, rendement conforme.\n",
    "Contrat signé.txt": "Contrat d’entretien, conditions générales acceptées.\n",
    "Relevé de mesures.csv": "point;température\nDépart;62,5\nRetour;48,0\n",
}


def _documents(ask: _Api, client: str, rank: int) -> None:
    for number, (name, content) in enumerate(_FILES.items()):
        if (rank + number) % 3 != 2:
            ask.upload({"client_id": client, "name": name}, content.encode())


def _invoice(ask: _Api, client: str) -> None:
    """An invoice issued today, half of it paid; nothing where the client lacks what an invoice must bear."""
    lines = [
        {"label": "Main-d’œuvre de dépannage (heure)", "quantity": "1.5", "unit_price": "62.00", "vat_rate": "10"},
        {"label": "Déplacement", "quantity": "1", "unit_price": "38.50", "vat_rate": "10"},
        {"label": "Vase d’expansion 12 l", "quantity": "1", "unit_price": "74.90", "vat_rate": "20"},
    ]
    invoice = ask("POST", "/invoices", {"client_id": client, "lines": lines})
    issued = ask("POST", f"/invoices/{invoice['id']}/issue", {})
    ask("POST", f"/invoices/{invoice['id']}/payments", {"amount": "60.00", "means": "Virement"})
    assert issued["number"]


def _drained(product: EmbeddedProduct, seconds: float = 300) -> None:
    """Waits until every service has read what every other told. Raises `TimeoutError`."""
    assert product.runtime is not None
    deadline = time.monotonic() + seconds
    while True:
        heads = {}
        for name in SERVICES:
            with product.runtime.database(name).reading() as session:
                heads[name] = session.scalar(text("SELECT position FROM event_head"))
                if session.scalar(text("SELECT count(*) FROM parked_event")):
                    raise RuntimeError(f"{name} has parked events of the pattern")
        behind = []
        for name in SERVICES:
            with product.runtime.database(name).reading() as session:
                rows = session.execute(text("SELECT producer, position FROM event_place")).all()
                behind += [(name, row.producer) for row in rows if row.position < heads[row.producer]]
        if not behind:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"not drained: {behind}")
        time.sleep(0.2)


class _Api:
    """The pattern's own API."""

    def __init__(self, url: str, token: str) -> None:
        self._url = f"{url}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"}

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        return self._send(method, path, data, {"Content-Type": "application/json"} | headers)

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        asked = urllib.request.Request(self._url + path, data, self._headers | headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            self.etag = answer.headers.get("ETag")
            return json.loads(answer.read() or b"{}")

    def change(self, path: str, body: Any) -> None:
        """A merge patch of what stands there now."""
        self("GET", path)
        self("PATCH", path, body, **{"If-Match": self.etag or '"0"'})

    def all(self, path: str) -> list[Any]:
        """Every item of a list."""
        found, cursor = [], ""
        while True:
            page = self("GET", f"{path}?limit=200&sort=created_at{cursor}")
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = f"&cursor={page['next']}"

    def upload(self, fields: dict[str, str], content: bytes) -> None:
        """A document."""
        edge = "fiche-pattern-7f3a"
        parts = [
            f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="f.txt"\r\n\r\n'
        body = "".join(parts).encode() + head.encode() + content + f"\r\n--{edge}--\r\n".encode()
        self._send("POST", "/documents", body, {"Content-Type": f"multipart/form-data; boundary={edge}"})


if __name__ == "__main__":
    make(Path(sys.argv[1]), *(int(part) for part in sys.argv[2:5]))
