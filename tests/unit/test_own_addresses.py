"""Where a command finds a process of its own machine."""

import pytest

from cli.own_addresses import own_address


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("::", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),  # noqa: S104 - looked at
        ("::1", "http://[::1]:8080"),
        ("2001:db8::1", "http://[2001:db8::1]:8080"),
        ("10.1.2.3", "http://10.1.2.3:8080"),
        ("sync.internal", "http://sync.internal:8080"),
    ],
)
def test_an_own_process_is_found_at_what_it_listens_on(host: str, address: str) -> None:
    assert own_address(host, 8080) == address
