"""Wrong configurations, and what is said about each."""

import base64
import json
import tomllib
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.load import parse
from config.settings import Settings

ENVIRON = {
    "SECRET": "x",
    "BLANK": "",
    "GOOGLE": json.dumps({"client_email": "sync@p.example.com", "private_key": "k", "token_uri": "u"}),
    "KEYS": "\n".join(
        (base64.urlsafe_b64encode(bytes(32)).decode(), base64.urlsafe_b64encode(b"k" * 32).decode())
    ),
    "USER": json.dumps({"client_id": "i", "client_secret": "s", "refresh_token": "r"}),
}
APP = '[[apps]]\nname = "hiring"\nclient_secrets = ["env:SECRET"]\n'
GOOGLE = '[[accounts]]\nname = "g"\nprovider = "google"\n'
SERVICE = GOOGLE + 'service_account = "env:GOOGLE"\n'
MICROSOFT = '[[accounts]]\nname = "m"\nprovider = "microsoft"\ntenant_id = "t"\nclient_id = "c"\n'
WITH_SECRET = MICROSOFT + 'client_secret = "env:SECRET"\n'
KEYS = '[encryption]\nkeys = ["env:KEYS"]\n'
PANEL = '[[calendars]]\nname = "panel"\naccount = "m"\nmailbox = "panel@example.com"\n'
OF_GOOGLE = (
    "service_account, external_account, impersonated_service_account, attached_service_account, "
    "authorized_user, login"
)
OF_MICROSOFT = "client_secret, certificate, federated_token, managed_identity, login"
NO_REFERENCE = (
    'not a reference to a secret; write "env:NAME" or "file:PATH" (what stands there is not repeated here)'
)
NO_ADDRESS = "must be an address such as https://host or https://host/path"


def parsed(toml: str) -> Settings:
    return parse(tomllib.loads(toml), folder=Path("/nowhere"), environ=ENVIRON)


def test_the_pieces_of_this_table_are_sound_in_themselves() -> None:
    assert parsed(APP + SERVICE + WITH_SECRET + PANEL).apps[0].name == "hiring"


