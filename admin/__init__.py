"""What an operator sees of a process, on a port of its own: health, metrics, logs."""
