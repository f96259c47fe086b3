"""The receiver of the integration tests."""

from tests.integration.conftest import receiver, settings

__all__ = ["receiver", "settings"]
