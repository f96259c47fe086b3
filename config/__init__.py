"""Typed settings, secret references, and the example configuration."""
