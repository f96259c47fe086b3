"""Job queues on Redis, each as its own documentation shows it, a hundred jobs at once where it can."""
