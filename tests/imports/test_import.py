"""A whole import, through the real services on a real PostgreSQL: figures, second run, crash, stop, refusals."""

from __future__ import annotations

import shutil
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from chassis.bell import Bell
from chassis.context import Context
from chassis.errors import FicheError, Unavailable
from chassis.objects import object_store
from chassis.runtime import Runtime
from chassis.settings import SERVICES, Settings
from chassis.wire.base import OK, Answer, Call
from chassis.wire.local import LocalWire
from contracts import accounts, billing, clients, documents, imports, interventions, maintenance
from services.imports.runner.extension import work_once
from services.imports.runner.ledger import Ledger
from tests.imports.conftest import SMALL
from tests.imports.figures import expected, row_numbers
from tests.support.services import ServiceUnderTest, make_service

KEY = "staging/0193f000-0000-7000-8000-00000000000a"


class Product:
    """All services, called as the wire calls them, and a runner over them."""

    def __init__(self, postgres_url: str, data: Path) -> None:
        self.services: dict[str, ServiceUnderTest] = {name: make_service(name, postgres_url) for name in SERVICES}
        self.settings = Settings(data_dir=data)
        self.runtime = Runtime(self.settings, LocalWire(), databases={"imports": self.services["imports"].database})
        self.runtime._client = self
        self.calls: Counter[str] = Counter()
        self.ask(accounts.Bootstrap())
        #: Stop answering after so many commands, as a process that is killed.
        self.dies_after: int | None = None
        self.away: set[str] = set()

    # RpcClient
    def call_many(self, calls: Sequence[Call], timeout: float) -> list[Answer]:
        return [self._answer(call) for call in calls]

    def close(self) -> None:
        for service in self.services.values():
            service.close()

    def _answer(self, call: Call) -> Answer:
        if call.service in self.away:
            error = Unavailable("absent", code="no_service")
            return Answer(error.kind, error.to_json(), from_wire=True)
        context = Context.from_headers(call.headers)
        self.calls[f"{call.service}.{call.method}"] += 1
        try:
            body = self.services[call.service].call_raw(
                f"{call.service}.{call.method}", call.body, context.actor, context.idempotency_key
            )
        except FicheError as error:
            return Answer(error.kind, error.to_json())
        if self.dies_after is not None and context.idempotency_key is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise SystemExit("killed")
        return Answer(OK, body)

    def ask(self, request: Any) -> Any:
        return self.services[request.rpc.partition(".")[0]].call(request)

    # the import
    def start(self, folder: Path | None, **values: Any) -> str:
        if folder is None:
            return str(self.ask(imports.CreateImport(source="demo", **values))["id"])
        store(self.settings, folder)
        return str(self.ask(imports.CreateImport(source="dolibarr", staging_key=KEY, **values))["id"])

    def work(self) -> None:
        ledger = Ledger(self.services["imports"].database, Bell())
        while work_once(self.runtime, ledger):
            pass

    def job(self, job_id: str) -> imports.Import:
        return imports.Import.model_validate(self.ask(imports.GetImport(id=job_id)))  # type: ignore[arg-type]

    def run(self, folder: Path | None, **values: Any) -> imports.Import:
        job_id = self.start(folder, **values)
        self.work()
        return self.job(job_id)

    def lines(self, job: imports.Import, level: str = "refused") -> dict[tuple[str, str], str]:
        return {
            (line["table"], line["row"]): line["reason"]
            for line in self.all(imports.ListImportLines, id=job.id, level=level)
        }

    def all(self, request: Any, **values: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor = None
        while True:
            page = self.ask(request(limit=200, cursor=cursor, **values))
            found += page["items"]
            cursor = page["next"]
            if cursor is None:
                return found

    def table_sizes(self) -> dict[str, int]:
        """Rows of every table that an import fills, and of every log."""
        sizes = {}
        for name, service in self.services.items():
            for (table,) in service.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
                if name != "imports" and table not in ("idempotent_answer",):
                    [(count,)] = service.sql(f'SELECT count(*) FROM "{table}"')
                    sizes[f"{name}.{table}"] = count
        return sizes


def store(settings: Settings, folder: Path) -> None:
    """The folder as a zip in the object store, as the gateway leaves an upload."""
    packed = settings.data_dir / "tables.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in sorted(folder.glob("*.csv")):
            archive.write(path, path.name)
    with packed.open("rb") as content:
        object_store(settings).put(KEY, content)


@pytest.fixture
def product(postgres_url: str, tmp_path: Path) -> Iterator[Product]:
    made = Product(postgres_url, tmp_path)
    yield made
    made.close()


def accounted(job: imports.Import) -> bool:
    return all(t.rows == t.created + t.updated + t.unchanged + t.refused for t in job.tables.values())


def test_everything_comes_in_with_its_figures_and_again_changes_nothing(product: Product, folder: Path) -> None:
    want = expected(folder)
    job = product.run(folder)
    assert (job.status, job.error) == ("done", "")
    assert accounted(job)
    assert {name: t.rows for name, t in job.tables.items()} == dict(row_numbers(folder))
    assert job.totals.unchanged == job.totals.updated == 0

    by_ref = {
        item["ref"]: item["id"]
        for start in range(0, len(want.names), 200)
        for item in product.ask(
            imports.FindOutside(refs=[f"dolibarr:societe:{n}" for n in list(want.names)[start : start + 200]])
        )["items"]
    }
    assert set(by_ref) == {f"dolibarr:societe:{rowid}" for rowid in want.names}
    for rowid, name in want.names.items():
        client = by_ref[f"dolibarr:societe:{rowid}"]
        assert product.ask(clients.GetClient(id=client))["display_name"] == " ".join(name.split())
        own = want.by_client[rowid]
        contacts = product.all(clients.ListSub, kind="contacts", client_id=client)
        assert len(contacts) == own["contacts"]
        assert len(product.all(interventions.ListInterventions, tree=[client])) == own["interventions"]
        assert len(product.all(interventions.ListJobSites, tree=[client])) == own["job_sites"]
        sums: Counter[str] = Counter()
        for what, request in (
            ("quotes", billing.ListQuotes),
            ("invoices", billing.ListInvoices),
            ("credit_notes", billing.ListCreditNotes),
        ):
            documents = product.all(request, tree=[client])
            assert len(documents) == own[what], (name, what)
            sums[what] = sum((Decimal(d["total_incl_tax"]) for d in documents), Decimal(0))  # type: ignore[assignment]
        for what in ("quotes", "invoices", "credit_notes"):
            assert sums[what] == want.money_by_client[rowid][what], (name, what)

    before = product.table_sizes()
    again = product.run(folder)
    assert again.status == "done"
    assert (again.totals.created, again.totals.updated) == (0, 0)
    assert again.totals.unchanged == job.totals.created
    assert product.lines(again) == product.lines(job)
    assert product.table_sizes() == before


def test_payments_reach_their_invoices(product: Product, folder: Path) -> None:
    product.run(folder)
    paid = sum((Decimal(invoice["paid"]) for invoice in product.all(billing.ListInvoices)), Decimal(0))
    assert paid == expected(folder).paid_on_invoices


def test_a_dry_run_tells_all_and_writes_nothing(product: Product, folder: Path) -> None:
    before = product.table_sizes()
    dry = product.run(folder, dry_run=True)
    assert dry.status == "done"
    assert accounted(dry)
    assert product.table_sizes() == before
    wet = product.run(folder)
    assert wet.totals == dry.totals


@pytest.mark.parametrize("deeds", [0, 1, 7, 30, 55])
def test_killed_anywhere_it_goes_on_without_doubling(product: Product, tmp_path: Path, deeds: int) -> None:
    job_id = product.start(SMALL)
    product.dies_after = deeds
    with pytest.raises(SystemExit):
        product.work()
    product.dies_after = None
    assert product.job(job_id).status == "running"
    product.services["imports"].sql("UPDATE import_job SET lease_until = now() - interval '1 second'")
    product.work()
    job = product.job(job_id)
    assert job.status == "done"
    assert accounted(job)
    assert job.totals.unchanged == 0
    assert len(product.all(clients.ListClients)) == len(expected(SMALL).names)
    again = product.run(SMALL)
    assert again.totals.unchanged == job.totals.created


def test_while_an_owner_is_away_the_job_waits_and_then_goes_on(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.imports.runner.post.time.sleep", lambda seconds: None)
    job_id = product.start(SMALL)
    product.away = {"billing"}
    product.work()
    waiting = product.job(job_id)
    assert (waiting.status, "billing" in waiting.error) == ("running", True)
    product.away = set()
    product.services["imports"].sql("UPDATE import_job SET lease_until = now() - interval '1 second'")
    product.work()
    job = product.job(job_id)
    assert (job.status, job.error, accounted(job)) == ("done", "", True)
    assert product.all(billing.ListInvoices)


def test_a_zip_that_is_no_dolibarr_fails_in_words(product: Product, tmp_path: Path) -> None:
    empty = tmp_path / "vide"
    empty.mkdir()
    (empty / "autre.csv").write_text("a,b\n1,2\n")
    job = product.run(empty)
    assert job.status == "failed"
    assert "societe" in job.error


def test_the_file_is_gone_once_it_was_read_and_a_lost_one_is_told(product: Product) -> None:
    product.run(SMALL, dry_run=True)
    assert object_store(product.settings).exists(KEY)
    product.run(SMALL)
    assert not object_store(product.settings).exists(KEY)
    job_id = str(product.ask(imports.CreateImport(source="dolibarr", staging_key=KEY))["id"])
    product.work()
    lost = product.job(job_id)
    assert (lost.status, "disparu" in lost.error) == ("failed", True)


def test_what_an_owner_refuses_is_listed_with_its_dependents(product: Product, tmp_path: Path) -> None:
    """A reference that another client bears already: the owner refuses the client, the rest follows in words."""
    taken = product.ask(
        clients.CreateClient(body=clients.ClientBody(kind="company", company_name="Avant", reference="CU2401-0003"))
    )
    assert taken["reference"] == "CU2401-0003"
    job = product.run(SMALL)
    assert job.status == "done"
    assert accounted(job)
    lines = product.lines(job)
    assert ("societe", "12") in lines
    assert ("facture", "2") in lines
    assert ("facturedet", "3") in lines


def test_what_changed_in_the_source_follows_and_what_was_done_here_stays(product: Product, tmp_path: Path) -> None:
    product.run(SMALL)
    [item] = product.ask(imports.FindOutside(refs=["dolibarr:societe:12"]))["items"]
    product.ask(clients.UpdateClient(id=item["id"], changes=clients.ClientChanges(email="ici@courriel.example")))
    later = tmp_path / "later"
    shutil.copytree(SMALL, later)
    table = later / "dol_societe.csv"
    changed = table.read_bytes().decode()
    changed = changed.replace("06 39 98 20 12", "06 39 98 20 99").replace("elodie.moreau@", "e.moreau@")
    table.write_bytes(changed.encode())
    job = product.run(later)
    assert accounted(job)
    assert job.tables["societe"].updated == 1
    # Tags and extra fields came in with the company's row.
    assert job.totals.updated == 3
    assert job.totals.created == 0
    client = product.ask(clients.GetClient(id=item["id"]))
    assert (client["phone"], client["email"]) == ("06 39 98 20 99", "ici@courriel.example")
    assert "email" in product.lines(job, "notice")["societe", "12"]
    again = product.run(later)
    assert (again.totals.created, again.totals.updated) == (0, 0)


def test_a_made_up_company_comes_in_whole_and_once(product: Product) -> None:
    job = product.run(None, clients=12, seed=4)
    assert (job.status, accounted(job)) == ("done", True)
    assert job.totals.refused == 0, product.lines(job)
    assert job.tables["client"].created == 12
    assert len(product.all(clients.ListClients)) == 12
    before = product.table_sizes()
    again = product.run(None, clients=12, seed=4)
    assert (again.totals.created, again.totals.refused) == (0, 0)
    assert product.table_sizes() == before


def edited(folder: Path, table: str, *pairs: tuple[str, str]) -> None:
    """Replaces what stands in a table of a folder, byte for byte."""
    path = folder / f"dol_{table}.csv"
    body = path.read_bytes()
    for before, after in pairs:
        assert before.encode() in body, before
        body = body.replace(before.encode(), after.encode(), 1)
    path.write_bytes(body)


def outside(product: Product, ref: str) -> str:
    [item] = product.ask(imports.FindOutside(refs=[f"dolibarr:{ref}"]))["items"]
    return str(item["id"])


def test_an_imported_client_can_be_invoiced_at_once(product: Product) -> None:
    product.run(SMALL)
    client = product.ask(clients.GetClient(id=outside(product, "societe:10")))  # type: ignore[arg-type]
    details = product.ask(billing.GetDetails(client_id=client["id"]))
    assert details["billing_name"] == client["display_name"]
    assert details["billing_address_id"] == client["main_address"]["id"]


def test_a_visit_done_under_a_contract_is_green_and_what_changes_later_follows(
    product: Product, tmp_path: Path
) -> None:
    first, later = tmp_path / "first", tmp_path / "later"
    shutil.copytree(SMALL, first)
    edited(
        first,
        "fichinter",
        ("description;note_private", "description;fk_contrat"),
        ("0000-00-00;0000-00-00", "2024-03-05 08:00:00;2024-03-05 10:00:00"),
        (";NULL", ";1"),
    )
    job = product.run(first)
    assert accounted(job), product.lines(job)
    plan, work = outside(product, "contrat:1"), outside(product, "fichinter:1")
    [visit] = product.all(maintenance.ListVisits, plan_id=plan, colour="green")
    assert (visit["intervention_id"], visit["period_start"] <= "2024-03-05" <= visit["period_end"]) == (work, True)
    past = product.all(maintenance.ListVisits, plan_id=plan, colour="red", to_day="2026-01-01")
    assert past == [], "nothing of the past is asked to be planned"
    again = product.run(first)
    assert (again.totals.created, again.totals.updated) == (0, 0)
    shutil.copytree(first, later)
    edited(later, "fichinter", ("3e", "4e"), ("2024-02-10 09:00:00;;2;0;0", "2024-02-10 09:00:00;;2;3;0"))
    edited(later, "ecm_files", ("photo.jpg", "plaque.jpg"))
    changed = product.run(later)
    assert accounted(changed), product.lines(changed)
    described = product.ask(interventions.GetIntervention(id=work))  # type: ignore[arg-type]
    assert "4e" in described["description"]
    finished = product.ask(interventions.GetIntervention(id=outside(product, "fichinter:2")))  # type: ignore[arg-type]
    assert finished["state"] == "done"
    assert "plaque.jpg" in [item["name"] for item in product.all(documents.ListDocuments)]
