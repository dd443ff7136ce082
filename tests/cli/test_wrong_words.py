"""What is typed or set wrong is told in one line, with exit code 1, and nothing is done."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from chassis.settings import SettingsError, load_settings
from tests.cli.conftest import Answer, Fiche


@pytest.mark.parametrize("words", [("migrate", "[/x]"), ("restore", "[/x]")])
def test_a_service_that_is_none_is_told_before_a_database_is_made_for_it(
    fiche: Fiche, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    # Nothing listens there: whoever asks it fails otherwise.
    monkeypatch.setenv("FICHE_DATABASE_URL", "postgresql://fiche@127.0.0.1:1/fiche")
    code, said = fiche(*words)
    assert code == 1
    assert said.startswith("✗ Service inconnu : [/x]. Services : accounts, ")


@pytest.mark.parametrize("words", [("migrate",), ("migrate", "clients"), ("restore", "clients")])
def test_a_database_out_of_reach_is_one_line(
    fiche: Fiche, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("FICHE_DATABASE_URL", "postgresql://fiche@127.0.0.1:1/fiche")
    code, said = fiche(*words)
    assert code == 1
    assert said.startswith("✗ PostgreSQL ne répond pas ou refuse la connexion\u202f: ")
    assert said.count("\n") == 1


def test_more_calls_at_once_than_connections_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FICHE_MAX_WORKERS", "11")
    with pytest.raises(SettingsError, match=r"FICHE_MAX_WORKERS: .*at most FICHE_DATABASE_POOL_SIZE \(10\)"):
        load_settings()
    monkeypatch.setenv("FICHE_DATABASE_POOL_SIZE", "11")
    assert load_settings().max_workers == 11


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("FICHE_URL", "http://fiche:port", "✗ FICHE_URL n’est pas une adresse\u202f: http://fiche:port.\n"),
        ("FICHE_TOKEN", "…", "✗ FICHE_TOKEN n’est pas une clé d’API.\n"),
    ],
)
def test_a_setting_that_reaches_nothing_is_named(
    fiche: Fiche, monkeypatch: pytest.MonkeyPatch, setting: str, value: str, told: str
) -> None:
    monkeypatch.setenv(setting, value)
    assert fiche("log", "status") == (1, told)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            httpx.Response(200, html="<html>"),
            "✗ Ce qui répond à http://fiche n’est pas Fiche\u202f: réglez FICHE_URL.\n",
        ),
        (
            httpx.Response(301, headers={"Location": "https://fiche/"}, html="<html>"),
            "✗ http://fiche renvoie à https://fiche/\u202f: réglez FICHE_URL.\n",
        ),
    ],
)
def test_another_program_at_the_address_is_told(
    answered: Callable[[Answer], None],
    fiche: Fiche,
    monkeypatch: pytest.MonkeyPatch,
    answer: httpx.Response,
    told: str,
) -> None:
    monkeypatch.setenv("FICHE_URL", "http://fiche")
    answered(lambda request: answer)
    assert fiche("log", "status") == (1, told)


def test_what_an_import_refused_is_shown_whatever_brackets_are_in_it(
    answered: Callable[[Answer], None], fiche: Fiche, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = dict.fromkeys(("rows", "created", "updated", "unchanged"), 0) | {"refused": 1}
    job = {"id": "1", "status": "failed", "error": "Arrêt [/y]", "dry_run": False, "notices": 0}
    job |= {"tables": {}, "totals": counts}
    line = {"level": "refused", "table": "societe", "row": 2, "reason": "«\u202f[/x] [nom]\u202f» n’est pas un nom"}

    def answer(request: httpx.Request) -> httpx.Response:
        lines = request.url.path.endswith("/lines")
        return httpx.Response(200, json={"items": [line], "next": None} if lines else job)

    monkeypatch.setenv("FICHE_URL", "http://fiche")
    answered(answer)
    code, said = fiche("generate")
    assert code == 1
    assert "refusée societe 2 : «\u202f[/x] [nom]\u202f» n’est pas un nom\n" in said
    assert said.endswith("✗ Arrêt [/y]\n")


@pytest.mark.parametrize("name", ["[/x]", "clients\n", "a/b?c#d"])
def test_a_name_is_asked_for_as_it_was_typed(
    answered: Callable[[Answer], None], fiche: Fiche, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[str] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(422, json={"detail": "Ce service n’existe pas."})

    monkeypatch.setenv("FICHE_URL", "http://fiche")
    answered(refuse)
    for words, path in (
        (("log", "prune", name), f"logs/{name}/prune"),
        (("projections", "rebuild", name), f"projections/{name}/rebuild"),
        (("dead-letters", "show", name, "clients", "1"), f"dead-letters/{name}/clients/1"),
        (("dead-letters", "replay", "billing", name, "-1"), f"dead-letters/billing/{name}/-1/replay"),
    ):
        code, said = fiche(*words)
        assert code == 1
        assert said.endswith("✗ Ce service n’existe pas.\n")
        assert asked.pop() == f"/api/v1/operations/{path}"
