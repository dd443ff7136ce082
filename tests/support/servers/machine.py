"""What the machine has: Docker, programs, and packages that can be added."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import functools
import gc
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

#: Images of the suite's containers; a test holds them equal to docker-compose.yml's.
IMAGES = {
    "postgres": "postgres:18",
    "rabbitmq": "rabbitmq:4-management",
    "s3": "chrislusf/seaweedfs:4.48",
}

#: Where Debian keeps the server behind its wrapper, which changes user and folder.
RABBITMQ_BIN = Path("/usr/lib/rabbitmq/bin")

#: Servers used, as lines for the end of the run: a worker of the suite has nobody to print them to.
USED: list[str] = []
_running: dict[int, Callable[[], None]] = {}


def used(what: str, how: str) -> None:
    """Says which server is used."""
    USED.append(f"fiche tests: {what}: {how}")
    print(USED[-1], flush=True)  # noqa: T201


def missing(what: str, advice: str) -> NoReturn:
    """Ends the run: a test that cannot run is not a test that passed. A worker fails its tests and says why."""
    message = f"Les tests ont besoin de {what} : {advice}."
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail(message, pytrace=False)
    pytest.exit(message, returncode=3)


def ended(what: str, log: Path) -> NoReturn:
    """Ends the run with the last lines of a server that did not start; its folder goes with the run."""
    text = log.read_text(errors="replace") if log.exists() else ""
    missing(what, "il ne démarre pas :\n" + "\n".join(text.splitlines()[-20:]))


@functools.cache
def docker_answers() -> bool:
    """Whether a Docker engine is there (the client alone is none)."""
    import docker  # type: ignore[import-untyped]
    import requests
    from docker.errors import DockerException  # type: ignore[import-untyped]

    # A client that finds nobody leaves its socket to the garbage collector, which warns.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            with contextlib.closing(docker.from_env(timeout=5)) as client:
                return bool(client.ping())
        except (DockerException, requests.RequestException):
            return False
        finally:
            gc.collect()


def program(name: str) -> str | None:
    """Path of a program of the machine, also where only root's PATH would find it."""
    for folder in (RABBITMQ_BIN, None, Path("/usr/sbin"), Path("/usr/local/sbin"), Path("/opt/homebrew/sbin")):
        found = shutil.which(name, path=str(folder) if folder else None)
        if found:
            return found
    return None


def need(name: str, package: str, advice: str) -> str:
    """Path of a program, installed by apt where that is possible. Ends the run otherwise."""
    found = program(name)
    if found is None and apt_install(package):
        found = program(name)
    if found is None:
        missing(package, advice)
    return found


def apt_install(package: str) -> bool:
    """Installs a Debian or Ubuntu package as root; False where that cannot be."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    used(package, "apt-get install")
    _apt_update()
    done = _apt("install", "-y", "-qq", "--no-install-recommends", package)
    if done.returncode != 0:
        used(package, f"apt-get: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return done.returncode == 0


@functools.cache
def _apt_update() -> None:
    _apt("update", "-qq")


def _apt(*args: str) -> subprocess.CompletedProcess[str]:
    # Workers of one suite may want packages at the same time; apt serves one.
    with (Path(tempfile.gettempdir()) / "fiche-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _apt_alone(*args)


def _apt_alone(*args: str) -> subprocess.CompletedProcess[str]:
    # A package that starts its service at once would take the usual ports and keep running after us.
    policy = Path("/usr/sbin/policy-rc.d")
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    try:
        return subprocess.run(
            ["apt-get", *args],
            env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        if ours:
            policy.unlink()


#: The browser without a window to draw in first: the same engine, started and drawn in three quarters of the time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def chromium_path() -> str:
    """The browser: `FICHE_TEST_CHROMIUM`, the machine's, the one that playwright installed, or apt's."""
    given = os.environ.get("FICHE_TEST_CHROMIUM")
    if given:
        used("Chromium", "FICHE_TEST_CHROMIUM")
        return given
    found = next(filter(None, map(program, BROWSERS)), None) or _playwrights()
    if found is None:
        # Not every release of Debian or Ubuntu has the first.
        found = next((program(name) for name in BROWSERS[:2] if apt_install(name)), None)
    if found is None:
        missing("Chromium", "apt install chromium, ou playwright install chromium, ou FICHE_TEST_CHROMIUM=/chemin")
    used("Chromium", found)
    return found


def _playwrights() -> str | None:
    """A Chromium that `playwright install` brought earlier."""
    base = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    shells = sorted(base.glob("chromium_headless_shell-*/chrome-linux*/headless_shell"))
    found = shells or sorted(base.glob("chromium-*/chrome-linux*/chrome"))
    return str(found[-1]) if found else None


def run_folder() -> Path:
    """A folder for one run's servers, which unprivileged accounts can reach; its owner removes it."""
    folder = Path(tempfile.mkdtemp(prefix="fiche-tests-"))
    folder.chmod(0o755)
    return folder


def stop_at_exit(server: object, stop: Callable[[], None]) -> None:
    """Has a server stopped when this process ends, whatever its fixture could do; `forget` undoes it."""
    _running[id(server)] = stop


def forget(server: object) -> None:
    """The server was stopped in its time."""
    _running.pop(id(server), None)


@atexit.register
def _stop_all() -> None:
    for stop in list(_running.values())[::-1]:
        # One that does not let itself be stopped is no reason to leave the others running.
        with contextlib.suppress(Exception):
            stop()
