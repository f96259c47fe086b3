"""The bodies of the control API, typed. Unknown fields are errors, so that a misspelt flag is noticed."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from sandbox.credentials import DEFAULT_SERVICE_ACCOUNT
from sandbox.google_meet import MEET
from sandbox.google_tokens import CALENDAR_SCOPE
from sandbox.graph_mailbox import TEAMS
from sandbox.graph_times import ZoneRules

Provider = Literal["google", "microsoft"]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body of the control API."""

    def given(self, *but: str) -> dict[str, Any]:
        """The fields that were sent, without those named."""
        fields = msgspec.structs.asdict(self).items()
        return {name: value for name, value in fields if value is not UNSET and name not in but}


class GoogleCalendarSpec(Body, frozen=True, tag_field="provider", tag="google"):
    """A Google calendar to make or change.

    `meet_delay` and `read_lag` are in seconds; `shared_with` maps addresses to roles.
    """

    id: str
    owner: str | UnsetType = UNSET
    shared_with: dict[str, str] | UnsetType = UNSET
    summary: str | UnsetType = UNSET
    time_zone: str | UnsetType = UNSET
    readonly: bool | UnsetType = UNSET
    gone: bool | UnsetType = UNSET
    revival_refused: bool | UnsetType = UNSET
    read_lag: float | UnsetType = UNSET
    meet: bool | UnsetType = UNSET
    meet_succeeds: bool | UnsetType = UNSET
    meet_delay: float | UnsetType = UNSET
    keeps_conference: bool | UnsetType = UNSET
    refused_zones: frozenset[str] | UnsetType = UNSET

    def flags(self) -> dict[str, Any]:
        """GoogleCalendar's fields."""
        flags = self.given("id", "meet")
        if self.meet is not UNSET:
            flags["allowed_conferences"] = (MEET,) if self.meet else ()
        return flags


class MailboxSpec(Body, frozen=True, tag_field="provider", tag="microsoft"):
    """A mailbox to make or change, and one calendar in it (`id`; without it the default calendar).

    `shifted_zones` maps zone names to minutes; `search_lag` and `read_lag` are in seconds.
    """

    mailbox: str
    id: str | None = None
    name: str | UnsetType = UNSET
    readonly: bool | UnsetType = UNSET
    gone: bool | UnsetType = UNSET
    teams: bool | UnsetType = UNSET
    rest_enabled: bool | UnsetType = UNSET
    personal: bool | UnsetType = UNSET
    denied: bool | UnsetType = UNSET
    shared_with: frozenset[str] | UnsetType = UNSET
    refused_zones: frozenset[str] | UnsetType = UNSET
    shifted_zones: dict[str, int] | UnsetType = UNSET
    search_lag: float | UnsetType = UNSET
    read_lag: float | UnsetType = UNSET
    ids_survive: bool | UnsetType = UNSET
    duplicate_status: Literal[400, 409] | UnsetType = UNSET
    capital_guids: bool | UnsetType = UNSET

    def calendar_flags(self) -> dict[str, Any]:
        """GraphCalendar's fields."""
        flags = {name: value for name, value in self.given().items() if name in ("name", "readonly", "gone")}
        if self.teams is not UNSET:
            flags["online_meetings"] = (TEAMS,) if self.teams else ()
        return flags

    def mailbox_flags(self) -> dict[str, Any]:
        """Mailbox's fields."""
        calendar_own = (
            "mailbox",
            "id",
            "name",
            "readonly",
            "gone",
            "teams",
            "refused_zones",
            "shifted_zones",
        )
        flags = self.given(*calendar_own)
        if self.refused_zones is not UNSET or self.shifted_zones is not UNSET:
            flags["zone_rules"] = ZoneRules(
                self.refused_zones if self.refused_zones is not UNSET else frozenset(),
                self.shifted_zones if self.shifted_zones is not UNSET else {},
            )
        return flags


class FaultSpec(Body, frozen=True):
    """A fault to queue; `fault` as in the X-Sandbox-Fault header, `count` null until removed."""

    fault: str
    provider: str = "*"
    method: str = "*"
    path: str = "*"
    count: int | None = 1
    probability: float = 1.0


class ActSpec(Body, frozen=True):
    """What a person does to an event: the calendar it is in, and what edit or move need."""

    provider: Provider
    calendar: str
    fields: dict[str, Any] = {}
    to: str = ""


class ServiceAccountSpec(Body, frozen=True):
    """A service account to make a key for; `delegated` false: the domain has not authorised it.

    `replace`: the keys that were made before are deleted.
    """

    email: str = DEFAULT_SERVICE_ACCOUNT
    delegated: bool = True
    replace: bool = False


class UserSpec(Body, frozen=True):
    """A user who has consented; tenant and application are Microsoft's."""

    user: str
    tenant: str = "sandbox"
    client_id: str = "sandbox"


class GoogleTokenSpec(Body, frozen=True):
    """An access token to hand out without any grant."""

    subject: str
    scopes: tuple[str, ...] = (CALENDAR_SCOPE,)


class GraphTokenSpec(Body, frozen=True):
    """An access token to hand out without any grant; without a user it is the application's own."""

    tenant: str = "sandbox"
    client_id: str = "sandbox"
    user: str | None = None


class ApplicationSpec(Body, frozen=True):
    """A Microsoft application and its credential; `certificate` is PEM, the rest as in `Application`."""

    tenant: str
    client_id: str
    secret: str = ""
    certificate: str = ""
    secret_expired: bool = False
    redirect_uris: tuple[str, ...] = ("http://localhost",)
    roles: tuple[str, ...] | UnsetType = UNSET
    disabled: bool = False
    principal: bool = True
    federated_subject: str = ""


class ClientSpec(Body, frozen=True):
    """An installed application at Google, to which users may consent."""

    client_id: str
    client_secret: str


class DevicesSpec(Body, frozen=True):
    """How long Microsoft's device codes live, and how often a device may ask; in seconds."""

    lifetime: int = 900
    interval: int = 5


class WhoSpec(Body, frozen=True):
    """Whose grants to withdraw: an address or a client id."""

    who: str


class UnknownSpec(Body, frozen=True):
    """Addresses that are no users of the Workspace."""

    users: tuple[str, ...]


class ReauthSpec(Body, frozen=True):
    """A user whom the Workspace asks to sign in again, or no longer."""

    user: str
    required: bool = True


class LifetimeSpec(Body, frozen=True):
    """How many seconds the next access tokens live."""

    expires_in: int


class ResetSpec(Body, frozen=True):
    """How much to forget: events, faults and history, or everything."""

    everything: bool = False
