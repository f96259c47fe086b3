"""Benchmarks: ours and a reference take turns in the same run; a ratio says something on any machine."""
