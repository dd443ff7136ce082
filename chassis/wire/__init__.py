"""One small interface with two wires: AMQP (`chassis.wire.amqp`) and in the process (`chassis.wire.local`)."""
