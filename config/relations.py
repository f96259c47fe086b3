"""How the parts of a configuration fit together: names, references, credentials, mailboxes, ports.

These checks read the tables as they are written, so that what they find is reported together with values
that are wrong in themselves. What is not there, or not of its kind, is for the models to report.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from config.accounts import SYSTEM_ASSIGNED
from config.apps import ALL
from config.durations import seconds
from config.nearest import suggestion
from config.redis_url import parse_redis_url
from config.sections import ApiSettings, ReceiverSettings, WorkerSettings
from config.settings import Settings
from config.table import Table

_CREDENTIALS = {
    "google": (
        "service_account",
        "external_account",
        "impersonated_service_account",
        "attached_service_account",
        "authorized_user",
        "login",
    ),
    "microsoft": ("client_secret", "certificate", "federated_token", "managed_identity", "login"),
}
_OF_LOGIN = {"google": ("client_id", "client_secret"), "microsoft": ("shared_calendars",)}
_MODELS: Mapping[str, type[Table]] = {
    "receiver": ReceiverSettings,
    "api": ApiSettings,
    "worker": WorkerSettings,
}
_UNIQUE = (
    ("apps", "name"),
    ("accounts", "name"),
    ("calendars", "name"),
    ("calendars", "cronofy_id"),
    ("people", "sub"),
)

Tables = Mapping[str, Any]


def relation_problems(tables: Tables) -> list[str]:
    """What does not fit together, a text for each."""
    return [
        *_applications(tables),
        *_names_taken(tables),
        *_names_unknown(tables),
        *_credentials(tables),
        *_logins(tables),
        *_sealing(tables),
        *_mailboxes(tables),
        *_ports(tables),
        *_retry_order(tables),
        *_redis_login(tables),
        *_proxy_login(tables),
    ]


def shared_addresses(settings: Settings) -> list[str]:
    """Calendars that are one and the same at the provider: an event would be written to it twice."""
    return [
        f'calendars[{at}]: "{second.name}" is the same calendar as "{first.name}"; '
        "remove one, and name the other in the routes of both"
        for (_, first), (at, second) in combinations(enumerate(settings.calendars), 2)
        if settings.address(first) == settings.address(second)
    ]


def _names_taken(tables: Tables) -> Iterator[str]:
    for section, key in _UNIQUE:
        seen: dict[str, int] = {}
        for at, entry in _entries(tables, section):
            name = _text(entry, key)
            if name in seen:
                yield (
                    f'{section}[{at}].{key}: "{name}" is the {key} of {section}[{seen[name]}] too; '
                    "give each its own"
                )
            elif name:
                seen[name] = at


def _names_unknown(tables: Tables) -> Iterator[str]:
    for at, calendar in _entries(tables, "calendars"):
        yield from _unknown(tables, f"calendars[{at}].account", "accounts", calendar.get("account"))
    for at, route in _entries(tables, "routes"):
        yield from _unknown(tables, f"routes[{at}].app", "apps", route.get("app"))
    for section, key in (
        ("routes", "calendars"),
        ("people", "calendars"),
        ("apps", "calendars"),
        ("apps", "people"),
    ):
        for at, entry in _entries(tables, section):
            names = entry.get(key)
            for index, name in enumerate(names if isinstance(names, list) else []):
                if section != "apps" or name != ALL:
                    yield from _unknown(tables, f"{section}[{at}].{key}[{index}]", key, name)


def _unknown(tables: Tables, where: str, section: str, name: object) -> Iterator[str]:
    called = "sub" if section == "people" else "name"
    known = {_text(entry, called) for _, entry in _entries(tables, section)} - {""}
    if isinstance(name, str) and name not in known:
        yield f'{where}: no [[{section}]] is called "{name}"; {suggestion(name, known)}'


def _credentials(tables: Tables) -> Iterator[str]:
    for at, account in _entries(tables, "accounts"):
        choices = _CREDENTIALS.get(_text(account, "provider"), ())
        given = [key for key in choices if account.get(key, False) is not False]
        if choices and len(given) != 1:
            found = " and ".join(given) or "none"
            yield f"accounts[{at}]: give exactly one of {', '.join(choices)}; found {found}"
        if "certificate_passphrase" in account and "certificate" not in account:
            yield f"accounts[{at}].certificate_passphrase: there is no certificate for it; remove it"
        if {"authorized_user", "login"} & set(given) and _text(account, "subject"):
            yield f"accounts[{at}].subject: only a service account can act for somebody; remove it"


def _applications(tables: Tables) -> Iterator[str]:
    """Which application of which tenant it is; a managed identity may be one by itself."""
    for at, account in _entries(tables, "accounts"):
        if _text(account, "provider") != "microsoft":
            continue
        missing = [key for key in ("tenant_id", "client_id") if key not in account]
        if "managed_identity" not in account:
            yield from (f"accounts[{at}].{key}: missing; add {key} = …" for key in missing)
        elif len(missing) == 1:
            yield (
                f"accounts[{at}].{missing[0]}: missing; give both tenant_id and client_id where the managed "
                "identity vouches for that application, and neither where it is the application itself"
            )
        elif not missing and account["managed_identity"] == SYSTEM_ASSIGNED:
            yield (
                f"accounts[{at}].managed_identity: only a user-assigned identity can vouch for an "
                "application; write its client ID, or remove tenant_id and client_id"
            )


def _logins(tables: Tables) -> Iterator[str]:
    """What belongs to an account whose user consents by `sequence-sync login`, and to no other."""
    for at, account in _entries(tables, "accounts"):
        provider = _text(account, "provider")
        own = _OF_LOGIN.get(provider, ())
        if account.get("login") is True:
            if provider == "google":
                missing = [key for key in own if key not in account]
                yield from (
                    f"accounts[{at}].{key}: missing; login needs it, add {key} = …" for key in missing
                )
            if not _section(tables, "encryption").get("keys"):
                yield (
                    f"accounts[{at}].login: what it stores is encrypted, and there is no key; "
                    'add [encryption] with keys = ["file:PATH"]; `sequence-sync key` prints one'
                )
        else:
            yield from (
                f"accounts[{at}].{key}: only an account with login = true has one; remove it"
                for key in own
                if account.get(key, False) is not False
            )


def _sealing(tables: Tables) -> Iterator[str]:
    encryption = _section(tables, "encryption")
    if encryption.get("bookings") is True and not encryption.get("keys"):
        yield 'encryption.bookings: needs a key; add keys = ["file:PATH"]; `sequence-sync key` prints one'


def _mailboxes(tables: Tables) -> Iterator[str]:
    providers = {_text(entry, "name"): _text(entry, "provider") for _, entry in _entries(tables, "accounts")}
    for at, calendar in _entries(tables, "calendars"):
        provider = providers.get(_text(calendar, "account"))
        mailbox = calendar.get("mailbox", "") != ""
        if provider == "microsoft" and not mailbox:
            yield (
                f"calendars[{at}].mailbox: missing; an application has no mailbox of its own, "
                'add mailbox = "somebody@example.com"'
            )
        if provider == "google" and mailbox:
            yield (
                f"calendars[{at}].mailbox: Google has none; remove it, "
                "and name the user in the account's subject"
            )


def _ports(tables: Tables) -> Iterator[str]:
    places = (
        ("receiver", "port"),
        ("receiver", "admin_port"),
        ("worker", "admin_port"),
        ("api", "port"),
        ("api", "admin_port"),
    )
    ports = {f"{section}.{key}": _value(tables, section, key) for section, key in places}
    for (first, port), (second, other) in combinations(ports.items(), 2):
        if str(port) == str(other) != "0":
            yield f"{second}: {other} is the port of {first} too; give each its own"


def _retry_order(tables: Tables) -> Iterator[str]:
    base, cap = (_value(tables, "worker", key) for key in ("retry_base", "retry_cap"))
    try:
        wrong = seconds(base) > seconds(cap)
    except ValueError:
        return
    if wrong:
        yield "worker.retry_base: longer than worker.retry_cap; make it shorter, or the cap longer"


def _redis_login(tables: Tables) -> Iterator[str]:
    redis = _section(tables, "redis")
    try:
        url = parse_redis_url(_text(redis, "url") or "embedded")
    except ValueError:
        return
    for key, in_url in (("username", url.username), ("password", url.password)):
        if in_url is not None and key in redis:
            yield f"redis.{key}: redis.url holds one too; take it out of the URL"


def _proxy_login(tables: Tables) -> Iterator[str]:
    network = _section(tables, "network")
    for key in ("proxy_username", "proxy_password"):
        if key in network and not network.get("proxy"):
            yield f"network.{key}: there is no network.proxy to log in to; set it, or remove this"
    if "proxy_password" in network and "proxy_username" not in network:
        yield "network.proxy_password: there is no proxy_username that it belongs to; set it, too"


def _entries(tables: Tables, section: str) -> Iterator[tuple[int, dict[str, Any]]]:
    entries = tables.get(section)
    if isinstance(entries, list):
        yield from ((at, entry) for at, entry in enumerate(entries) if isinstance(entry, dict))


def _section(tables: Tables, section: str) -> dict[str, Any]:
    found = tables.get(section)
    return found if isinstance(found, dict) else {}


def _value(tables: Tables, section: str, key: str) -> object:
    return _section(tables, section).get(key, _MODELS[section].model_fields[key].default)


def _text(entry: dict[str, Any], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
