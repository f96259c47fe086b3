"""The shared kernel: what a booking is, its Redis record and state machine, the queue, dead letters."""
