"""Google's codes: of the token endpoint, of its consent screen, and of the Calendar API."""

from collections.abc import Mapping

from bookings.advice.ours import LOGIN
from bookings.advice.row import Advice

_KEYS = "Google Cloud console, IAM & Admin > Service accounts > Keys"
_CLIENTS = "Google Cloud console, APIs & Services > Credentials"
_DELEGATION = (
    "Admin console, Security > Access and data control > API controls > Manage domain-wide delegation"
)
_APPS = "Admin console, Security > Access and data control > API controls > Manage app access"
_SCOPE = "https://www.googleapis.com/auth/calendar.events"
_API = "enable the Google Calendar API in the project: Google Cloud console, APIs & Services > Library"

GOOGLE: Mapping[str, Advice] = {
    "invalid_grant (clock)": Advice(
        "this machine's clock is wrong: the signed request is not of now",
        "set the clock by NTP (`timedatectl`; on Kubernetes, that of the node)",
    ),
    "invalid_grant (key_unknown)": Advice(
        "the service account has no such key any more: it was deleted, disabled or has expired",
        f"make a new JSON key ({_KEYS}), and put it where service_account points",
    ),
    "invalid_grant (account_not_found)": Advice(
        "there is no such service account (client_email in the key file): it was deleted or disabled",
        "restore or enable it in the Google Cloud console, IAM & Admin > Service accounts, or use "
        "another's key",
    ),
    "invalid_grant (subject_unknown)": Advice(
        "no user of the Workspace has the address that is in subject",
        "put the primary address of an active user into subject; a group or an alias will not do",
    ),
    "invalid_grant (consent_ended)": Advice(
        "the user's consent has expired or was revoked; in an app in Testing, it lasts seven days",
        f"publish the app (Google Auth Platform > Audience), then have the user consent anew: {LOGIN}",
    ),
    "invalid_grant (invalid_rapt)": Advice(
        "the Workspace asks users of this app to sign in again every so often",
        "mark the app as trusted and exempt it: Admin console, Security > Access and data control > "
        "Google Cloud session "
        f"control; then {LOGIN}",
    ),
    "invalid_grant (rapt_required)": Advice(
        "the Workspace asks users of this app to sign in again every so often",
        "mark the app as trusted and exempt it: Admin console, Security > Access and data control > "
        "Google Cloud session "
        f"control; then {LOGIN}",
    ),
    "invalid_grant (user_deleted)": Advice(
        "the user who consented has been deleted", f"restore the user, or have another one consent: {LOGIN}"
    ),
    "invalid_grant (account_disabled)": Advice(
        "the user or service account is suspended or disabled", "enable it again, or use another"
    ),
    "invalid_grant (audience)": Advice(
        "the key file's token_uri is not Google's", "use the whole key file as Google gave it"
    ),
    "invalid_grant": Advice(
        "Google no longer takes the key or the consent",
        f"make a new JSON key ({_KEYS}); for a user who consented, {LOGIN}",
    ),
    "unauthorized_client": Advice(
        "domain-wide delegation is missing: the service account may not act for the user in subject "
        "with this scope",
        f"have a super administrator add the service account's client ID with the scope {_SCOPE} "
        f"({_DELEGATION}); "
        "it may take a day to be in force",
    ),
    "access_denied": Advice(
        "the domain's administrator does not let the service account act for this user",
        f"authorise its client ID for the scope {_SCOPE} ({_DELEGATION})",
    ),
    "invalid_client": Advice(
        "client_id and client_secret do not belong together",
        f"copy both anew from the OAuth client ({_CLIENTS})",
    ),
    "invalid_client (client_secret)": Advice(
        "the client secret is wrong, or was deleted or disabled",
        f"copy the client secret anew, or add one ({_CLIENTS})",
    ),
    "invalid_client (client_not_found)": Advice(
        "there is no OAuth client with this client_id", f"copy the client ID anew ({_CLIENTS})"
    ),
    "deleted_client": Advice(
        "the OAuth client was deleted",
        f"restore it within 30 days, or make another one ({_CLIENTS}), and {LOGIN}",
    ),
    "disabled_client": Advice(
        "the OAuth client or the service account is disabled",
        f"enable it ({_CLIENTS}; or IAM & Admin > Service accounts); Google does so where terms were broken",
    ),
    "admin_policy_enforced": Advice(
        "the Workspace's administrator does not allow this app, or not this scope",
        f"have an administrator trust the app's client ID ({_APPS})",
    ),
    "org_internal": Advice(
        "the app is for users of its own organisation only, and the user is of another",
        "have a user of the organisation consent, or make the app External (Google Auth Platform > Audience)",
    ),
    "invalid_scope": Advice(
        "the user did not consent to the calendar, or the scope is not the app's",
        f"have them consent anew: {LOGIN}",
    ),
    "accessNotConfigured": Advice("the Google Calendar API is not enabled in the credentials' project", _API),
    "SERVICE_DISABLED": Advice("the Google Calendar API is not enabled in the credentials' project", _API),
    "insufficientPermissions": Advice(
        f"the token is not good for the scope {_SCOPE}",
        f"authorise this scope ({_DELEGATION}); for a user who consented, {LOGIN} and leave the "
        f"calendar ticked",
    ),
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Advice(
        f"the token is not good for the scope {_SCOPE}",
        f"authorise this scope ({_DELEGATION}); for a user who consented, {LOGIN} and leave the "
        f"calendar ticked",
    ),
    "CONSUMER_SUSPENDED": Advice(
        "the credentials' Google Cloud project is suspended", "see its notice in the Google Cloud console"
    ),
    "CONSUMER_INVALID": Advice(
        "the credentials' Google Cloud project was deleted, or is none",
        "restore it (Google Cloud console, IAM & Admin > Manage resources), or use a key of another project",
    ),
    "USER_PROJECT_DENIED": Advice(
        "the credentials may not use the project that requests are counted for",
        "give them the role Service Usage Consumer in it (Google Cloud console, IAM & Admin > IAM)",
    ),
    "notACalendarUser": Advice(
        "the user in subject has no Google Calendar",
        "turn Calendar on for them: Admin console, Apps > Google Workspace > Calendar, and give "
        "them a licence",
    ),
    "domainPolicy": Advice(
        "a policy of the Workspace forbids it",
        "see the sharing settings: Admin console, Apps > Google Workspace > Calendar",
    ),
    "requiredAccessLevel": Advice(
        "the account may read the calendar, but not change its events",
        "share it with the right to make changes to events (Calendar, Settings and sharing)",
    ),
    "quotaExceeded": Advice(
        "the user has used up a limit of Google Calendar, such as invitations a day",
        "wait: some limits last a day",
    ),
    "calendarUsageLimitsExceeded": Advice(
        "the user has used up a limit of Google Calendar, such as invitations a day",
        "wait: some limits last a day",
    ),
    "dailyLimitExceeded": Advice(
        "the project's quota of the Google Calendar API is used up for today",
        "raise it: Google Cloud console, APIs & Services > Google Calendar API > Quotas",
    ),
}