@pytest.mark.parametrize(
    ("toml", "problems"),
    [
        # unknown keys
        ("[worker]\nconcurency = 5", ['worker.concurency: unknown key; did you mean "concurrency"?']),
        ("[recevier]", ['recevier: unknown key; did you mean "receiver"?']),
        (
            "xyzzy = 1",
            [
                "xyzzy: unknown key; known here: accounts, api, apps, calendars, console, encryption, network, people, receiver, redis, routes, telemetry, worker"
            ],
        ),
        (APP + "defaultzone = 1", ['apps[0].defaultzone: unknown key; did you mean "default_zone"?']),
        (SERVICE + 'subjekt = "x"', ['accounts[0].subjekt: unknown key; did you mean "subject"?']),
        (WITH_SECRET + 'tenant = "x"', ['accounts[0].tenant: unknown key; did you mean "tenant_id"?']),
        # kinds of value
        ('[receiver]\nport = "http"', ["receiver.port: must be a whole number"]),
        ("[receiver]\nport = true", ["receiver.port: must be a whole number"]),
        ("[receiver]\nport = 1.5", ["receiver.port: must be a whole number"]),
        ("[receiver]\nport = 65536", ["receiver.port: must be 65535 or less"]),
        ("[receiver]\nport = -1", ["receiver.port: must be 0 or more"]),
        ("[worker]\nconcurrency = 0", ["worker.concurrency: must be 1 or more"]),
        ("[receiver]\nhost = 5", ["receiver.host: must be text in quotes"]),
        (
            '[receiver]\nhost = ""',
            ["receiver.host: must not be empty; leave the key out where it is not needed"],
        ),
        ('[worker]\nprune_missing_parts = "maybe"', ["worker.prune_missing_parts: must be true or false"]),
        ("[worker]\nprune_missing_parts = []", ["worker.prune_missing_parts: must be true or false"]),
        (
            '[worker]\nlease = "soon"',
            [
                (
                    "worker.lease: 'soon' is not a duration; "
                    'write a number and a unit (ms, s, m, h, d, w), such as "50ms", "15s" or "24h"'
                )
            ],
        ),
        ("[worker]\nlease = 0", ["worker.lease: a duration is longer than 0 and not longer than 36500 days"]),
        (
            '[redis]\nkey_prefix = "a b"',
            ["redis.key_prefix: must be 1 to 64 letters, digits, - or _"],
        ),
        ("[redis]\ndata_dir = 5", ["redis.data_dir: must be a path in quotes"]),
        (
            '[redis]\nca_file = "nope.pem"',
            ["redis.ca_file: there is no file /nowhere/nope.pem; put it there, or change the path"],
        ),
        (
            '[redis]\nurl = "localhost"',
            [
                (
                    'redis.url: not the address of a Redis; write "embedded", "redis://host:6379/0", '
                    '"rediss://host:6379/0", "unix:///path/redis.sock" or '
                    '"redis+sentinel://host:26379,host2:26379/mymaster" '
                    "(with % codes for special characters in a password)"
                )
            ],
        ),
        ('[receiver]\npublic_url = "sync.example.com"', [f"receiver.public_url: {NO_ADDRESS}"]),
        ('[receiver]\npublic_url = "https://u:p@example.com"', [f"receiver.public_url: {NO_ADDRESS}"]),
        ('[receiver]\npublic_url = "https://example.com:99999"', [f"receiver.public_url: {NO_ADDRESS}"]),
        ('[receiver]\npublic_url = "https://example.com/?a=b"', [f"receiver.public_url: {NO_ADDRESS}"]),
        (
            '[receiver]\npublic_url = "https://[example.com"',
            [f"receiver.public_url: {NO_ADDRESS}"],
        ),
        # tables and lists
        ("redis = 5", ["redis: must be one table; write [redis]"]),
        ("[[worker]]", ["worker: must be one table; write [worker]"]),
        ("[apps]", ["apps: must be a list of tables; write [[apps]] above each"]),
        ('accounts = ["x"]', ["accounts[0]: must be a list of tables; write [[accounts]] above each"]),
        ('calendars = ["x"]', ["calendars[0]: must be a list of tables; write [[calendars]] above each"]),
        # apps
        (
            "[[apps]]",
            [
                "apps[0].name: missing; add name = …",
                "apps[0].client_secrets: missing; add client_secrets = …",
            ],
        ),
        (
            '[[apps]]\nname = "hi ring"\nclient_secrets = ["env:SECRET"]',
            ["apps[0].name: must be 1 to 64 letters, digits, - or _"],
        ),
        (
            '[[apps]]\nname = "a"\nclient_secrets = []',
            ["apps[0].client_secrets: must name at least one"],
        ),
        (
            '[[apps]]\nname = "a"\nclient_secrets = "env:SECRET"',
            ['apps[0].client_secrets: must be a list; write ["…"]'],
        ),
        (APP + APP, ['apps[1].name: "hiring" is the name of apps[0] too; give each its own']),
        (
            APP + 'default_zone = "Berlin"',
            [
                (
                    "apps[0].default_zone: no time zone of the IANA database is called 'Berlin'; "
                    'did you mean "Europe/Berlin"?'
                )
            ],
        ),
        (
            APP + 'default_zone = "US/New York"',
            [
                (
                    "apps[0].default_zone: no time zone of the IANA database is called 'US/New York'; "
                    'did you mean "America/New_York"?'
                )
            ],
        ),
        (
            APP + 'default_zone = "Eurpoe/Berln"',
            [
                (
                    "apps[0].default_zone: no time zone of the IANA database is called 'Eurpoe/Berln'; "
                    'did you mean "Europe/Berlin"?'
                )
            ],
        ),
        (
            APP + 'default_zone = "../etc"',
            [
                (
                    "apps[0].default_zone: no time zone of the IANA database is called '../etc'; "
                    'write a name such as "Europe/Berlin"'
                )
            ],
        ),
        (
            APP + 'default_zone = "W. Europe Standard Time"',
            [
                (
                    "apps[0].default_zone: no time zone of the IANA database is called "
                    "'W. Europe Standard Time'; write a name such as \"Europe/Berlin\""
                )
            ],
        ),
        # secrets
        (
            '[[apps]]\nname = "a"\nclient_secrets = ["plain", "env:NOPE", "file:nope", "env:BLANK", 5]',
            [
                f"apps[0].client_secrets[0]: {NO_REFERENCE}",
                (
                    "apps[0].client_secrets[1]: the environment variable NOPE is not set; "
                    "set it for this process, or change the reference"
                ),
                (
                    "apps[0].client_secrets[2]: there is no file /nowhere/nope; "
                    "put the secret there, or change the reference"
                ),
                "apps[0].client_secrets[3]: the environment variable BLANK is empty; put the secret in it",
                f"apps[0].client_secrets[4]: {NO_REFERENCE}",
            ],
        ),
        ('[redis]\npassword = "plain"', [f"redis.password: {NO_REFERENCE}"]),
        (
            '[redis]\nurl = "redis://me:pw@h"\nusername = "env:SECRET"\npassword = "env:SECRET"',
            [
                "redis.username: redis.url holds one too; take it out of the URL",
                "redis.password: redis.url holds one too; take it out of the URL",
            ],
        ),
        # accounts
        ('[[accounts]]\nname = "a"', ['accounts[0].provider: must be "google" or "microsoft"']),
        (
            '[[accounts]]\nname = "a"\nprovider = "gogle"',
            ['accounts[0].provider: must be "google" or "microsoft"'],
        ),
        (
            GOOGLE,
            [f"accounts[0]: give exactly one of {OF_GOOGLE}; found none"],
        ),
        (
            SERVICE + 'authorized_user = "env:USER"',
            [(f"accounts[0]: give exactly one of {OF_GOOGLE}; found service_account and authorized_user")],
        ),
        (
            GOOGLE + 'service_account = "env:SECRET"',
            [
                (
                    "accounts[0].service_account: env:SECRET is not a JSON object; "
                    "use the whole key file as Google gave it"
                )
            ],
        ),
        (
            GOOGLE + 'service_account = "env:USER"',
            [
                (
                    "accounts[0].service_account: env:USER has no client_email, private_key, token_uri; "
                    "use the whole key file as Google gave it"
                )
            ],
        ),
        (
            GOOGLE + 'authorized_user = "env:USER"\nsubject = "hr@example.com"',
            ["accounts[0].subject: only a service account can act for somebody; remove it"],
        ),
        (
            SERVICE + 'subject = "hr"',
            ["accounts[0].subject: must be the mail address of the user to act for"],
        ),
        (
            SERVICE + 'send_updates = "some"',
            ['accounts[0].send_updates: must be "none", "all" or "externalOnly"'],
        ),
        (
            MICROSOFT,
            [f"accounts[0]: give exactly one of {OF_MICROSOFT}; found none"],
        ),
        (
            WITH_SECRET + 'certificate_passphrase = "env:SECRET"',
            ["accounts[0].certificate_passphrase: there is no certificate for it; remove it"],
        ),
        (
            WITH_SECRET.replace('"t"', '"Common"'),
            ["accounts[0].tenant_id: an application signs in to one tenant; write its directory (tenant) ID"],
        ),
        (
            WITH_SECRET + 'authority = "http://localhost"',
            [f"accounts[0].authority: {NO_ADDRESS}"],
        ),
        (
            MICROSOFT + 'certificate = "env:SECRET"',
            [
                (
                    "accounts[0].certificate: env:SECRET is neither a PEM nor a PFX; "
                    "use one with the certificate and its private key"
                )
            ],
        ),
        # accounts whose users consent by `login`
        (
            GOOGLE + "login = true\n" + KEYS,
            [
                "accounts[0].client_id: missing; login needs it, add client_id = …",
                "accounts[0].client_secret: missing; login needs it, add client_secret = …",
            ],
        ),
        (
            MICROSOFT + "login = true",
            [
                (
                    "accounts[0].login: what it stores is encrypted, and there is no key; "
                    'add [encryption] with keys = ["file:PATH"]; `sequence-sync key` prints one'
                )
            ],
        ),
        (
            WITH_SECRET + "login = true\n" + KEYS,
            [(f"accounts[0]: give exactly one of {OF_MICROSOFT}; found client_secret and login")],
        ),
        (
            WITH_SECRET + "shared_calendars = true",
            ["accounts[0].shared_calendars: only an account with login = true has one; remove it"],
        ),
        (
            SERVICE + 'client_id = "c"',
            ["accounts[0].client_id: only an account with login = true has one; remove it"],
        ),
        (
            GOOGLE + 'login = true\nclient_id = "c"\nclient_secret = "env:SECRET"\nsubject = "a@b"\n' + KEYS,
            ["accounts[0].subject: only a service account can act for somebody; remove it"],
        ),
        # encryption
        (
            "[encryption]\nbookings = true",
            ['encryption.bookings: needs a key; add keys = ["file:PATH"]; `sequence-sync key` prints one'],
        ),
        (
            '[encryption]\nkeys = ["env:SECRET", "env:MISSING", "c2hvcnQ="]',
            [
                (
                    "encryption.keys[0]: env:SECRET is not a key (or several, one a line); "
                    "`sequence-sync key` makes one"
                ),
                (
                    "encryption.keys[1]: the environment variable MISSING is not set; "
                    "set it for this process, or change the reference"
                ),
                f"encryption.keys[2]: {NO_REFERENCE}",
            ],
        ),
        # calendars
        (
            WITH_SECRET + PANEL.replace('"m"', '"M2"'),
            ['calendars[0].account: no [[accounts]] is called "M2"; did you mean "m"?'],
        ),
        (PANEL, ['calendars[0].account: no [[accounts]] is called "m"; there is none yet']),
        (
            WITH_SECRET + '[[calendars]]\nname = "panel"\naccount = "m"',
            [
                (
                    "calendars[0].mailbox: missing; an application has no mailbox of its own, "
                    'add mailbox = "somebody@example.com"'
                )
            ],
        ),
        (
            SERVICE + PANEL.replace('"m"', '"g"'),
            ["calendars[0].mailbox: Google has none; remove it, and name the user in the account's subject"],
        ),
        (
            WITH_SECRET + PANEL + PANEL.replace('"panel"', '"board"').replace("panel@", "Panel@"),
            [
                (
                    'calendars[1]: "board" is the same calendar as "panel"; '
                    "remove one, and name the other in the routes of both"
                )
            ],
        ),
        # routes
        (
            '[[routes]]\napp = "hirring"\ncalendars = ["pannel"]\n' + APP + WITH_SECRET + PANEL,
            [
                'routes[0].app: no [[apps]] is called "hirring"; did you mean "hiring"?',
                'routes[0].calendars[0]: no [[calendars]] is called "pannel"; did you mean "panel"?',
            ],
        ),
        (
            APP + '[[routes]]\napp = "hiring"\ncalendars = []\nsequence_id = ""',
            [
                "routes[0].sequence_id: must not be empty; leave the key out where it is not needed",
                "routes[0].calendars: must name at least one",
            ],
        ),
        # how values fit together
        (
            "[receiver]\nport = 9090",
            ["receiver.admin_port: 9090 is the port of receiver.port too; give each its own"],
        ),
        (
            "[worker]\nadmin_port = 9090",
            ["worker.admin_port: 9090 is the port of receiver.admin_port too; give each its own"],
        ),
        (
            '[worker]\nretry_base = "1h"',
            ["worker.retry_base: longer than worker.retry_cap; make it shorter, or the cap longer"],
        ),
    ],
)
def test_a_wrong_configuration_is_told_what_to_mend(toml: str, problems: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        parsed(toml)
    assert caught.value.problems == problems


def test_wrong_values_and_wrong_references_are_reported_together() -> None:
    with pytest.raises(ConfigError) as caught:
        parsed("[worker]\nconcurrency = 0\n" + PANEL)
    assert [each.partition(":")[0] for each in caught.value.problems] == [
        "worker.concurrency",
        "calendars[0].account",
    ]


def test_the_error_counts_its_problems_and_names_the_file() -> None:
    assert str(ConfigError(["a: b"], "x.toml")) == "x.toml: 1 problem\n  - a: b"
    assert str(ConfigError(["a: b", "c: d"], "x.toml")) == "x.toml: 2 problems\n  - a: b\n  - c: d"


@pytest.mark.parametrize("zone", ["localtime", "posixrules", "right/Europe/Berlin", "America", ""])
def test_what_lies_beside_the_time_zones_is_none(zone: str) -> None:
    with pytest.raises(ConfigError, match="no time zone of the IANA database is called"):
        parsed(APP + f'default_zone = "{zone}"')
