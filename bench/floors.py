"""What everything is compared to: raw py-amqp, in the same run and in turns with what is measured."""

from __future__ import annotations

from bench.ground import Ground
from bench.measure import Measure, rate
from bench.peers import Callers
from bench.raw import BODY, RawCaller

RAW, RAW_FAN = "raw py-amqp echo", "raw fan-out"
RAW_PIPELINED, RAW_FANS_A_SECOND = "raw calls, pipelined", "raw fan-outs a second"
#: Calls that wait for their answer at once, where calls are pipelined.
PIPELINED = 200
#: Processes that ask at once, where both processors are to be busy.
CALLERS = 4


def measures(ground: Ground) -> list[Measure]:
    """Echo and fan-out, one at a time and as many as go."""
    names = ground.peers("raw")
    raw = RawCaller(ground.amqp_url)
    ground.stack.callback(raw.close)
    callers = Callers(["bench.raw", ground.amqp_url, *names, "--ask"], CALLERS)
    ground.stack.callback(callers.close)

    def pipelined() -> int:
        raw.call(names[:1] * PIPELINED, BODY)
        return PIPELINED

    return [
        Measure(RAW, lambda: raw.call(names[:1], BODY), 100, RAW),
        Measure(RAW_FAN, lambda: raw.call(names, BODY), 50, RAW_FAN),
        Measure(RAW_PIPELINED, rate(pipelined), 3, RAW_PIPELINED, "/s"),
        Measure(RAW_FANS_A_SECOND, lambda: callers.a_second(1), 1, RAW_FANS_A_SECOND, "/s", rounds=8),
    ]
