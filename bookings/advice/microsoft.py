"""Microsoft's codes: of Entra ID (AADSTS numbers) and of Graph.

Source: learn.microsoft.com/entra/identity-platform/reference-error-codes, learn.microsoft.com/graph/errors.
"""

from collections.abc import Mapping

from bookings.advice.ours import LOGIN
from bookings.advice.row import Advice

_SECRETS = "Entra admin center, App registrations > Certificates & secrets"
_FEDERATED = f"{_SECRETS} > Federated credentials"
_ENTERPRISE = "Entra admin center, Enterprise applications"
_PERMISSIONS = "App registrations > API permissions > Grant admin consent"
_ACCESS = "Entra admin center, Conditional Access"
_ANEW = f"have the user consent anew: {LOGIN}"
_CLOUD = "see that authority and graph_endpoint are of the same cloud (docs/microsoft.md, National clouds)"

MICROSOFT: Mapping[str, Advice] = {
    "AADSTS7000215": Advice(
        "the client secret is wrong",
        f"put the secret's Value into client_secret, not its Secret ID; it is shown once, so add a "
        f"new one ({_SECRETS})",
    ),
    "AADSTS7000222": Advice(
        "the client secret has expired",
        f"add a new client secret ({_SECRETS}), and put its Value into client_secret",
    ),
    "AADSTS7000218": Advice(
        "the application is not registered as a public client, and a user's login has no secret",
        "App registrations > Authentication: set Allow public client flows to Yes",
    ),
    "AADSTS700016": Advice(
        "there is no such application in this tenant",
        "compare client_id (Application ID) and tenant_id (Directory ID) with App registrations > Overview",
    ),
    "AADSTS7000112": Advice(
        "the application is disabled",
        f"{_ENTERPRISE} > Properties: set Enabled for users to sign in to Yes",
    ),
    "AADSTS7000229": Advice(
        "the application has no service principal in this tenant",
        f"have an administrator of the tenant grant admin consent ({_PERMISSIONS}), which makes one",
    ),
    "AADSTS7000113": Advice(
        "the application is not authorised to ask for tokens in this tenant",
        f"have an administrator of the tenant grant admin consent ({_PERMISSIONS})",
    ),
    "AADSTS700027": Advice(
        "the certificate is not registered with the application",
        f"upload the certificate that certificate points to ({_SECRETS} > Certificates), and "
        f"compare thumbprints",
    ),
    "AADSTS700024": Advice(
        "the signed assertion is not valid now: a clock is wrong, or the federated token has expired",
        "set this machine's clock by NTP; see that something renews the file that federated_token points to",
    ),
    "AADSTS700021": Advice(
        "the assertion's issuer or subject is not the application",
        "compare client_id with App registrations > Overview",
    ),
    "AADSTS700211": Advice(
        "no federated credential of the application has the token's issuer",
        f"correct the Issuer ({_FEDERATED}): on Kubernetes, the cluster's OIDC issuer URL",
    ),
    "AADSTS700212": Advice(
        "no federated credential of the application has the token's audience",
        f"correct the Audience ({_FEDERATED}), as a rule api://AzureADTokenExchange",
    ),
    "AADSTS700213": Advice(
        "no federated credential of the application has the token's subject",
        f"correct the Subject identifier ({_FEDERATED}): system:serviceaccount:NAMESPACE:NAME",
    ),
    "AADSTS70021": Advice(
        "no federated credential of the application fits the token's issuer, subject and audience",
        f"compare all three ({_FEDERATED})",
    ),
    "AADSTS90002": Advice(
        "there is no such tenant",
        "put the Directory (tenant) ID into tenant_id: Entra admin center, Overview; and " + _CLOUD,
    ),
    "AADSTS900023": Advice(
        "tenant_id is neither a tenant's ID nor its domain", "put the Directory (tenant) ID into tenant_id"
    ),
    "AADSTS90019": Advice("the request names no tenant", "put the Directory (tenant) ID into tenant_id"),
    "AADSTS900382": Advice("the resource is of another cloud than the application", _CLOUD),
    "AADSTS900439": Advice("the application is of another cloud", _CLOUD),
    "AADSTS500011": Advice(
        "Microsoft Graph, as graph_endpoint names it, is not known in this tenant", _CLOUD
    ),
    "AADSTS500014": Advice(
        "the service principal of Microsoft Graph is disabled in this tenant",
        f"{_ENTERPRISE} > Microsoft Graph > Properties: set Enabled for users to sign in to Yes",
    ),
    "AADSTS500113": Advice(
        "the application has no redirect URI",
        "App registrations > Authentication: add http://localhost for a desktop app",
    ),
    "AADSTS50011": Advice(
        "the redirect URI is not registered",
        "App registrations > Authentication: add http://localhost for a desktop app",
    ),
    "AADSTS50194": Advice(
        "the application is for one tenant only",
        "put the Directory (tenant) ID of that tenant into tenant_id",
    ),
    "AADSTS65001": Advice(
        "consent is missing: nobody has allowed the application what it asks for",
        f"have an administrator grant admin consent ({_PERMISSIONS}); for a user, {LOGIN}",
    ),
    "AADSTS65004": Advice("the user declined", _ANEW),
    "AADSTS90094": Advice(
        "only an administrator may consent to what the application asks for",
        f"have an administrator grant admin consent ({_PERMISSIONS})",
    ),
    "AADSTS50105": Advice(
        "the user is not assigned to the application", f"{_ENTERPRISE} > Users and groups: assign the user"
    ),
    "AADSTS53003": Advice(
        "a Conditional Access policy blocks the sign-in",
        f"see the sign-in log for the policy, and except the application or this network from it ({_ACCESS})",
    ),
    "AADSTS53000": Advice(
        "a Conditional Access policy wants a compliant device",
        f"except the application from the policy ({_ACCESS})",
    ),
    "AADSTS530032": Advice(
        "a security policy of the tenant blocks the sign-in",
        f"see the sign-in log for the policy, and except the application from it ({_ACCESS})",
    ),
    "AADSTS530034": Advice(
        "the sign-in is blocked as risky: a delegated administrator was refused",
        "see the risky sign-ins of the user (Entra admin center, Protection > Identity Protection)",
    ),
    "AADSTS50076": Advice("multi-factor authentication is required since the user consented", _ANEW),
    "AADSTS50079": Advice("the user has to register for multi-factor authentication", _ANEW),
    "AADSTS50158": Advice("an outside check, such as another multi-factor service, is required", _ANEW),
    "AADSTS50034": Advice(
        "the user is not in this tenant", "compare tenant_id with the tenant of the mailbox's user"
    ),
    "AADSTS50057": Advice(
        "the user is disabled", "enable the user (Entra admin center, Users), or have another one consent"
    ),
    "AADSTS50055": Advice("the user's password has expired", f"have the user change it, then {LOGIN}"),
    "AADSTS50133": Advice("the user's password was changed, which ended the consent", _ANEW),
    "AADSTS50173": Advice("the user's password or sessions were reset, which ended the consent", _ANEW),
    "AADSTS50132": Advice("the user's sessions were revoked, which ended the consent", _ANEW),
    "AADSTS50078": Advice("the user's multi-factor sign-in is too old for a policy", _ANEW),
    "AADSTS70008": Advice("the consent has expired, having lain unused for too long", _ANEW),
    "AADSTS700082": Advice("the consent has expired: it was not used for 90 days", _ANEW),
    "AADSTS70043": Advice("the consent has expired by a sign-in frequency of Conditional Access", _ANEW),
    "AADSTS700084": Advice("the consent has expired: this kind lasts a day", _ANEW),
    "AADSTS54005": Advice("the code was used already", _ANEW),
    "AADSTS70011": Advice("the scope is not known", _CLOUD),
    "AADSTS1002012": Advice("the scope is not known", _CLOUD),
    "authority_unknown": Advice(
        "authority is not the address of a Microsoft sign-in service",
        "see authority: scheme and host only, such as https://login.microsoftonline.com",
    ),
    "invalid_tenant": Advice("there is no such tenant", "put the Directory (tenant) ID into tenant_id"),
    "invalid_client": Advice(
        "the application's credential is refused", f"renew its secret or certificate ({_SECRETS})"
    ),
    "invalid_grant": Advice("the user's consent has ended", _ANEW),
    "unauthorized_client": Advice(
        "the application may not ask for tokens this way",
        "compare client_id and tenant_id with App registrations",
    ),
    "ErrorAccessDenied": Advice(
        "the application has no permission for this mailbox, or the user none for this calendar",
        "give it Calendars.ReadWrite for the mailbox: RBAC for Applications "
        "(`Test-ServicePrincipalAuthorization`), "
        f"or {_PERMISSIONS}; an application access policy may keep it out (`Test-ApplicationAccessPolicy`)",
    ),
    "Authorization_RequestDenied": Advice(
        "the application lacks a permission",
        f"add Calendars.ReadWrite and grant admin consent ({_PERMISSIONS})",
    ),
    "NoPermissionsInAccessToken": Advice(
        "the token holds no permission", f"add Calendars.ReadWrite and grant admin consent ({_PERMISSIONS})"
    ),
    "Authorization_IdentityNotFound": Advice(
        "the application has no service principal in this tenant",
        f"have an administrator of the tenant grant admin consent ({_PERMISSIONS}), which makes one",
    ),
    "Authorization_IdentityDisabled": Advice(
        "the application is disabled in this tenant",
        f"{_ENTERPRISE} > Properties: set Enabled for users to sign in to Yes",
    ),
    "InvalidAuthenticationToken": Advice("Graph does not take the token", _CLOUD),
    "MailboxNotEnabledForRESTAPI": Advice(
        "the mailbox has no licence, or is not in Exchange Online",
        "give the user a licence with Exchange Online, or name another mailbox",
    ),
    "ErrorInvalidUser": Advice(
        "there is no such mailbox in the tenant", "correct mailbox, or tenant_id of the account"
    ),
    "ErrorNonExistentMailbox": Advice(
        "there is no such mailbox in the tenant", "correct mailbox, or tenant_id of the account"
    ),
    "Request_ResourceNotFound": Advice(
        "there is no such user in the tenant", "correct mailbox, or tenant_id of the account"
    ),
    "ErrorQuotaExceeded": Advice("the mailbox is full", "make room in it, or archive"),
}
