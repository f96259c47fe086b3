"""The Cronofy-compatible HTTP API: its requests, its answers, its errors."""
