"""Who may do what on the broker: a login for each process, which may touch its own queues and no others.

RabbitMQ knows three rights, each a pattern of names: to configure (declare, delete), to write (publish, bind a queue)
and to read (consume, bind to an exchange). Every process calls others, and answers, through the default exchange, which
cannot be limited by routing key: so a service may put a message into any queue, and take one from its own only.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

from chassis.settings import SERVICES
from chassis.wire.amqp_client import queue_of
from chassis.wire.amqp_events import PUBLIC, exchange_of

#: The administrator, for operators and for `fiche broker`.
ADMIN = "fiche"
#: Processes that come in with a login of their own.
PROCESSES = (*SERVICES, "gateway")
#: What a partner that does not read may leave waiting; the oldest go, and are read at `/api/v1/events` instead.
PARTNER_QUEUE_LENGTH = 100_000


def login_of(process: str) -> str:
    """Name of a process's login, on the broker as in PostgreSQL."""
    return f"fiche_{process}"


def password_variable(process: str) -> str:
    """The environment variable that holds the password of a process's login; `broker` is the administrator's."""
    return f"FICHE_{process.upper()}_PASSWORD"


def _exactly(*names: str) -> str:
    return f"^({'|'.join(names)})$"


def rights_of(process: str) -> dict[str, str]:
    """Patterns `configure`, `write` and `read` of a service's login, or the gateway's."""
    producers = [re.escape(exchange_of(name)) for name in SERVICES]
    if process == "gateway":
        # Open pages hear of changes through a queue that goes with its connection.
        own = [r"amq\.gen.*"]
        return {
            "configure": _exactly(*own),
            "write": _exactly(r"amq\.default", *own),
            "read": _exactly(*own, *producers),
        }
    exchange = re.escape(exchange_of(process))
    own = [re.escape(queue_of(process)), rf"{process}\.[a-z]+\.v[0-9]+"]
    return {
        "configure": _exactly(*own, exchange),
        "write": _exactly(r"amq\.default", *own, exchange, re.escape(PUBLIC)),
        "read": _exactly(*own, *producers),
    }


def topics_of(process: str) -> list[dict[str, str]]:
    """What a login may publish to partners: its own events."""
    if process == "gateway":
        return [{"exchange": PUBLIC, "write": "^$", "read": "^$"}]
    return [{"exchange": PUBLIC, "write": rf"^fiche\.{process}\.", "read": "^$"}]


def definitions(passwords: Mapping[str, str], vhost: str = "/") -> dict[str, Any]:
    """What RabbitMQ imports: logins, their rights, exchanges, the bound of partners' queues.

    `passwords` are by process, and `broker` for the administrator's (without it that login is left alone); they are
    kept salted and hashed.
    """
    return _definitions({name: {"password_hash": hashed(word)} for name, word in passwords.items()}, vhost)


def template(vhost: str = "/") -> dict[str, Any]:
    """The same with a place for each password: deploy/rabbitmq/start.sh fills them in."""
    return _definitions(
        {name: {"password": f"${{{password_variable(name)}}}"} for name in (*PROCESSES, "broker")}, vhost
    )


def _definitions(secrets: Mapping[str, Mapping[str, str]], vhost: str) -> dict[str, Any]:
    exchange = {"vhost": vhost, "type": "topic", "durable": True, "auto_delete": False, "internal": False}
    admin = "broker" in secrets
    everything = {"user": ADMIN, "vhost": vhost, "configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": vhost}],
        "users": [
            *([{"name": ADMIN, "tags": ["administrator"], **secrets["broker"]}] if admin else []),
            *({"name": login_of(name), "tags": [], **secrets[name]} for name in PROCESSES),
        ],
        "permissions": [
            *([everything] if admin else []),
            *({"user": login_of(name), "vhost": vhost, **rights_of(name)} for name in PROCESSES),
        ],
        "topic_permissions": [
            {"user": login_of(name), "vhost": vhost, **topic} for name in PROCESSES for topic in topics_of(name)
        ],
        "exchanges": [{**exchange, "name": name, "arguments": {}} for name in (*map(exchange_of, SERVICES), PUBLIC)],
        "policies": [
            {
                "vhost": vhost,
                "name": "partners",
                "pattern": r"^partner\.",
                "apply-to": "queues",
                "priority": 0,
                "definition": {"max-length": PARTNER_QUEUE_LENGTH, "overflow": "drop-head"},
            }
        ],
    }


def hashed(password: str) -> str:
    """A password as RabbitMQ keeps it (rabbit_password_hashing_sha256): four bytes of salt before the hash."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


# --- partners -----------------------------------------------------------------------------------------------------

#: A partner's name: part of its login and of its queues' names.
PARTNER_NAME = re.compile(r"^[a-z][a-z0-9-]{1,39}$")
_WORD = re.compile(r"^[a-z0-9_]+$")


def partner_login(name: str) -> str:
    """Name of a partner's login."""
    return f"partner-{name}"


def partner_rights(name: str) -> dict[str, str]:
    """A partner declares, binds and reads queues of its own, and binds them to the public exchange; nothing else."""
    own = rf"partner\.{re.escape(name)}\..*"
    return {"configure": f"^{own}$", "write": f"^{own}$", "read": f"^({own}|{re.escape(PUBLIC)})$"}


def partner_topic(types: Iterable[str]) -> dict[str, str]:
    """Which events of the public exchange a partner's queues may be bound to.

    `types` are patterns as bindings have them: words with dots between them, `*` one word, a last `#` all that follows.
    Raises `ValueError` for what is none.
    """
    return {"exchange": PUBLIC, "write": "^$", "read": _exactly(*map(_bindable, types))}


def _bindable(pattern: str) -> str:
    """What a binding may be under a pattern: the pattern itself, or anything narrower."""
    words = pattern.split(".")
    parts: list[str] = []
    for index, word in enumerate(words):
        if word == "#" and index == len(words) - 1:
            if not index:
                return ".*"
            # What `#` stands for may be nothing at all.
            return r"\.".join(parts) + r"(\..*)?"
        if word == "*":
            parts.append(r"[^.#]+")
        elif _WORD.match(word):
            parts.append(word)
        else:
            raise ValueError(pattern)
    return r"\.".join(parts)
