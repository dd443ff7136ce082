"""Events: the producer's log and relay, the consumer's place and parked sequences (the events protocol)."""
