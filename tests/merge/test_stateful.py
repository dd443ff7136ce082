"""Random creates, edits, merges and undos on every service, against an oracle written from the protocol."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.gateway.conftest import Product
from tests.merge.machine import MergeMachine

#: Runs and deeds of each; `make soak` asks for thousands.
RUNS = int(os.environ.get("FICHE_MERGE_RUNS", "6"))
STEPS = int(os.environ.get("FICHE_MERGE_STEPS", "25"))


def test_whatever_is_merged_and_undone_every_fiche_is_what_the_history_says(product: Product) -> None:
    class Machine(MergeMachine):
        http = product.http
        stop = staticmethod(lambda service: product.command("stop", service))
        start = staticmethod(lambda service: product.command("start", service))

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=RUNS,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize="FICHE_MERGE_RUNS" not in os.environ,
            suppress_health_check=list(HealthCheck),
        ),
    )
