"""Credentials at the calendar providers. `config.relations` sees to it that each account has exactly one."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.fields import (
    EMPTY_IS_NONE,
    AuthorizedUserKey,
    Certificate,
    Count,
    ExistingFile,
    HttpsAddress,
    Name,
    SecretText,
    ServiceAccountKey,
    Text,
    WebAddress,
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
    """A service account, with or without a user it acts for, or a user who consented."""

    name: Name
    provider: Literal["google"]
    service_account: ServiceAccountKey | None = None
    authorized_user: AuthorizedUserKey | None = None
    subject: Annotated[Annotated[str, AfterValidator(_mail_address)] | None, EMPTY_IS_NONE] = None
    send_updates: Literal["none", "all", "externalOnly"] = "none"
    requests_per_minute: Count = 600
    api_endpoint: Annotated[WebAddress, AfterValidator(lambda url: url + "/")] = (
        "https://www.googleapis.com/calendar/v3/"
    )

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
    """An application registered in Entra ID, with leave to write to mailboxes of its tenant."""

    name: Name
    provider: Literal["microsoft"]
    tenant_id: Annotated[Text, AfterValidator(_one_tenant)]
    client_id: Text
    client_secret: SecretText | None = None
    certificate: Certificate | None = None
    certificate_passphrase: SecretText | None = None
    federated_token: SecretText | None = None
    authority: HttpsAddress = "https://login.microsoftonline.com"
    graph_endpoint: WebAddress = "https://graph.microsoft.com/v1.0"
    ca_file: Annotated[ExistingFile | None, EMPTY_IS_NONE] = None


Account = Annotated[GoogleAccount | MicrosoftAccount, Field(discriminator="provider")]
