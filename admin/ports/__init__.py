"""What all ports have in common: how much of this process a peer that nobody knows yet may use."""
