"""`fiche partners` where what is typed is wrong, or the broker fails half-way: nothing is left in between."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from tests.cli.conftest import Answer, Fiche

CLIENTS = ("--types", "fiche.clients.client.#")


class Broker:
    """As much of RabbitMQ's management as partners need: what was put under each path."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.queues: list[str] = []
        #: How the paths begin that it fails at.
        self.failing = "nothing"

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode().removeprefix("/api/")
        if request.method != "GET" and path.startswith(self.failing):
            return httpx.Response(500, text="disk full")
        if request.method == "PUT":
            self.kept[path] = json.loads(request.content)
            return httpx.Response(204)
        if request.method == "DELETE":
            name = unquote(path.rpartition("/")[2])
            gone = [each for each in self.kept if path.startswith("users/") and each.endswith(f"/{name}")]
            there = bool(gone) or name in self.queues
            self.queues = [each for each in self.queues if each != name]
            self.kept = {each: value for each, value in self.kept.items() if each not in gone}
            return httpx.Response(204 if there else 404)
        return httpx.Response(200, json=self.listed(path))

    def listed(self, path: str) -> list[dict[str, Any]]:
        if path == "vhosts":
            return [{"name": "/"}]
        if path.startswith("users/"):
            login = path.split("/")[1]
            return [{"vhost": "/"}] if f"permissions/%2F/{login}" in self.kept else []
        if path == "topic-permissions":
            found = {key: value for key, value in self.kept.items() if key.startswith("topic-permissions/")}
            return [{"vhost": "/", "user": key.split("/")[2], **value} for key, value in found.items()]
        return [{"name": name, "messages": 3} for name in self.queues] if path.startswith("queues/") else []

    @property
    def user(self) -> Any:
        return self.kept.get("users/partner-acme")

    @property
    def topics(self) -> str:
        return str(self.kept["topic-permissions/%2F/partner-acme"]["read"])


@pytest.fixture
def broker(answered: Callable[[Answer], None], monkeypatch: pytest.MonkeyPatch) -> Broker:
    monkeypatch.setenv("FICHE_BROKER_ADMIN_URL", "http://admin:word@rabbitmq:15672")
    made = Broker()
    answered(made)
    return made


def password(said: str) -> str:
    return said.split()[-1] if "mot de passe" in said else ""


def test_a_partner_without_any_type_is_refused_and_keeps_what_it_has(broker: Broker, fiche: Fiche) -> None:
    code, said = fiche("partners", "add", "acme", *CLIENTS)
    assert (code, password(said)) == (0, broker.user["password"])
    before = dict(broker.kept)
    for nothing in ("", " , "):
        code, said = fiche("partners", "add", "acme", "--types", nothing)
        assert code == 1
        assert "Dites au moins un type d’événement" in said
    assert broker.kept == before


@pytest.mark.parametrize("name", ["acme\n", "x/../../users/fiche", "a", "Acme", ""])
def test_a_name_that_no_partner_can_have_is_refused(broker: Broker, fiche: Fiche, name: str) -> None:
    broker.kept["users/fiche"] = {"password": "the administrator's"}
    for words in (("add", name, *CLIENTS), ("remove", name)):
        code, said = fiche("partners", *words)
        assert code == 1
        assert said.startswith("✗ Un nom de partenaire a ")
    assert list(broker.kept) == ["users/fiche"]


def test_a_virtual_host_that_is_not_there_is_told_before_anything_is_done(broker: Broker, fiche: Fiche) -> None:
    fiche("partners", "add", "acme", *CLIENTS)
    before = dict(broker.kept)
    for words in (("add", "other", *CLIENTS), ("add", "acme", *CLIENTS), ("remove", "acme"), ("list",)):
        for vhost in ("typo", "", ".."):
            code, said = fiche("partners", *words, "--vhost", vhost)
            assert (code, said) == (1, f"✗ RabbitMQ n’a pas d’hôte virtuel «\u202f{vhost}\u202f».\n")
    assert broker.kept == before


@pytest.mark.parametrize("step", ["topic-permissions/", "user-limits/", "permissions/"])
def test_a_partner_that_could_not_be_made_whole_is_none_and_gets_a_password_the_next_time(
    broker: Broker, fiche: Fiche, step: str
) -> None:
    broker.failing = step
    code, said = fiche("partners", "add", "acme", *CLIENTS)
    assert code == 1
    assert "disk full" in said
    assert broker.user is None
    broker.failing = "nothing"
    code, said = fiche("partners", "add", "acme", *CLIENTS)
    assert "acme ajouté" in said
    assert password(said) == broker.user["password"]


def test_a_login_whose_making_was_cut_off_is_made_anew(broker: Broker, fiche: Fiche) -> None:
    broker.kept["users/partner-acme"] = {"password": "seen by nobody", "tags": ""}
    _, said = fiche("partners", "add", "acme", *CLIENTS)
    assert password(said) == broker.user["password"] != "seen by nobody"


def test_a_password_is_changed_only_when_all_else_is_done(broker: Broker, fiche: Fiche) -> None:
    _, said = fiche("partners", "add", "acme", *CLIENTS)
    first = password(said)
    broker.failing = "user-limits/"
    assert fiche("partners", "add", "acme", *CLIENTS, "--new-password")[0] == 1
    assert broker.user["password"] == first
    broker.failing = "nothing"
    _, said = fiche("partners", "add", "acme", *CLIENTS, "--new-password")
    assert password(said) == broker.user["password"] != first


def test_a_removal_that_was_cut_off_is_finished_by_the_next(broker: Broker, fiche: Fiche) -> None:
    fiche("partners", "add", "acme", *CLIENTS)
    broker.queues = ["partner.acme.v1", "partner.acmes.v1"]
    broker.failing = "queues/"
    assert fiche("partners", "remove", "acme")[0] == 1
    broker.failing = "nothing"
    assert fiche("partners", "remove", "acme") == (0, "✓ acme n’est plus partenaire.\n")
    assert broker.queues == ["partner.acmes.v1"]
    assert fiche("partners", "remove", "acme") == (1, "✗ Il n’y a pas de partenaire acme.\n")


def test_a_queue_is_listed_under_whatever_name_a_partner_gave_it(broker: Broker, fiche: Fiche) -> None:
    fiche("partners", "add", "acme", *CLIENTS)
    broker.queues = ["partner.acme.[/x]"]
    code, said = fiche("partners", "list")
    assert code == 0
    assert "partner.acme.[/x] : 3" in said


@pytest.mark.parametrize("address", ["http://admin:word@rabbitmq:port", "http://[::1"])
def test_an_address_that_is_none_is_told_without_its_password(
    fiche: Fiche, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("FICHE_BROKER_ADMIN_URL", address)
    assert fiche("partners", "list") == (1, "✗ FICHE_BROKER_ADMIN_URL n’est pas une adresse.\n")


def test_something_else_at_the_address_is_told(
    broker: Broker, answered: Callable[[Answer], None], fiche: Fiche
) -> None:
    answered(lambda request: httpx.Response(200, html="<html>"))
    assert fiche("partners", "list") == (
        1, "✗ Ce qui répond à http://rabbitmq:15672 n’est pas la gestion de RabbitMQ.\n",
    )  # fmt: skip
