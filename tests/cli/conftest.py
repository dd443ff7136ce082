"""The `fiche` command in this process, with whoever it asks played by the test."""

from __future__ import annotations

import sys
from collections.abc import Callable

import httpx
import pytest

from cli import main

Answer = Callable[[httpx.Request], httpx.Response]
#: What is typed behind `fiche` → exit code, and all that is said.
Fiche = Callable[..., tuple[int, str]]


@pytest.fixture
def fiche(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Fiche:
    def typed(*words: str) -> tuple[int, str]:
        assert words[0] not in ("dev", "run"), "they make this process's threads green"
        monkeypatch.setattr(sys, "argv", ["fiche", *words])
        with pytest.raises(SystemExit) as ended:
            main.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    monkeypatch.setenv("COLUMNS", "250")
    return typed


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], None]:
    """Answers every request that is made from now on."""
    real = httpx.Client

    def by(answer: Answer) -> None:
        transport = httpx.MockTransport(answer)
        monkeypatch.setattr(httpx, "Client", lambda **asked: real(**asked, transport=transport))

    return by
