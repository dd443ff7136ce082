"""The Nameko class of `imports`: each message becomes one call of commands or queries; jobs run beside."""

from __future__ import annotations

from sqlalchemy import text

from chassis.service import Service, on, rpc
from contracts import clients
from contracts import imports as c
from contracts.base import Envelope
from contracts.forest import FOREST_REACHED
from services.imports import commands, queries
from services.imports.model import KINDS, Base
from services.imports.runner.extension import JobRunner
from services.kit.erasure import Erasing


class ImportsService(Erasing, Service):
    """Brings in what was kept elsewhere."""

    name = "imports"
    base = Base
    kinds = KINDS

    @JobRunner.decorator  # type: ignore[untyped-decorator]
    def run_jobs(self) -> None:
        """Never called as a worker: the runner lives as long as the service."""

    @on(clients.ClientErased, since="snapshot")
    def client_erased(self, event: clients.ClientErased, envelope: Envelope) -> None:
        self.erase(event.tree)
        self._heard(event.forest)

    @on(clients.ForestTold, since="snapshot")
    def forest_told(self, event: clients.ForestTold, envelope: Envelope) -> None:
        """Persons erased before this service began to follow, or whose events it missed."""
        if event.erased:
            self.erase(event.erased)
            self._heard(event.forest)

    def _heard(self, forest: int) -> None:
        self.uow.session.execute(
            text(
                "INSERT INTO erased_upto (forest) VALUES (:forest) "
                "ON CONFLICT (singleton) DO UPDATE SET forest = greatest(erased_upto.forest, excluded.forest)"
            ),
            {"forest": forest},
        )

    def erased_upto(self) -> int:
        return int(self.uow.session.scalar(text("SELECT forest FROM erased_upto")) or 0)

    def seen_to(self, upto: int) -> None:
        self.uow.emit(FOREST_REACHED[self.name](service=self.name, forest=upto, erased=upto))

    @rpc(c.CreateImport)
    def create(self, request: c.CreateImport) -> bytes:
        return commands.create_job(self.uow, request)

    @rpc(c.CancelImport)
    def cancel(self, request: c.CancelImport) -> bytes:
        return commands.cancel_job(self.uow, request)

    @rpc(c.GetImport)
    def get(self, request: c.GetImport) -> bytes:
        return queries.get_job(self.uow.session, request.id)

    @rpc(c.ListImports)
    def list(self, request: c.ListImports) -> bytes:
        return queries.list_jobs(self.uow.session, request)

    @rpc(c.ListImportLines)
    def lines(self, request: c.ListImportLines) -> bytes:
        return queries.list_lines(self.uow.session, request)

    @rpc(c.FindOutside)
    def find_outside(self, request: c.FindOutside) -> bytes:
        return queries.find_outside(self.uow.session, request)
