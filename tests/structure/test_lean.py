"""The process of a service is small, and waits for no name server."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_LOADED = """
import sys
from cli import main
sys.argv = ["fiche", "run", "accounts"]
main._patch(lookups_aside=True)
main._asked()
from chassis.host import service_class
service_class("accounts")
unwanted = {"rich", "typer", "dns", "alembic", "opentelemetry", "jinja2", "flask", "httpx"}
print(sorted(name for name in unwanted if sys.modules.get(name)))
"""

_SLOW = """
import socket
from time import monotonic, sleep  # which hold up their thread, whatever is patched later
ticks = []
plain = socket.getaddrinfo
def slow(*asked, **how):
    enough, end = len(ticks) + 10, monotonic() + 20
    while len(ticks) < enough and monotonic() < end:
        sleep(0.01)
    return plain(*asked, **how)
socket.getaddrinfo = slow
from cli import main
main._patch(lookups_aside=True)
import eventlet
def tick():
    while True:
        ticks.append(1)
        eventlet.sleep(0.01)
eventlet.spawn(tick)
[address, *_] = socket.getaddrinfo("localhost", 80, socket.AF_INET, socket.SOCK_STREAM)
assert address[4] == ("127.0.0.1", 80), address
try:
    socket.create_connection(("localhost", 1))
except OSError:
    pass
print(len(ticks))
"""


def said_by(program: str) -> str:
    """What a program prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_service_loads_nothing_that_only_a_person_needs() -> None:
    assert said_by(_LOADED) == "[]"


def test_a_slow_look_up_of_a_name_makes_nobody_else_wait() -> None:
    assert int(said_by(_SLOW)) >= 20
