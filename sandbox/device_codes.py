"""Device codes: what a device shows, and what it is told while it asks (RFC 8628)."""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.clock import Clock

_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"


class Wait(StrEnum):
    """Why a device gets no token, in RFC 8628's and Microsoft's own error codes."""

    PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    DECLINED = "authorization_declined"
    EXPIRED = "expired_token"
    UNKNOWN = "bad_verification_code"


class DeviceWaits(Exception):
    """There is no token for the device, yet or ever."""

    def __init__(self, why: Wait) -> None:
        super().__init__(why)
        self.why = why


@dataclass(slots=True)
class Device:
    """One device's request. `user` is who said yes; `declined` that somebody said no."""

    tenant: str
    client_id: str
    scopes: tuple[str, ...]
    device_code: str
    user_code: str
    interval: int
    expires_at: float
    asked_at: float = 0
    user: str = ""
    declined: bool = False


@dataclass(slots=True)
class Devices:
    """The requests of all devices. `lifetime` and `interval` are in seconds."""

    clock: Clock
    lifetime: int = 900
    interval: int = 5
    requests: dict[str, Device] = field(default_factory=dict)

    def start(self, tenant: str, client_id: str, scopes: tuple[str, ...]) -> Device:
        """A new request."""
        device = Device(
            tenant=tenant,
            client_id=client_id,
            scopes=scopes,
            device_code=secrets.token_urlsafe(48),
            user_code="".join(secrets.choice(_LETTERS) for _ in range(9)),
            interval=self.interval,
            expires_at=self.clock() + self.lifetime,
        )
        self.requests[device.device_code] = device
        return device

    def shown(self, user_code: str) -> Device | None:
        """The request that shows this code to its user."""
        wanted = user_code.strip().upper()
        found = (each for each in self.requests.values() if each.user_code == wanted)
        return next((each for each in found if each.expires_at > self.clock()), None)

    def poll(self, tenant: str, client_id: str, device_code: str) -> Device:
        """The request, once its user has said yes; it is used up. Raises DeviceWaits."""
        device = self.requests.get(device_code)
        if device is None or (device.tenant, device.client_id) != (tenant, client_id):
            raise DeviceWaits(Wait.UNKNOWN)
        now = self.clock()
        too_soon = now - device.asked_at < 0.9 * device.interval
        device.asked_at = now
        if device.expires_at <= now:
            raise DeviceWaits(Wait.EXPIRED)
        if device.declined:
            raise DeviceWaits(Wait.DECLINED)
        if too_soon:
            device.interval += 5
            raise DeviceWaits(Wait.SLOW_DOWN)
        if not device.user:
            raise DeviceWaits(Wait.PENDING)
        del self.requests[device_code]
        return device
