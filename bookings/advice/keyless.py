"""Codes of accounts without a key: somebody else vouches for them, and was asked first."""

from collections.abc import Mapping

from bookings.advice.row import Advice

_REACHED = (
    "nothing, if it runs elsewhere now; otherwise let pods reach it (networkPolicy.metadata of the chart)"
)

GOOGLE_KEYLESS: Mapping[str, Advice] = {
    "IAM_PERMISSION_DENIED": Advice(
        "whatever acts as the service account lacks the role on it, or the account is not there; Google does "
        "not tell the two apart",
        "grant roles/iam.serviceAccountTokenCreator on the service account to whatever acts as it",
    ),
    "IAM SERVICE_DISABLED": Advice(
        "the IAM Service Account Credentials API is off in the service account's project",
        "`gcloud services enable iamcredentials.googleapis.com`, in its project",
    ),
    "IAM ACCESS_TOKEN_SCOPE_INSUFFICIENT": Advice(
        "the machine has no access scope cloud-platform",
        "give the machine the access scope cloud-platform, then start it again",
    ),
    "federation invalid_grant": Advice(
        "the workload's token has expired, or its issuer or audience is not that of the provider",
        "compare the token's exp, iss and aud with the pool's provider",
    ),
    "federation invalid_target": Advice(
        "the pool or the provider in `audience` is not there, or disabled",
        "make the file anew for a pool and a provider that exist and are enabled",
    ),
    "federation unauthorized_client": Advice(
        "the provider's attribute condition does not admit this workload",
        "change the condition, or the claims that the workload's token has",
    ),
    "subject_token_missing": Advice(
        "the file that credential_source names is not there",
        "mount the workload's token at that path, for the audience of the provider",
    ),
    "subject_token_unreadable": Advice(
        "the workload's token has another format than credential_source says",
        "let credential_source.format say in which format it stands",
    ),
    "subject_token_refused": Advice(
        "the address in credential_source does not give out the workload's token",
        "see which headers that address wants",
    ),
    "no_service_account_attached": Advice(
        "the machine or the pod has no service account",
        "attach one to the machine, or to the pod's Kubernetes service account",
    ),
    "metadata_server_refuses": Advice(
        "the metadata server gives no token",
        "see that nothing stands between this process and metadata.google.internal",
    ),
    "metadata_server_unreachable": Advice("only machines at Google have a metadata server", _REACHED),
}
MICROSOFT_KEYLESS: Mapping[str, Advice] = {
    "managed_identity_unreachable": Advice(
        "only machines at Azure have managed identities; or theirs is busy", _REACHED
    ),
    "managed_identity_invalid_request": Advice(
        "the machine has no such identity", "assign the identity to this machine, or correct managed_identity"
    ),
    "managed_identity_invalid_scope": Advice(
        "the app has no such identity", "assign the identity to this app, or correct managed_identity"
    ),
}
