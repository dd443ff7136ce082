"""The Nameko class of `clients`: each message becomes one call of commands or queries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select, text

from chassis.service import every, rpc, whenever_told
from contracts import clients as c
from contracts.base import Event
from contracts.clients import erasures as e
from contracts.clients import merges as m
from contracts.forest import CountHomes, HomeCounts, Homes, HomesOf, ReassignRow, UndoneRows, UndoRows
from services.clients.commands import (
    activities,
    addresses,
    contacts,
    custom_fields,
    distinct,
    erasing,
    layout,
    memo,
    merges,
    moves,
    pairs,
    records,
    relations,
)
from services.clients.commands.shared import facts
from services.clients.listener import Listener
from services.clients.model import KINDS, MOVABLE, Address, Base, Client, Contact
from services.clients.queries import activities as activity_queries
from services.clients.queries import duplicates, erasures, history, identity, rows, search, settings
from services.clients.queries import memo as memo_queries
from services.clients.queries import merges as merge_queries
from services.clients.queries import pairs as pair_queries
from services.clients.queries import records as record_queries
from services.kit.erasure import Erasing, Taken
from services.kit.forest import count_homes
from services.kit.movable import homes_of, undo_rows

_DELETERS = {
    "addresses": addresses.delete_address,
    "contacts": contacts.delete_contact,
    "relations": relations.delete_relation,
    "activities": activities.delete_activity,
}
_RESTORERS = {
    "addresses": addresses.restore_address,
    "contacts": contacts.restore_contact,
    "relations": relations.restore_relation,
    "activities": activities.restore_activity,
}


def _streamed(query: Any) -> Any:
    """A query whose rows are not all in memory at once."""
    return query.execution_options(yield_per=500)


class ClientsService(Erasing, Listener):
    """Who the clients are, what was said, where; and what an id means."""

    name = "clients"
    base = Base
    kinds = KINDS

    snapshot_covers = (
        c.ClientCreated,
        c.ClientUpdated,
        c.AddressCreated,
        c.AddressUpdated,
        c.ContactCreated,
        c.ContactUpdated,
        c.ContactDeleted,
        c.ClientMerged,
        c.ClientMergeUndone,
        c.ClientErased,
        c.ForestTold,
    )

    def snapshot_events(self) -> Iterator[Event]:
        """What ids mean; every record, address and living contact as it stands."""
        session = self.uow.session
        yield identity.forest_told(session)
        for row in session.scalars(_streamed(select(Client).where(Client.merged_into.is_(None)))):
            yield c.ClientUpdated(**facts(row), changed=[])
        roots: dict[Any, Any] = {
            row.id: row.root_id for row in session.execute(text("SELECT id, root_id FROM client_alias"))
        }
        for address in session.scalars(_streamed(select(Address))):
            root = roots.get(address.home_client_id, address.home_client_id)
            yield c.AddressUpdated(**addresses.state(address, root))
        for contact in session.scalars(_streamed(select(Contact).where(Contact.deleted_at.is_(None)))):
            root = roots.get(contact.home_client_id, contact.home_client_id)
            yield c.ContactUpdated(**contacts.state(contact, root))

    def forget_copies(self, producer: str) -> None:
        """Names of staff."""
        if producer == "accounts":
            self.uow.session.execute(text("DELETE FROM known_user"))

    # --- records ----------------------------------------------------------------------------------------------

    @rpc(c.CreateClient)
    def create(self, request: c.CreateClient) -> bytes:
        return records.create_client(self.uow, request)

    @rpc(c.UpdateClient)
    def update(self, request: c.UpdateClient) -> bytes:
        return records.update_client(self.uow, request)

    @rpc(c.ConvertClient)
    def convert(self, request: c.ConvertClient) -> bytes:
        return records.convert_client(self.uow, request)

    @rpc(c.SetStatus)
    def set_status(self, request: c.SetStatus) -> bytes:
        return records.set_status(self.uow, request)

    @rpc(c.SetMemo)
    def set_memo(self, request: c.SetMemo) -> bytes:
        return memo.set_memo(self.uow, request)

    @rpc(c.GetMemo)
    def get_memo(self, request: c.GetMemo) -> bytes:
        return memo_queries.get_memo(self.uow.session, request.client_id)

    @rpc(c.MemoVersions)
    def memo_versions(self, request: c.MemoVersions) -> bytes:
        return memo_queries.memo_versions(self.uow.session, request)

    @rpc(c.GetClient)
    def get(self, request: c.GetClient) -> bytes:
        return record_queries.get_client(self.uow.session, request.id)

    @rpc(c.ListClients)
    def list(self, request: c.ListClients) -> bytes:
        return search.list_clients(self.uow.session, request, self.uow.database.settings.undo_days)

    @rpc(c.CountClients)
    def counts(self, request: c.CountClients) -> bytes:
        kept_days = self.uow.database.settings.undo_days
        return orjson.dumps(record_queries.counts(self.uow.session, kept_days))

    @rpc(c.Neighbours)
    def neighbours(self, request: c.Neighbours) -> bytes:
        return search.neighbours(self.uow.session, request)

    @rpc(c.FindDuplicates)
    def find_duplicates(self, request: c.FindDuplicates) -> c.Duplicates:
        return duplicates.find_duplicates(self.uow.session, request)

    @rpc(c.ListDuplicates)
    def list_duplicates(self, request: c.ListDuplicates) -> c.Duplicates:
        return duplicates.list_duplicates(self.uow.session, request)

    @whenever_told(1)
    def follow_likeness(self) -> None:
        """Compares again what changed, and what a scan asks for."""
        pairs.follow(self.uow)

    @rpc(c.FindAmong)
    def find_among(self, request: c.FindAmong) -> c.FoundAmong:
        return pairs.find_among(self.uow, request)

    @rpc(c.ListLikelyPairs)
    def list_likely_pairs(self, request: c.ListLikelyPairs) -> bytes:
        return pair_queries.list_pairs(self.uow.session, request)

    @rpc(c.StartScan)
    def start_scan(self, request: c.StartScan) -> bytes:
        return pairs.start_scan(self.uow, request)

    @rpc(c.GetScan)
    def get_scan(self, request: c.GetScan) -> bytes:
        return pair_queries.get_scan(self.uow.session)

    @rpc(c.ClientFiche)
    def fiche(self, request: c.ClientFiche) -> bytes:
        return record_queries.fiche(self.uow.session, request)

    @rpc(c.Identify)
    def identify(self, request: c.Identify) -> c.IdentifyAnswer:
        return identity.identify(self.uow.session, request)

    @rpc(CountHomes)
    def count_homes(self, request: CountHomes) -> HomeCounts:
        return HomeCounts(counts=count_homes(self.uow.session, KINDS, request.tree))

    @rpc(UndoRows)
    def undo_rows(self, request: UndoRows) -> UndoneRows:
        session = self.uow.session
        return undo_rows(session, request, KINDS, MOVABLE, count_homes(session, KINDS, request.branch))

    @rpc(HomesOf)
    def homes_of(self, request: HomesOf) -> Homes:
        return Homes.model_validate({"homes": homes_of(self.uow.session, request, KINDS)})

    # --- merges -----------------------------------------------------------------------------------------------

    @rpc(m.MergeClients)
    def merge(self, request: m.MergeClients) -> bytes:
        return merges.merge_clients(self.uow, request)

    @rpc(m.PreviewMerge)
    def preview_merge(self, request: m.PreviewMerge) -> m.MergePreview:
        return merge_queries.preview_merge(self.uow.session, request)

    @rpc(m.UndoMerge)
    def undo_merge(self, request: m.UndoMerge) -> bytes:
        return merges.undo_merge(self.uow, request)

    @rpc(m.PreviewUndo)
    def preview_undo(self, request: m.PreviewUndo) -> m.UndoPreview:
        return merge_queries.preview_undo(self.uow.session, request, self.uow.now)

    @rpc(m.GetMerge)
    def get_merge(self, request: m.GetMerge) -> bytes:
        return merge_queries.get_merge(self.uow.session, request.id)

    @rpc(m.ListMerges)
    def list_merges(self, request: m.ListMerges) -> bytes:
        return merge_queries.list_merges(self.uow.session, request)

    @rpc(m.NotDuplicates)
    def not_duplicates(self, request: m.NotDuplicates) -> bytes:
        return distinct.not_duplicates(self.uow, request)

    @rpc(ReassignRow)
    def reassign_row(self, request: ReassignRow) -> bytes:
        return moves.reassign_row(self.uow, request)

    # --- erasures ---------------------------------------------------------------------------------------------

    @rpc(e.EraseClient)
    def erase_client(self, request: e.EraseClient) -> bytes:
        self.ring_erased()
        return erasing.erase_client(self.uow, request)

    def erased_upto(self) -> int:
        return int(self.uow.session.scalar(text("SELECT version FROM client_forest")) or 0)

    def taken_over(self, erased: Sequence[UUID]) -> Sequence[Taken]:
        return erasing.taken_over(self.uow.session, erased)

    def seen_to(self, upto: int) -> None:
        erasing.reached(self.uow, self.name, upto)

    @rpc(e.PreviewErase)
    def preview_erase(self, request: e.PreviewErase) -> e.ErasurePreview:
        return erasures.preview_erase(self.uow.session, request)

    @rpc(e.GetErasure)
    def get_erasure(self, request: e.GetErasure) -> bytes:
        return erasures.get_erasure(self.uow.session, request.id)

    @rpc(e.ListErasures)
    def list_erasures(self, request: e.ListErasures) -> bytes:
        return erasures.list_erasures(self.uow.session, request)

    @every(3600)
    def purge(self) -> None:
        """Erases what was deleted too long ago to be restored."""

        def one() -> bool:
            self.ring_erased()
            return erasing.purge_one(self.uow)

        while self.uow.run(None, one):
            pass

    @rpc(c.History)
    def history(self, request: c.History) -> bytes:
        return history.history(self.uow.session, request)

    @rpc(c.CreateCustomField)
    def create_custom_field(self, request: c.CreateCustomField) -> bytes:
        return custom_fields.create_custom_field(self.uow, request)

    @rpc(c.ListCustomFields)
    def list_custom_fields(self, request: c.ListCustomFields) -> bytes:
        return settings.list_custom_fields(self.uow.session, request)

    @rpc(c.GetCustomField)
    def get_custom_field(self, request: c.GetCustomField) -> bytes:
        return settings.get_custom_field(self.uow.session, request.id)

    @rpc(c.UpdateCustomField)
    def update_custom_field(self, request: c.UpdateCustomField) -> bytes:
        return custom_fields.update_custom_field(self.uow, request)

    @rpc(c.DeleteCustomField)
    def delete_custom_field(self, request: c.DeleteCustomField) -> bytes:
        return custom_fields.delete_custom_field(self.uow, request)

    @rpc(c.RestoreCustomField)
    def restore_custom_field(self, request: c.RestoreCustomField) -> bytes:
        return custom_fields.restore_custom_field(self.uow, request)

    @rpc(c.GetLayout)
    def get_layout(self, request: c.GetLayout) -> bytes:
        return settings.get_layout(self.uow.session)

    @rpc(c.SetLayout)
    def set_layout(self, request: c.SetLayout) -> bytes:
        return layout.set_layout(self.uow, request)

    @rpc(c.FicheSettings)
    def fiche_settings(self, request: c.FicheSettings) -> bytes:
        return settings.fiche_settings(self.uow.session)

    # --- rows -------------------------------------------------------------------------------------------------

    @rpc(c.CreateAddress)
    def create_address(self, request: c.CreateAddress) -> bytes:
        return addresses.create_address(self.uow, request)

    @rpc(c.UpdateAddress)
    def update_address(self, request: c.UpdateAddress) -> bytes:
        return addresses.update_address(self.uow, request)

    @rpc(c.PromoteAddress)
    def promote_address(self, request: c.PromoteAddress) -> bytes:
        return addresses.promote_address(self.uow, request)

    @rpc(c.CreateContact)
    def create_contact(self, request: c.CreateContact) -> bytes:
        return contacts.create_contact(self.uow, request)

    @rpc(c.UpdateContact)
    def update_contact(self, request: c.UpdateContact) -> bytes:
        return contacts.update_contact(self.uow, request)

    @rpc(c.CreateRelation)
    def create_relation(self, request: c.CreateRelation) -> bytes:
        return relations.create_relation(self.uow, request)

    @rpc(c.UpdateRelation)
    def update_relation(self, request: c.UpdateRelation) -> bytes:
        return relations.update_relation(self.uow, request)

    @rpc(c.CreateActivity)
    def create_activity(self, request: c.CreateActivity) -> bytes:
        return activities.create_activity(self.uow, request)

    @rpc(c.UpdateActivity)
    def update_activity(self, request: c.UpdateActivity) -> bytes:
        return activities.update_activity(self.uow, request)

    @rpc(c.GetSub)
    def get_sub(self, request: c.GetSub) -> bytes:
        return rows.get_sub(self.uow.session, request)

    @rpc(c.ListSub)
    def list_sub(self, request: c.ListSub) -> bytes:
        return rows.list_sub(self.uow.session, request)

    @rpc(c.ListActivities)
    def list_activities(self, request: c.ListActivities) -> bytes:
        return activity_queries.list_activities(self.uow.session, request)

    @rpc(c.FindContacts)
    def find_contacts(self, request: c.FindContacts) -> bytes:
        return rows.find_contacts(self.uow.session, request)

    @rpc(c.DeleteSub)
    def delete_sub(self, request: c.DeleteSub) -> bytes:
        return _DELETERS[request.kind](self.uow, request)

    @rpc(c.RestoreSub)
    def restore_sub(self, request: c.RestoreSub) -> bytes:
        return _RESTORERS[request.kind](self.uow, request)
