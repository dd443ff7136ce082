"""Random deeds on the running product, each compared with the oracle."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from chassis.settings import SERVICES
from tests.merge.oracle import Merged, Oracle
from tests.merge.support import rows_that_say
from tests.support.waiting import wait_until

FIELDS = {
    "email": st.sampled_from(["", "a@exemple.fr", "b@exemple.fr", "c@exemple.fr"]),
    "website": st.sampled_from(["", "https://un.example", "https://deux.example"]),
    "registration_number": st.sampled_from(["", "M-1", "M-2", "M-3"]),
}
TERMS = st.sampled_from(["30 jours", "45 jours", "À réception", "60 jours"])
SECTIONS = ("equipment", "interventions", "quotes", "contacts", "addresses")
WITHOUT_JOIN = st.sampled_from(["survivor", "duplicate"])
DEEDS = ("merge", "add", "give away", "undo") * 2 + ("erase",)
CHOICES = st.fixed_dictionaries(
    dict.fromkeys((*sorted(FIELDS), "payment_terms"), WITHOUT_JOIN)
    | {"memo": st.sampled_from(["survivor", "duplicate", "join"]), "main_address_id": WITHOUT_JOIN}
)


class MergeMachine(RuleBasedStateMachine):
    """Creates, edits, merges, undoes and erases at random.

    `http` asks as an administrator, `sql` looks into a service's database; set by who runs it. `tally` counts deeds.
    """

    http: httpx.Client
    sql: Any
    services: tuple[str, ...] = SERVICES
    tally: ClassVar[Counter[str]] = Counter()
    stop: Any
    start: Any
    records = Bundle("records")
    done = Bundle("done")

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.away: str | None = None
        self.erasures: list[str] = []

    # --- deeds ----------------------------------------------------------------------------------------------------

    @initialize(target=records, values=st.lists(st.fixed_dictionaries(FIELDS), min_size=4, max_size=4))
    def first(self, values: list[dict[str, str]]) -> Any:
        return multiple(*(self.open(each) for each in values))

    @rule(target=records, values=st.fixed_dictionaries(FIELDS))
    def open(self, values: dict[str, str]) -> str:
        number = len(self.oracle.names) + 1
        mark = self._mark()
        body = {"kind": "company", "company_name": f"Société {number} {mark}", **values}
        made = self._ok(self.http.post("/clients", json=body), 201)
        record = str(made["id"])
        self.oracle.marks[record] = mark
        self.oracle.opened(record, made["display_name"], values)
        note(f"opened {number} = {record}")
        return record

    @rule(record=records, key=st.sampled_from(sorted(FIELDS)), data=st.data())
    def edit(self, record: str, key: str, data: st.DataObject) -> None:
        """Under an old id the write is refused with the survivor's state; then it is sent to the survivor."""
        value = data.draw(FIELDS[key])
        root = self.oracle.root(record)
        if root in self.oracle.deleted:
            return
        if root != record:
            stale = self.http.patch(f"/clients/{record}", json={key: value}, headers={"If-Match": '"1"'})
            assert stale.status_code == 412, stale.text
            assert stale.json()["data"]["client_id"] == root
        version = self._client(root)["version"]
        answer = self.http.patch(f"/clients/{root}", json={key: value}, headers={"If-Match": f'"{version}"'})
        before = self.oracle.fields(root).get(key) or ""
        self._ok(answer)
        if before != value:
            self.oracle.written(root, key, value)

    @rule(record=records, text=st.sampled_from(["Un", "Deux", "Trois\nlignes", ""]))
    def write_memo(self, record: str, text: str) -> None:
        root = self.oracle.root(record)
        if root in self.oracle.deleted:
            return
        text = text and f"{text} {self.oracle.marks[root]}"
        url = f"/clients/{root}/memo"
        self._ok(self.http.put(url, json={"text": text}, headers={"If-Match": self.http.get(url).headers["ETag"]}))
        if (self.oracle.fields(root).get("memo") or "") != text:
            self.oracle.written(root, "memo", text)

    @rule(record=records, section=st.sampled_from(SECTIONS))
    def add_row(self, record: str, section: str) -> None:
        """Under whatever id, old ones too."""
        if self.oracle.root(record) in self.oracle.deleted or self._owner(section) == self.away:
            return
        mark = self._mark()
        path, said = {
            "equipment": ("/equipment", {"client_id": record, "name": f"Chaudière {mark}"}),
            "interventions": ("/interventions", {"client_id": record, "title": f"Panne {mark}"}),
            "quotes": ("/quotes", {"client_id": record, "lines": [], "notes": mark}),
            "contacts": (f"/clients/{record}/contacts", {"last_name": f"Petit {mark}"}),
            "addresses": (f"/clients/{record}/addresses", {"street": f"1 rue {mark}", "city": "Ars"}),
        }[section]
        made = self._ok(self.http.post(path, json=said), 201)
        # Whose it is the fiche tells: the answer says so as its service knew it, which may not have heard of an undo.
        self.oracle.added(section, made["id"], record)
        self.oracle.marks[made["id"]] = mark

    @precondition(lambda self: self.away != "equipment")
    @rule(target_record=records, data=st.data())
    def reassign(self, target_record: str, data: st.DataObject) -> None:
        """By hand, to whom an id means now; no undo takes it back."""
        living = [
            row
            for row, (section, home) in self.oracle.rows.items()
            if section == "equipment" and self.oracle.root(home) not in self.oracle.deleted
        ]
        root = self.oracle.root(target_record)
        if not living or root in self.oracle.deleted:
            return
        row = data.draw(st.sampled_from(living))
        self._ok(self.http.post(f"/equipment/{row}/reassign", json={"client_id": target_record}))
        self.oracle.rows[row] = ("equipment", root)
        self.tally["re-assignments"] += 1

    @rule(record=records, data=st.data())
    def promote(self, record: str, data: st.DataObject) -> None:
        root = self.oracle.root(record)
        there = sorted(self.oracle.shown("addresses", root))
        if not there or root in self.oracle.deleted:
            return
        chosen = data.draw(st.sampled_from(there))
        self._ok(self.http.post(f"/clients/{root}/addresses/{chosen}/promote", json={}))
        if self.oracle.main_address(root) != chosen:
            self.oracle.written(root, "main_address_id", chosen)

    @precondition(lambda self: self.away != "billing")
    @rule(record=records, terms=TERMS)
    def bill(self, record: str, terms: str) -> None:
        root = self.oracle.root(record)
        if root in self.oracle.deleted:
            return
        self.at_rest()
        url = f"/clients/{root}/billing"
        etag = self.http.get(url).headers["ETag"]
        self._ok(self.http.patch(url, json={"payment_terms": terms}, headers={"If-Match": etag}))
        if self.oracle.fields(root).get("payment_terms") != terms:
            self.oracle.written(root, "payment_terms", terms)

    @rule(superior=records, inferior=records, kind=st.sampled_from(["branch", "tenant"]))
    def relate(self, superior: str, inferior: str, kind: str) -> None:
        """One that would wait is refused; whoever deletes one deletes its twins."""
        ends = (self.oracle.root(superior), self.oracle.root(inferior))
        if self.oracle.deleted & set(ends):
            return
        body = {"type": kind, "other_client_id": inferior}
        answer = self.http.post(f"/clients/{superior}/relations", json=body)
        refused = self.oracle.would_wait(kind, *ends)
        assert answer.status_code == ({"self": 422}.get(refused, 409) if refused else 201), (refused, answer.text)
        if not refused:
            self.oracle.relations[answer.json()["id"]] = (kind, *ends)

    @rule(record=records, data=st.data())
    def part(self, record: str, data: st.DataObject) -> None:
        root = self.oracle.root(record)
        there = sorted(self.oracle.relations_of(root))
        if not there or root in self.oracle.deleted:
            return
        chosen = data.draw(st.sampled_from(there))
        answer = self.http.delete(f"/clients/{root}/relations/{chosen}")
        assert answer.status_code in (200, 204), answer.text
        self.oracle.parted(chosen)

    @rule(target=done, data=st.data(), choices=CHOICES)
    def merge_two_that_live(self, data: st.DataObject, choices: dict[str, str]) -> Any:
        """Of any two ids most are the same, merged or deleted, and nothing is merged."""
        living = [record for record in self.oracle.roots() if record not in self.oracle.deleted]
        if len(living) < 2:
            return multiple()
        return self.merge(*data.draw(st.permutations(living).map(lambda all: all[:2])), choices)

    @rule(target=done, survivor=records, duplicate=records, choices=CHOICES)
    def merge(self, survivor: str, duplicate: str, choices: dict[str, str]) -> Any:
        body = {"survivor_id": survivor, "duplicate_id": duplicate, "reason": "Doublon", "choices": choices}
        answer = self.http.post("/merges", json=body)
        ends = (survivor, duplicate)
        refused = {409 for end in ends if self.oracle.parent(end)} | {410 for end in ends if end in self.oracle.deleted}
        if survivor == duplicate:
            assert answer.status_code == 422, answer.text
        elif refused:
            assert answer.status_code in refused, answer.text
            assert answer.status_code == 410 or answer.json()["code"] == "client_merged", answer.text
        else:
            made = self._ok(answer, 202)
            self.oracle.merged(Merged(made["id"], survivor, duplicate, choices))
            self.tally["merges"] += 1
            return str(made["id"])
        return multiple()

    @rule(merge=consumes(done))
    def undo(self, merge: str) -> None:
        if self.oracle.merges[merge].undone:
            self._undone_already(merge)
            return
        if self.oracle.merges[merge].sealed:
            refused = self.http.post(f"/merges/{merge}/undo", json={})
            assert (refused.status_code, refused.json()["code"]) == (409, "merge_sealed"), refused.text
            self.tally["undos refused: sealed"] += 1
            return
        if not self._undone(merge, []):
            return
        self._undone_already(merge)

    def _undone_already(self, merge: str) -> None:
        again = self.http.post(f"/merges/{merge}/undo", json={})
        assert (again.status_code, again.json()["code"]) == (409, "merge_undone"), again.text

    def _undone(self, merge: str, moves: list[dict[str, str]]) -> bool:
        """Undoes; billing says what needs a decision, so while it is away nothing is undone."""
        answer = self.http.post(f"/merges/{merge}/undo", json={"moves": moves})
        if answer.status_code == 503:
            assert self.away == "billing", answer.text
            return False
        self._ok(answer, 202)
        self.oracle.merges[merge].undone = True
        self.tally["undos"] += 1
        return True

    @rule(record=records)
    def delete(self, record: str) -> None:
        """Hits only the id named: a signpost is refused."""
        answer = self.http.delete(f"/clients/{record}")
        if self.oracle.parent(record) is not None:
            assert (answer.status_code, answer.json()["code"]) == (409, "client_merged"), answer.text
        elif answer.status_code in (200, 204):
            assert record not in self.oracle.erased
            self.oracle.deleted.add(record)
        else:
            assert answer.status_code in (409, 410, 503), answer.text

    @precondition(lambda self: len(set(self.oracle.names) - self.oracle.deleted) > 3)
    @rule(record=records)
    def erase(self, record: str) -> None:
        """A person and all that was merged into it, deleted or not: never under an old id, and once."""
        answer = self.http.post(f"/clients/{record}/erase", json={"reason": "Demande de la personne"})
        if self.oracle.parent(record) is not None:
            assert (answer.status_code, answer.json()["code"]) == (409, "client_merged"), answer.text
            assert answer.json()["data"]["client_id"] == self.oracle.root(record)
        elif record in self.oracle.erased:
            assert (answer.status_code, answer.json()["code"]) == (410, "client_erased"), answer.text
        else:
            self.erasures.append(self._ok(answer, 202)["id"])
            self.oracle.erase(record)
            self.tally["erasures"] += 1

    @rule(record=records)
    def restore(self, record: str) -> None:
        if record in self.oracle.erased:
            refused = self.http.post(f"/clients/{record}/restore", json={})
            wanted = (410, "client_erased") if self.oracle.parent(record) is None else (409, "client_merged")
            assert (refused.status_code, refused.json()["code"]) == wanted, refused.text
        elif record in self.oracle.deleted and self.oracle.parent(record) is None:
            self._ok(self.http.post(f"/clients/{record}/restore", json={}))
            self.oracle.deleted.discard(record)

    @rule(data=st.data(), deeds=st.lists(st.sampled_from(DEEDS), min_size=2, max_size=8))
    def one_thing_after_another(self, data: st.DataObject, deeds: list[str]) -> None:
        """What this is about, close together: nothing is looked at in between, and no service hears of anything."""
        for deed in deeds:
            record = data.draw(st.sampled_from(sorted(self.oracle.names)))
            standing = [each.id for each in self.oracle.merges.values() if not each.undone]
            if deed == "merge":
                self.merge_two_that_live(data, data.draw(CHOICES))
            elif deed == "undo" and standing:
                self.undo(data.draw(st.sampled_from(standing)))
            elif deed == "give away" and self.away != "equipment":
                self.reassign(record, data)
            elif deed == "add":
                self.add_row(record, data.draw(st.sampled_from(SECTIONS)))
            elif deed == "erase" and len(set(self.oracle.names) - self.oracle.deleted) > 3:
                self.erase(record)

    @precondition(lambda self: self.away is None)
    @rule(service=st.sampled_from(["billing", "equipment", "interventions"]))
    def service_goes(self, service: str) -> None:
        self.stop(service)
        self.away = service

    @precondition(lambda self: self.away is not None)
    @rule()
    def service_is_back(self) -> None:
        self.start(self.away)
        self.away = None

    # --- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def every_fiche_is_whole(self) -> None:
        """At any time each root shows exactly its rows and fields, however far behind a service is."""
        self.tally["deeds"] += 1
        for record in self.oracle.names:
            root = self.oracle.root(record)
            answer = self.http.get(f"/clients/{record}/fiche")
            if root != record and root not in self.oracle.deleted:
                assert answer.status_code == 308, answer.text
                assert answer.headers["Location"].endswith(f"/clients/{root}/fiche")
                continue
            if root in self.oracle.deleted:
                assert answer.status_code == 410 or (root != record and answer.status_code == 308), answer.text
                erased = answer.status_code == 410 and answer.json()["code"] == "client_erased"
                assert erased == (root in self.oracle.erased and answer.status_code == 410), answer.text
                continue
            self._compare(root, self._ok(answer))

    def _compare(self, root: str, fiche: dict[str, Any]) -> None:
        fields, record = self.oracle.fields(root), fiche["client"]
        for key in (*FIELDS, "memo"):
            assert record[key] == (fields.get(key) or ""), (root, key, record[key], fields.get(key))
        main = record["main_address"] and record["main_address"]["id"]
        assert main == self.oracle.main_address(root)
        related = fiche["sections"]["relations"]
        assert {item["id"] for item in related["items"]} == self.oracle.relations_of(root)
        for section in SECTIONS:
            found = fiche["sections"][section]
            if found["status"] != "ok" and self._owner(section) != self.away:
                found = self._there(root, section)
            if found["status"] != "ok":
                continue
            shown = {item["id"] for item in found["items"]}
            assert shown == self.oracle.shown(section, root), (root, section)
            assert found["count"] == len(shown)

    def _there(self, root: str, section: str) -> dict[str, Any]:
        """A section whose service was too slow for a fiche's deadline: whole or unavailable, never half."""
        found: dict[str, Any] = {}

        def there() -> bool:
            found.update(self._ok(self.http.get(f"/clients/{root}/fiche"))["sections"][section])
            return bool(found["status"] == "ok")

        self.until(there, f"{section} to be there")
        return found

    def at_rest(self) -> None:
        """Every merge and undo ends in every service that is there; only then single facts of others are asked for."""

        def ended() -> bool:
            items = self._ok(self.http.get("/merges", params={"limit": 200}))["items"]
            mine = [item for item in items if item["id"] in self.oracle.merges]
            wanted = {False: "done", True: "undone"}
            erasures = [self._ok(self.http.get(f"/erasures/{each}")) for each in self.erasures]
            return not any(set(each["waits_for"]) - {self.away} for each in erasures) and all(
                item["status"] == wanted[self.oracle.merges[item["id"]].undone]
                if self.away is None
                else all(told["status"] == "done" for name, told in item["services"].items() if name != self.away)
                for item in mine
            )

        self.until(ended, "every merge to have ended")

    @staticmethod
    def until(condition: Callable[[], bool], what: str) -> None:
        """Waits for what comes by itself."""
        wait_until(condition, what, 60)

    def teardown(self) -> None:
        if self.away is not None:
            self.service_is_back()
        self.at_rest()
        self.nothing_is_left_of_who_was_erased()
        for root in self.oracle.roots():
            if root in self.oracle.deleted:
                continue
            terms = self._ok(self.http.get(f"/clients/{root}/billing"))["payment_terms"]
            assert terms == self.oracle.fields(root).get("payment_terms"), (root, terms)

    def nothing_is_left_of_who_was_erased(self) -> None:
        """In no row of any table of any service: each had a word of its own in all that was said of it."""
        marks = self.oracle.words_of_erased()
        found: list[str] = []

        def none() -> bool:
            found[:] = rows_that_say(self.sql, marks, self.services) if marks else []
            return not found

        try:
            self.until(none, "nothing to be left")
        except AssertionError:
            raise AssertionError("\n".join(found) or "nothing is left, but not at rest") from None

    # --- small things ---------------------------------------------------------------------------------------------

    @staticmethod
    def _mark() -> str:
        return f"zq{uuid.uuid4().hex[:10]}"

    def _client(self, record: str) -> dict[str, Any]:
        return self._ok(self.http.get(f"/clients/{record}"))

    @staticmethod
    def _owner(section: str) -> str:
        return {"equipment": "equipment", "interventions": "interventions", "quotes": "billing"}.get(section, "clients")

    @staticmethod
    def _ok(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
        assert answer.status_code == status, (answer.status_code, answer.text)
        return dict(answer.json())
