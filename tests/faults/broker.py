"""How many messages the broker holds, which AMQP tells nobody: it counts those that no consumer has been given yet."""

from __future__ import annotations

import json
import subprocess

from tests.support.servers import RabbitServer
from tests.support.servers.machine import need


def messages(rabbit: RabbitServer) -> dict[str, int]:
    """Queue → messages that wait there, and that were delivered and are not acknowledged."""
    command = ["rabbitmqctl", "--silent", "--formatter", "json", "list_queues", "name", "messages"]
    if rabbit._container is not None:
        said = rabbit._container._container.get_wrapped_container().exec_run(command).output
    else:
        command[0] = need(command[0], "rabbitmq-server", "apt install rabbitmq-server")
        said = subprocess.run(command, env=rabbit._environment, capture_output=True, check=True).stdout
    return {row["name"]: row["messages"] for row in json.loads(said)}
