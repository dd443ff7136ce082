"""Argon2id in a child process: computing must not stop heartbeats and other calls (architecture, rule 13)."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError, InvalidHashError
action, *rest = sys.stdin.read().split("\\0")
hasher = PasswordHasher()
if action == "hash":
    print(hasher.hash(rest[0]), end="")
else:
    try:
        hasher.verify(rest[0], rest[1])
        print("yes", end="")
    except (VerificationError, InvalidHashError):
        print("no", end="")
"""

#: Verified when the e-mail is unknown, so that the time taken does not tell which e-mails exist.
DUMMY = "$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$6c5gxPnXqYTzS8pWrMPbjgiQfE1cXEkcHMv0rVQnF+I"


def _child(*parts: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-c", _PROGRAM],
        input="\0".join(parts),
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return done.stdout


def hash_password(password: str) -> str:
    """Argon2id hash with the library's current parameters (RFC 9106)."""
    return _child("hash", password)


def verify_password(digest: str | None, password: str) -> bool:
    """Whether the password is the one hashed. Takes as long when there is none."""
    return _child("verify", digest or DUMMY, password) == "yes" and digest is not None
