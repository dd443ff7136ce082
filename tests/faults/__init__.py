"""Faults under load on the whole product: nothing acknowledged is lost, doubled or swapped (`make faults`)."""
