"""Benchmarks: ours and a reference in the same run, taking turns, so that a ratio says something on any machine."""
