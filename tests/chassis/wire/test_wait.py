"""How the owner of a connection waits, with green threads."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import eventlet

from chassis.wire.amqp_wait import GreenWaiter


def test_nothing_is_read_behind_the_back_of_an_owner_that_paused() -> None:
    """What answers its next question would be read by nobody who waits for it, until a heartbeat ten seconds later.

    The hub asks what has come to all sockets, then tells one after the other, in no order: rung first, the owner pauses
    and asks its question before the other is told.
    """
    told = {"paused": False}
    read: list[bool] = []
    for _ in range(40):
        with ExitStack() as opened:
            sock, far, bell, ring = (opened.enter_context(end) for _ in "ab" for end in socket.socketpair())
            bell.setblocking(False)
            waiter = GreenWaiter(sock, bell, lambda: read.append(told["paused"]), lambda: True)
            far.send(b"an event")
            ring.send(b"x")
            told["paused"] = False
            waiter.wait(5)
            waiter.pause()
            told["paused"] = True
            eventlet.sleep(0)
            waiter.close()
    assert True not in read
