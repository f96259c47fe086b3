"""What to do where accounts without a key get no token, by the code of what was refused."""

from collections.abc import Mapping

_ACTS = (
    "grant roles/iam.serviceAccountTokenCreator on the service account to whoever acts as it (docs/google.md)"
)
_REACHED = (
    "nothing, if it runs elsewhere now; otherwise let pods reach it (networkPolicy.metadata of the chart)"
)

REMEDIES: Mapping[str, str] = {
    "IAM_PERMISSION_DENIED (iam.serviceAccounts.signJwt)": _ACTS,
    "IAM_PERMISSION_DENIED (iam.serviceAccounts.getAccessToken)": _ACTS,
    "SERVICE_DISABLED": "`gcloud services enable iamcredentials.googleapis.com`, in its project",
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": "give the machine the access scope cloud-platform, then start it anew",
    "federation invalid_grant": (
        "see that the workload's token has not expired, and that its issuer and its audience "
        "are those of the pool's provider"
    ),
    "federation invalid_target": "see that the pool and its provider in `audience` exist and are enabled",
    "federation unauthorized_client": "let the provider's attribute condition admit this workload",
    "subject_token_missing": "mount the file that credential_source names, for the audience of the provider",
    "subject_token_unreadable": "let credential_source say in which format the workload's token stands",
    "subject_token_refused": "see which headers the address in credential_source wants",
    "no_service_account_attached": "attach a service account to the machine, or to the pod's account",
    "metadata_server_refuses": "see that nothing stands between this process and metadata.google.internal",
    "metadata_server_unreachable": f"only machines at Google have a metadata server; {_REACHED}",
    "managed_identity_unreachable": f"only machines at Azure have managed identities; {_REACHED}",
    "managed_identity_invalid_request": "assign the identity to this machine, or correct managed_identity",
    "managed_identity_invalid_scope": "assign the identity to this app, or correct managed_identity",
}
