"""Credentials at the calendar providers. `config.relations` sees to it that each account has exactly one."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.fields import EMPTY_IS_NONE, Count, HttpsAddress, Name, Text, WebAddress
from config.references import (
    AccountFile,
    AccountSecret,
    AuthorizedUserKey,
    Certificate,
    ServiceAccountKey,
    json_members,
)
from config.table import Table


def _one_tenant(text: str) -> str:
    if text.lower() in {"common", "organizations", "consumers"}:
        raise ValueError("an application signs in to one tenant; write its directory (tenant) ID")
    return text


def _mail_address(text: str) -> str:
    if "@" not in text:
        raise ValueError("must be the mail address of the user to act for")
    return text


class GoogleAccount(Table):
    """A service account, with or without a user it acts for, or a user who consented.

    Who consents by `sequence-sync login` does so to an installed application: `client_id`, `client_secret`.
    """

    name: Name
    provider: Literal["google"]
    service_account: ServiceAccountKey | None = None
    authorized_user: AuthorizedUserKey | None = None
    login: bool = False
    client_id: Text | None = None
    client_secret: AccountSecret | None = None
    subject: Annotated[Annotated[str, AfterValidator(_mail_address)] | None, EMPTY_IS_NONE] = None
    send_updates: Literal["none", "all", "externalOnly"] = "none"
    requests_per_minute: Count = 600
    api_endpoint: Annotated[WebAddress, AfterValidator(lambda url: url + "/")] = (
        "https://www.googleapis.com/calendar/v3/"
    )
    authorization_endpoint: WebAddress = "https://accounts.google.com/o/oauth2/v2/auth"
    token_endpoint: WebAddress = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

    @property
    def owner(self) -> str:
        """Whose `primary` calendar this account sees: a mail address, or `account:NAME` of a user.

        What Google gives out for a user who consented does not say who that is.
        """
        if self.subject:
            return self.subject.lower()
        if self.service_account:
            return str(json_members(self.service_account)["client_email"]).lower()
        return f"account:{self.name}"


class MicrosoftAccount(Table):
    """An application registered in Entra ID, with leave to write to mailboxes of its tenant.

    With `login` it is a public client, and writes where the user who consented may.
    """

    name: Name
    provider: Literal["microsoft"]
    tenant_id: Annotated[Text, AfterValidator(_one_tenant)]
    client_id: Text
    client_secret: AccountSecret | None = None
    certificate: Certificate | None = None
    certificate_passphrase: AccountSecret | None = None
    federated_token: AccountSecret | None = None
    login: bool = False
    shared_calendars: bool = False
    authority: HttpsAddress = "https://login.microsoftonline.com"
    graph_endpoint: WebAddress = "https://graph.microsoft.com/v1.0"
    ca_file: Annotated[AccountFile | None, EMPTY_IS_NONE] = None


Account = Annotated[GoogleAccount | MicrosoftAccount, Field(discriminator="provider")]
