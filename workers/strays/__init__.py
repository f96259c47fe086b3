"""Strays: events that carry our mark and that the record does not know.

A Redis that was restored from a copy leaves them behind, and so does one that lost its newest changes.
"""
