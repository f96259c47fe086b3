"""What is allowed, but probably not meant."""

from config.accounts import GoogleAccount, MicrosoftAccount
from config.redis_url import RedisKind
from config.settings import Settings


def warnings(settings: Settings) -> list[str]:
    """A text for each thing that works and yet deserves a look."""
    return [
        *_redis(settings),
        *_receiver(settings),
        *_accounts(settings),
        *_calendars(settings),
        *_routes(settings),
    ]


def _redis(settings: Settings) -> list[str]:
    redis = settings.redis
    found = []
    if redis.url.password is not None:
        found.append('redis.url: holds a password; write redis.password = "env:NAME" instead')
    if redis.ca_file is not None and not redis.url.tls:
        found.append("redis.ca_file: has no effect; begin redis.url with rediss://, or take it out")
    if redis.url.kind is RedisKind.EMBEDDED and (redis.username or redis.password):
        found.append("redis.password: has no effect; take it out, an embedded Redis has a private socket")
    return found


def _receiver(settings: Settings) -> list[str]:
    url = settings.receiver.public_url
    if url is not None and not url.startswith("https://"):
        return ["receiver.public_url: not https; use https, or anyone on the way can read callbacks"]
    return []


def _accounts(settings: Settings) -> list[str]:
    found = []
    for at, account in enumerate(settings.accounts):
        if isinstance(account, GoogleAccount):
            endpoint, key = account.api_endpoint, "api_endpoint"
        else:
            endpoint, key = account.graph_endpoint, "graph_endpoint"
        if not endpoint.startswith("https://"):
            found.append(
                f"accounts[{at}].{key}: not https; use https, or anyone on the way can read access tokens"
            )
        if isinstance(account, MicrosoftAccount):
            changed = {
                each
                for each in ("authority", "graph_endpoint")
                if getattr(account, each) != MicrosoftAccount.model_fields[each].default
            }
            if len(changed) == 1:
                found.append(
                    f"accounts[{at}]: authority and graph_endpoint belong to one cloud, "
                    f"but only {changed.pop()} was changed; see docs/microsoft.md"
                )
    return found


def _calendars(settings: Settings) -> list[str]:
    """A service account's own calendar is in nobody's list: what is written there, nobody sees."""
    found = []
    for at, calendar in enumerate(settings.calendars):
        account = settings.account(calendar.account)
        if not isinstance(account, GoogleAccount) or not account.is_service_account or account.subject:
            continue
        if settings.address(calendar).calendar_id == "primary":
            found.append(
                f"calendars[{at}]: is the service account's own calendar, which nobody sees; let calendar_id "
                f"name one that is shared with {account.owner}, or subject the user that the account acts for"
            )
    return found


def _routes(settings: Settings) -> list[str]:
    if not settings.apps:
        return ["apps: there is none, so every callback is answered 404; add [[apps]]"]
    routed = {route.app for route in settings.routes}
    return [
        *_barred(settings),
        *(
            f'apps[{at}]: no route is for "{app.name}", so its parts become dead letters ("unrouted"); '
            f'add [[routes]] with app = "{app.name}"'
            for at, app in enumerate(settings.apps)
            if app.name not in routed
        ),
    ]


def _barred(settings: Settings) -> list[str]:
    """Routes to calendars that their app may not use."""
    return [
        f'routes[{at}]: "{name}" is none of the calendars of "{route.app}", so nothing is written there; '
        "add it to them, or take it out of the route"
        for at, route in enumerate(settings.routes)
        for name in route.calendars
        if name not in settings.leave(route.app).calendars
    ]
