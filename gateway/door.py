"""What ids from outside mean: the door asks `clients.identify` and the owners (architecture, rule 11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.errors import Conflict, Gone, Invalid, Moved, NotFound
from contracts.accounts import GetUser
from contracts.clients import Identify, ListSub
from contracts.documents import CheckDocuments
from contracts.equipment import CheckEquipment
from contracts.interventions import CheckInterventions
from contracts.words import CLIENT_DELETED
from gateway.rpc import Rpc, refuse_unless_answered


@dataclass(frozen=True)
class Home:
    """Where a new row belongs: `root` is the living client, `written` the id the caller used."""

    root: UUID
    written: UUID
    tree: list[UUID]
    status: str
    forest: int

    def ids(self) -> dict[str, UUID]:
        """Both ids that a create command asks for."""
        return {"home_client_id": self.root, "written_client_id": self.written}


def uuid_of(value: Any, field: str) -> UUID:
    """An id, or 422 at its field."""
    try:
        return UUID(str(value))
    except ValueError:
        raise Invalid.field(field, "Ce n’est pas un identifiant.") from None


class ClientDoor:
    """Asks `clients` and the owners of other ids, once per request."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    def home(
        self,
        client_id: UUID,
        *,
        new_work: bool = False,
        follow: bool = True,
        address_id: Any = None,
        contact_id: Any = None,
        field: str | None = None,
        names: tuple[str, str] = ("address_id", "contact_id"),
    ) -> Home:
        """What a client's id means now.

        Raises `NotFound` (or `Invalid` at `field` where the id came in a body), `Gone`, `Conflict` when new work is
        asked of an archived client, `Moved` when the id was merged and `follow` is false, `Invalid` for an address
        or contact of somebody else; `names` are the fields that hold these two.
        """
        answer = self._rpc.ask_json(
            Identify(
                ids=[client_id],
                address_ids=[uuid_of(address_id, names[0])] if address_id else [],
                contact_ids=[uuid_of(contact_id, names[1])] if contact_id else [],
            )
        )
        [found] = answer["clients"]
        if not found["found"]:
            if field:
                raise Invalid.field(field, "Ce client n’existe pas.")
            raise NotFound("Cette fiche n’existe pas.")
        root = UUID(found["root_id"])
        if found["status"] == "deleted":
            if found["erased"]:
                refuse_unless_answered(
                    Gone("Les données de cette personne ont été effacées, pour toujours.", code="client_erased")
                )
            refuse_unless_answered(Gone(CLIENT_DELETED))
        if root != client_id and not follow:
            raise Moved("Cette fiche a été fusionnée dans une autre.", data={"client_id": str(root)})
        if new_work and found["status"] == "archived":
            refuse_unless_answered(
                Conflict("Cette fiche est archivée\u202f: désarchivez-la pour y travailler.", code="client_archived")
            )
        for name, what, given, table in (
            (names[0], "Cette adresse", address_id, answer["addresses"]),
            (names[1], "Ce contact", contact_id, answer["contacts"]),
        ):
            if given and str(table.get(str(UUID(str(given))), {}).get("root_id")) != str(root):
                raise Invalid.field(name, f"{what} n’est pas de ce client.")
        self.places = {key: value.get("place_id") for key, value in answer["addresses"].items()}
        return Home(root, client_id, [UUID(record) for record in found["tree"]], found["status"], answer["forest"])

    def of_row(
        self, client_id: UUID, values: dict[str, Any], *, new_work: bool = False, field: str | None = None
    ) -> Home:
        """What `home` tells, after each id of a row's body was checked with its owner to be of the same client."""
        address_id, contact_id = values.get("address_id"), values.get("contact_id")
        home = self.home(client_id, new_work=new_work, field=field, address_id=address_id, contact_id=contact_id)
        self.check_equipment(listed(values.get("equipment_ids")), home.tree)
        self.check_equipment([values["parent_id"]] if values.get("parent_id") else [], home.tree, "parent_id")
        self.check_documents(listed(values.get("photos")), home.tree)
        works = listed(values.get("intervention_ids"))
        self.check_work(
            home.tree,
            job_site_id=values.get("job_site_id"),
            intervention_ids=[*works, values["intervention_id"]] if values.get("intervention_id") else works,
        )
        return home

    def tree(self, client_id: Any) -> list[UUID]:
        """The tree of a filter `client_id`."""
        return self.home(uuid_of(client_id, "client_id")).tree

    def check_equipment(self, ids: list[Any], tree: list[UUID], field: str = "equipment_ids") -> None:
        """Raises `Invalid` when an equipment is not of the tree."""
        if ids:
            asked = [uuid_of(identifier, field) for identifier in ids]
            if self._rpc.ask_json(CheckEquipment(ids=asked, tree=tree))["foreign"]:
                raise Invalid.field(field, "Un de ces équipements n’est pas de ce client.")

    def check_documents(self, ids: list[Any], tree: list[UUID], field: str = "photos") -> None:
        """Raises `Invalid` when a document is not of the tree."""
        if ids:
            asked = [uuid_of(identifier, field) for identifier in ids]
            if self._rpc.ask_json(CheckDocuments(ids=asked, tree=tree))["foreign"]:
                raise Invalid.field(field, "Un de ces documents n’est pas de ce client, ou est à la corbeille.")

    def check_staff(self, user_id: Any, field: str) -> None:
        """Raises `Invalid` unless the id, where given, is that of an active member of staff."""
        if user_id in (None, ""):
            return
        try:
            known = self._rpc.ask_json(GetUser(id=uuid_of(user_id, field)))["active"]
        except NotFound:
            known = False
        if not known:
            raise Invalid.field(field, "Cette personne ne fait pas partie de l’équipe.")

    def check_payer(self, root: UUID, payer_id: Any) -> None:
        """Raises `Invalid` unless the payer is the client itself or one related to it."""
        payer = self.home(uuid_of(payer_id, "payer_id"), field="payer_id").root
        if payer == root:
            return
        cursor: str | None = None
        while True:
            page = self._rpc.ask_json(ListSub(kind="relations", client_id=root, limit=200, cursor=cursor))
            if any(relation["other_client_id"] == str(payer) for relation in page["items"]):
                return
            cursor = page["next"]
            if cursor is None:
                raise Invalid.field(
                    "payer_id", "Ce payeur n’est pas lié à ce client\u202f: ajoutez d’abord la relation."
                )

    def check_work(self, tree: list[UUID], *, job_site_id: Any = None, intervention_ids: Any = ()) -> None:
        """Raises `Invalid` when a job site or an intervention is not of the tree."""
        if not job_site_id and not intervention_ids:
            return
        sites = [uuid_of(job_site_id, "job_site_id")] if job_site_id else []
        works = [uuid_of(identifier, "intervention_id") for identifier in intervention_ids]
        answer = self._rpc.ask_json(CheckInterventions(tree=tree, ids=works, job_site_ids=sites))
        if any(str(identifier) in answer["foreign"] for identifier in sites):
            raise Invalid.field("job_site_id", "Ce chantier n’est pas de ce client.")
        if any(str(identifier) in answer["foreign"] for identifier in works):
            raise Invalid.field("intervention_id", "Cette intervention n’est pas de ce client.")


def listed(value: Any) -> list[Any]:
    """The value if it is a list; another shape is refused later, by the body's own model."""
    return value if isinstance(value, list) else []
