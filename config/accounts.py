"""Credentials at the calendar providers. `config.relations` sees to it that each account has exactly one."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.fields import EMPTY_IS_NONE, Count, HttpsAddress, Name, Text, WebAddress
from config.google_files import impersonation, json_members
from config.references import (
    AccountFile,
    AccountSecret,
    AuthorizedUserKey,
    Certificate,
    ClientSecret,
    ExternalAccount,
    FederatedToken,
    ImpersonatedAccount,
    ServiceAccountKey,
)
from config.secrets import Secret
from config.table import Table

_TENANT = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*",
    re.IGNORECASE,
)
SYSTEM_ASSIGNED = "system"
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _one_tenant(text: str) -> str:
    if text.lower() in {"common", "organizations", "consumers"}:
        raise ValueError("an application signs in to one tenant; write its directory (tenant) ID")
    if _TENANT.fullmatch(text) is None:
        raise ValueError(
            "must be the directory (tenant) ID, such as 2f1c0d9e-0000-0000-0000-000000000000, or a "
            "domain of the "
            "tenant, such as globex.onmicrosoft.com, and nothing else"
        )
    return text


def _no_tenant(url: str) -> str:
    """Of an authority: an address with a path has the tenant in it, which has a key of its own."""
    if url.count("/") > 2:
        raise ValueError("must be scheme and host only; the tenant goes into tenant_id")
    return url


def _mail_address(text: str) -> str:
    if "@" not in text:
        raise ValueError("must be the mail address of the user to act for")
    return text


def _identity(text: str) -> str:
    if text != SYSTEM_ASSIGNED and _UUID.fullmatch(text) is None:
        raise ValueError('must be "system", or the client ID of a user-assigned identity')
    return text


class GoogleAccount(Table):
    """A service account, with a key or without one, with or without a user it acts for; or a user.

    Who consents by `sequence-sync login` does so to an installed application: `client_id`, `client_secret`.
    """

    name: Name
    provider: Literal["google"]
    service_account: ServiceAccountKey | None = None
    external_account: ExternalAccount | None = None
    impersonated_service_account: ImpersonatedAccount | None = None
    attached_service_account: Annotated[str, AfterValidator(_mail_address)] | None = None
    authorized_user: AuthorizedUserKey | None = None
    login: bool = False
    client_id: Text | None = None
    client_secret: AccountSecret | None = None
    subject: Annotated[Annotated[str, AfterValidator(_mail_address)] | None, EMPTY_IS_NONE] = None
    quota_project: Text | None = None
    send_updates: Literal["none", "all", "externalOnly"] = "none"
    requests_per_minute: Count = 600
    api_endpoint: Annotated[WebAddress, AfterValidator(lambda url: url + "/")] = (
        "https://www.googleapis.com/calendar/v3/"
    )
    authorization_endpoint: WebAddress = "https://accounts.google.com/o/oauth2/v2/auth"
    token_endpoint: WebAddress = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    iam_endpoint: WebAddress = "https://iamcredentials.googleapis.com/v1"

    @property
    def file(self) -> Secret | None:
        """Its credentials file; an account that logs in, or that is the machine's own, has none."""
        kinds = (self.service_account, self.external_account, self.impersonated_service_account)
        return next(filter(None, (*kinds, self.authorized_user)), None)

    @property
    def is_service_account(self) -> bool:
        """Whether it is a service account, and not a user who consented."""
        return not (self.login or self.authorized_user)

    @property
    def service_account_email(self) -> str:
        """The service account that it is, in small letters; empty for a user who consented."""
        if self.attached_service_account:
            return self.attached_service_account.lower()
        if self.service_account:
            return str(json_members(self.service_account)["client_email"]).lower()
        return impersonation(self.file)[1] if self.is_service_account and self.file else ""

    @property
    def owner(self) -> str:
        """Whose `primary` calendar this account sees: a mail address, or `account:NAME` of a user.

        What Google gives out for a user who consented does not say who that is.
        """
        return (self.subject or "").lower() or self.service_account_email or f"account:{self.name}"

    @property
    def billing(self) -> Mapping[str, str]:
        """What goes with every request: the project that it counts for, where the account names one."""
        members = json_members(self.file) if self.file and not self.quota_project else {}
        project = self.quota_project or members.get("quota_project_id")
        return {"X-Goog-User-Project": str(project)} if project else {}


class MicrosoftAccount(Table):
    """An application registered in Entra ID, with leave to write to mailboxes of its tenant.

    With `login` it is a public client, and writes where the user who consented may. A managed identity
    without `client_id` is the application itself; with it, it vouches for that application.
    """

    name: Name
    provider: Literal["microsoft"]
    tenant_id: Annotated[Text, AfterValidator(_one_tenant)] | None = None
    client_id: Text | None = None
    client_secret: ClientSecret | None = None
    certificate_passphrase: AccountSecret | None = None
    certificate: Certificate | None = None
    federated_token: FederatedToken | None = None
    managed_identity: Annotated[str, AfterValidator(_identity)] | None = None
    login: bool = False
    shared_calendars: bool = False
    authority: Annotated[HttpsAddress, AfterValidator(_no_tenant)] = "https://login.microsoftonline.com"
    graph_endpoint: WebAddress = "https://graph.microsoft.com/v1.0"
    ca_file: Annotated[AccountFile | None, EMPTY_IS_NONE] = None


Account = Annotated[GoogleAccount | MicrosoftAccount, Field(discriminator="provider")]
