"""Where this machine reaches a process of its own, by the address that the process listens on."""

_EVERYWHERE = frozenset({"::", "0.0.0.0"})  # noqa: S104 - compared, not bound


def own_address(host: str, port: int) -> str:
    """`http://HOST:PORT`; the loopback's where the process listens everywhere, which is for both families."""
    if host in _EVERYWHERE:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
