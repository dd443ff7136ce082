"""Accounts: what the service promises, on a real PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chassis.errors import Conflict, Invalid, NotFound, Stale, TooMany, Unauthenticated
from chassis.ids import new_id
from contracts import accounts as c
from contracts import clients
from tests.support.services import ServiceUnderTest, make_service

PASSWORD = "une phrase assez longue"


@pytest.fixture(scope="module")
def service(postgres_url: str) -> Iterator[ServiceUnderTest]:
    made = make_service("accounts", postgres_url)
    made.call(c.Bootstrap())
    yield made
    made.close()


def new_user(service: ServiceUnderTest, *roles: c.Role, **body: object) -> c.User:
    email = f"{uuid.uuid4().hex[:10]}@exemple.fr"
    asked = c.UserBody.model_validate({"name": "Alex Martin", "email": email, "roles": list(roles)} | body)
    return c.User.model_validate(service.call(c.CreateUser(body=asked)))


def changes(**values: object) -> c.UserChanges:
    return c.UserChanges.model_validate(values)


def test_a_user_is_answered_as_the_contract_says_and_told(service: ServiceUnderTest) -> None:
    user = new_user(service, "technician")
    assert c.User.model_validate(service.call(c.GetUser(id=user.id))) == user
    told = [e for e in service.events("user.created") if e["subject"] == str(user.id)]
    assert told[0]["data"] == {"id": str(user.id), "name": "Alex Martin", "roles": ["technician"], "active": True}
    with pytest.raises(NotFound):
        service.call(c.GetUser(id=new_id()))


def test_an_email_is_one_persons_whatever_its_case(service: ServiceUnderTest) -> None:
    user = new_user(service)
    assert user.email
    with pytest.raises(Invalid) as refused:
        new_user(service, email=user.email.upper())
    assert refused.value.errors[0]["field"] == "email"


def test_a_stale_change_is_refused(service: ServiceUnderTest) -> None:
    user = new_user(service)
    service.call(c.UpdateUser(id=user.id, expected_version=user.version, changes=changes(name="Alix")))
    with pytest.raises(Stale):
        service.call(c.UpdateUser(id=user.id, expected_version=user.version, changes=changes(name="Alex")))


def test_sign_in_and_out(service: ServiceUnderTest) -> None:
    user = new_user(service, "office", password=PASSWORD)
    assert user.email
    session = service.call(c.SignIn(email=f" {user.email.upper()} ", password=PASSWORD))
    identity = c.Identity.model_validate(service.call(c.Authenticate(secret=session["token"])))
    assert (identity.id, identity.kind, identity.roles, identity.scopes) == (
        str(user.id), "user", ["office"], ["read", "write"],
    )  # fmt: skip
    service.call(c.SignOut(token=session["token"]))
    with pytest.raises(Unauthenticated):
        service.call(c.Authenticate(secret=session["token"]))


def test_nothing_secret_is_stored(service: ServiceUnderTest) -> None:
    user = new_user(service, password=PASSWORD)
    assert user.email
    token = service.call(c.SignIn(email=user.email, password=PASSWORD))["token"]
    key = service.call(c.CreateApiKey(body=c.ApiKeyBody(name="Partenaire")))["key"]
    [[stored]] = service.sql('SELECT password FROM "user" WHERE id = :id', id=user.id)
    assert stored.startswith("$argon2id$")
    for table in ("session_token", "api_key", "idempotent_answer", "event_log"):
        for row in service.sql(f"SELECT {table}::text FROM {table}"):
            assert token not in row[0]
            assert key not in row[0]
            assert PASSWORD not in row[0]


def test_a_deactivated_user_is_out_at_once(service: ServiceUnderTest) -> None:
    user = new_user(service, password=PASSWORD)
    assert user.email
    token = service.call(c.SignIn(email=user.email, password=PASSWORD))["token"]
    service.call(c.UpdateUser(id=user.id, changes=changes(active=False)))
    with pytest.raises(Unauthenticated):
        service.call(c.Authenticate(secret=token))
    with pytest.raises(Unauthenticated):
        service.call(c.SignIn(email=user.email, password=PASSWORD))
    assert service.events("user.updated")[-1]["data"]["active"] is False


def test_a_new_password_ends_older_sessions(service: ServiceUnderTest) -> None:
    user = new_user(service, password=PASSWORD)
    assert user.email
    token = service.call(c.SignIn(email=user.email, password=PASSWORD))["token"]
    service.call(c.UpdateUser(id=user.id, changes=changes(password=PASSWORD + " autre")))
    with pytest.raises(Unauthenticated):
        service.call(c.Authenticate(secret=token))


def test_guessing_is_slowed_down_and_waiting_helps(service: ServiceUnderTest) -> None:
    user = new_user(service, password=PASSWORD)
    assert user.email
    for _ in range(8):
        with pytest.raises(Unauthenticated):
            service.call(c.SignIn(email=user.email, password="pas la bonne phrase"))
    for _ in range(2):
        with pytest.raises(TooMany):
            service.call(c.SignIn(email=user.email, password=PASSWORD))
    # Tries while one has to wait do not lengthen the wait.
    service.sql(
        "UPDATE sign_in_failure SET last_at = last_at - CAST(:wait AS interval) WHERE email = :email",
        wait=str(timedelta(minutes=5)), email=user.email,
    )  # fmt: skip
    assert service.call(c.SignIn(email=user.email, password=PASSWORD))["token"]
    assert not service.sql("SELECT 1 FROM sign_in_failure WHERE email = :email", email=user.email)


def test_an_expired_session_is_no_session(service: ServiceUnderTest) -> None:
    user = new_user(service, password=PASSWORD)
    assert user.email
    token = service.call(c.SignIn(email=user.email, password=PASSWORD))["token"]
    service.sql("UPDATE session_token SET expires_at = now() - interval '1 second' WHERE user_id = :id", id=user.id)
    with pytest.raises(Unauthenticated):
        service.call(c.Authenticate(secret=token))


def test_keys(service: ServiceUnderTest) -> None:
    made = c.ApiKey.model_validate(service.call(c.CreateApiKey(body=c.ApiKeyBody(name="Lecture"))))
    assert made.key
    identity = c.Identity.model_validate(service.call(c.Authenticate(secret=made.key)))
    assert (identity.kind, identity.scopes, identity.roles) == ("key", ["read"], [])
    listed = service.call(c.ListApiKeys())["items"]
    assert all(item.get("key") is None for item in listed)
    service.call(c.RevokeApiKey(id=made.id))
    with pytest.raises(Unauthenticated):
        service.call(c.Authenticate(secret=made.key))


def test_first_start(postgres_url: str) -> None:
    service = make_service("accounts", postgres_url)
    try:
        first = service.call(c.Bootstrap())
        assert first["created"]
        session = service.call(c.SignInByLink(token=first["link_token"]))
        assert session["user"]["roles"] == ["admin"]
        with pytest.raises(Unauthenticated):
            service.call(c.SignInByLink(token=first["link_token"]))
        with pytest.raises(Unauthenticated):
            service.call(c.Authenticate(secret=first["link_token"]))
        token = "x" * 32
        service.call(c.Bootstrap(token=token))
        assert service.call(c.Bootstrap(token=token)) == {"created": False, "link_token": None}
        assert "admin" in service.call(c.Authenticate(secret=token))["scopes"]
        assert len(service.call(c.ListUsers())["items"]) == 1
        assert len(service.call(c.ListApiKeys())["items"]) == 1
        [admin] = service.call(c.ListUsers())["items"]
        for last in (changes(active=False), changes(roles=["office"])):
            with pytest.raises(Conflict):
                service.call(c.UpdateUser(id=admin["id"], changes=last))
    finally:
        service.close()


def test_a_contacts_access_follows_the_clients_events(service: ServiceUnderTest) -> None:
    home, contact = new_id(), new_id()

    def told(kind: type[clients.ContactState], **values: object) -> clients.ContactState:
        body = {
            "id": contact, "home_client_id": home, "client_id": home, "name": "Lou Petit", "role": "",
            "email": "lou@exemple.fr", "phone": "", "portal_access": True,
        }  # fmt: skip
        return kind.model_validate(body | values)

    def portal() -> list[str]:
        fiche = service.call(c.AccountsFiche(client_id=home))
        assert fiche["tree"] == [str(home)]
        section = fiche["sections"]["portal"]
        assert section["count"] == len(section["items"])
        return [c.PortalAccess.model_validate(item).name for item in section["items"]]

    service.tell(told(clients.ContactCreated, portal_access=False))
    assert portal() == []
    service.tell(told(clients.ContactUpdated))
    assert portal() == ["Lou Petit"]
    service.tell(told(clients.ContactUpdated, name="Lou Grand"))
    assert portal() == ["Lou Grand"]
    service.tell(told(clients.ContactDeleted))
    assert portal() == []


def test_the_snapshot_tells_every_user(service: ServiceUnderTest) -> None:
    user = new_user(service)
    worker = service.worker()
    events = worker.uow.run(None, lambda: list(worker.snapshot_events()))
    assert user.id in {event.id for event in events}


def test_no_secret_is_stored_with_the_answers_already_given(service: ServiceUnderTest) -> None:
    asked = c.CreateApiKey(body=c.ApiKeyBody(name="Partenaire"))
    first = service.call(asked, key="clé-une-fois")
    again = service.call(asked, key="clé-une-fois")
    assert first["key"]
    assert again == first | {"key": None}
    user = new_user(service, "office", password=PASSWORD)
    session = service.call(c.SignIn(email=user.email or "", password=PASSWORD), key="session-une-fois")
    stored = " ".join(row[0] for row in service.sql("SELECT answer FROM idempotent_answer"))
    assert first["key"] not in stored
    assert session["token"] not in stored


def test_a_password_is_no_part_of_what_tells_two_requests_apart(service: ServiceUnderTest) -> None:
    email = f"{uuid.uuid4().hex[:10]}@exemple.fr"
    for password in (PASSWORD, "une tout autre phrase"):
        service.call(
            c.CreateUser(body=c.UserBody(name="Alex", email=email, password=password)), key="avec-mot-de-passe"
        )
    rows = service.sql("SELECT count(*) FROM idempotent_answer WHERE key = 'avec-mot-de-passe'")
    assert rows[0][0] == 1
