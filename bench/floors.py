"""What everything is compared to: raw py-amqp, in the same run and in turns with what is measured."""

from __future__ import annotations

from bench.ground import Ground
from bench.limit import LimitCaller
from bench.measure import Measure, rate
from bench.peers import Callers
from bench.raw import BODY, RawCaller

RAW, RAW_FAN = "raw py-amqp echo", "raw fan-out"
LIMIT, LIMIT_FAN = "limit: echo by frames made by hand", "limit: fan-out"
RAW_PIPELINED, RAW_FANS_A_SECOND = "raw calls, pipelined", "raw fan-outs a second"
#: Calls that wait for their answer at once, where calls are pipelined.
PIPELINED = 200
#: Processes that ask at once, where both processors are to be busy.
CALLERS = 4


def measures(ground: Ground) -> list[Measure]:
    """Echo and fan-out: the floor, how far below it frames made by hand can go, and as many as go at once."""
    names, limit_names = ground.peers("raw"), ground.peers("limit")
    raw, limit = RawCaller(ground.amqp_url), LimitCaller(ground.amqp_url)
    ground.stack.callback(raw.close)
    ground.stack.callback(limit.close)
    callers = Callers(["bench.raw", ground.amqp_url, *names, "--ask"], CALLERS)
    ground.stack.callback(callers.close)

    def pipelined() -> int:
        raw.call(names[:1] * PIPELINED, BODY)
        return PIPELINED

    return [
        Measure(RAW, lambda: raw.call(names[:1], BODY), 100, RAW),
        Measure(RAW_FAN, lambda: raw.call(names, BODY), 50, RAW_FAN),
        Measure(LIMIT, lambda: limit.call(limit_names[:1], BODY), 100, RAW),
        Measure(LIMIT_FAN, lambda: limit.call(limit_names, BODY), 50, RAW_FAN),
        Measure(RAW_PIPELINED, rate(pipelined), 3, RAW_PIPELINED, "/s"),
        Measure(RAW_FANS_A_SECOND, lambda: callers.a_second(1), 1, RAW_FANS_A_SECOND, "/s", rounds=8),
    ]
