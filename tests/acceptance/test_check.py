"""`sequence-sync check`, on everything that can be wrong."""

from contextlib import aclosing

import pytest

from bookings.accounts import Accounts
from bookings.connection import connect
from bookings.consents import Consent, Consents
from bookings.seal import new_key
from bookings.store import Store
from cli.check import everything
from cli.checks.finding import Finding, Level
from cli.checks.redis import clock as clock_finding
from cli.checks.redis import version as version_finding
from config.redis_url import parse_redis_url
from config.sections import RedisSettings
from tests.acceptance.commands import command
from tests.acceptance.conftest import Service
from tests.acceptance.users import USER, login_tables
from tests.callbacks import SEQUENCING
from tests.waiting import comes


class Checked:
    """What was found."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings

    def of(self, subject: str) -> Finding:
        """The one finding about this."""
        found = [each for each in self.findings if each.subject == subject]
        assert len(found) == 1, self.findings
        return found[0]

    def of_level(self, level: Level) -> set[str]:
        """What there are findings of this level about."""
        return {each.subject for each in self.findings if each.level is level}


async def check(service: Service, *, within_s: float = 30) -> Checked:
    """Looks as the command does; the command itself is run by the first tests."""
    return Checked(await everything(service.config, within_s=within_s))


def configure(service: Service, *changes: tuple[str, str], more: str = "") -> None:
    """Changes the configuration file."""
    text = service.config.read_text()
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    service.config.write_text(text + more)


# -- the command


async def test_where_all_is_well_every_line_is_right_and_the_status_is_0(service: Service) -> None:
    configure(
        service, ("[receiver]\n", f'[receiver]\npublic_url = "http://127.0.0.1:{service.ports.receiver}"\n')
    )
    await service.start("receiver")
    result = await command("check", "--config", str(service.config), "--json")
    assert result.status == 0
    levels = {each["subject"]: each["level"] for each in result.json}
    assert {subject for subject, level in levels.items() if level != "right"} == {"configuration"}  # no https
    assert levels.keys() >= {
        *("secrets", "app hiring", "redis version", "redis eviction", "redis persistence", "redis memory"),
        *("redis clock", "account google-hr", "account microsoft-hr", "calendar interviews"),
        *("calendar panel", "dead letters", "queue", "public_url"),
    }
    assert all(each["remedy"] for each in result.json if each["level"] != "right")
    assert not any(secret in result.data + result.words for secret in service.secrets)
    assert service.events() == []  # nothing was written to find out


async def test_what_is_wrong_is_shown_with_what_to_do_and_the_status_is_1(service: Service) -> None:
    service.sandbox.state.microsoft_tokens.register("globex", "sequence-sync", secret="another")
    result = await command("check", "--config", str(service.config))
    assert result.status == 1
    line = next(line for line in result.data.splitlines() if "account microsoft-hr" in line)
    for shown in ("wrong", "is refused: invalid_client (AADSTS7000215)", "the client secret is wrong"):
        assert shown in line
    assert "can be read and written" in result.data
    assert "2 wrong: mend what is wrong" in result.words


# -- the configuration


async def test_a_configuration_that_cannot_be_used_is_a_line_for_each_problem(service: Service) -> None:
    configure(service, ('name = "panel"', 'nam = "panel"'))
    (service.folder / "google.json").unlink()
    checked = await check(service)
    assert {(each.subject, each.level) for each in checked.findings} == {("configuration", Level.WRONG)}
    found = {each.words: each.remedy for each in checked.findings}
    assert found['routes[1].calendars[0]: no [[calendars]] is called "panel"'].startswith("known here")
    [secret] = [words for words in found if words.startswith("accounts[0].service_account")]
    assert "there is no file" in secret
    assert found[secret] == "put the secret there, or change the reference"

    service.config.unlink()
    [gone] = (await check(service)).findings
    assert gone.words == "there is no such file"


async def test_what_leads_nowhere_deserves_a_look(service: Service) -> None:
    more = """
[[apps]]
name = "silent"
client_secrets = ["file:cronofy_current"]

[[calendars]]
name = "unused"
account = "google-hr"
calendar_id = "primary"

[[accounts]]
name = "lonely"
provider = "google"
service_account = "file:google.json"
"""
    configure(service, more=more)
    warnings = [each for each in (await check(service)).findings if each.level is Level.WARNING]
    found = {each.subject: (each.words, each.remedy) for each in warnings}
    assert found["calendar unused"][0] == "no route names it: only a link can lead there"
    assert found["account lonely"] == ("no calendar uses it", "add [[calendars]], or take it out")
    [unrouted] = [each for each in warnings if 'no route is for "silent"' in each.words]
    assert unrouted.remedy == 'add [[routes]] with app = "silent"'


# -- Redis


async def test_a_redis_that_may_lose_something_is_wrong_or_deserves_a_look(service: Service) -> None:
    async with aclosing(service.client()) as client:
        await client.config_set("maxmemory-policy", "allkeys-lru")
        await client.config_set("appendfsync", "everysec")
        checked = await check(service)
        assert checked.of("redis eviction").level is Level.WRONG
        assert "CONFIG SET maxmemory-policy noeviction" in checked.of("redis eviction").remedy
        assert checked.of("redis persistence").level is Level.WARNING
        assert "last second" in checked.of("redis persistence").words

        await client.config_set("maxmemory-policy", "noeviction")
        await client.config_set("appendonly", "no")
        used = (await client.info("memory"))["used_memory"]
        await client.config_set("maxmemory", int(used * 1.05))
        checked = await check(service)
        assert checked.of("redis persistence").level is Level.WARNING
        assert "append-only file is off" in checked.of("redis persistence").words
        assert checked.of("redis memory").level is Level.WRONG


async def test_a_replica_is_not_where_bookings_are_kept(service: Service) -> None:
    async with aclosing(service.client()) as client:
        await client.replicaof("127.0.0.1", "1")
        finding = (await check(service)).of("redis role")
        assert (finding.level, finding.words) == (Level.WRONG, "a read-only replica of 127.0.0.1:1")


async def test_a_redis_that_refuses_us_says_so(service: Service) -> None:
    path = service.folder / "data" / "redis.sock"
    password = service.folder / "redis_password"
    configure(service, ('url = "embedded"', f'url = "unix://{path}"\npassword = "file:{password}"'))
    password.write_text("wrong")
    async with aclosing(connect(RedisSettings(url=parse_redis_url(f"unix://{path}")))) as client:
        await client.config_set("requirepass", "right")
        finding = (await check(service)).of("redis")
        assert (finding.level, "refuses us" in finding.words) == (Level.WRONG, True)
        password.write_text("right")
        assert (await check(service)).of("redis version").level is Level.RIGHT


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("6.0.20", Level.WRONG),
        ("6.2.19", Level.WARNING),  # holes that are known
        ("6.2.20", Level.RIGHT),
        ("7.0.15", Level.WARNING),
        ("8.2.1", Level.WARNING),
        ("8.2.2", Level.RIGHT),
        ("8.4.0", Level.RIGHT),
    ],
)
def test_an_old_redis_is_too_old(version: str, level: Level) -> None:
    assert version_finding({"redis_version": version}, "redis://h").level is level


@pytest.mark.parametrize(
    ("ahead_s", "said"), [(0.9, "agrees"), (-3.0, "3.0 s behind"), (90.0, "90.0 s ahead of")]
)
def test_a_clock_that_is_wrong_is_seen(ahead_s: float, said: str) -> None:
    finding = clock_finding(ahead_s)
    assert (said in finding.words, finding.level) == (True, Level.RIGHT if said == "agrees" else Level.WRONG)


async def test_a_redis_that_is_away_is_one_line_and_the_others_are_seen(service: Service) -> None:
    configure(service, more=login_tables(service))
    await service.redis.stop()
    checked = await check(service)
    assert checked.of("redis").remedy.startswith("it runs while `sequence-sync up` runs")
    assert checked.of("account google-user").remedy == "see the line of redis"
    assert checked.of_level(Level.WRONG) >= {"redis", "account google-user", "account microsoft-user"}
    assert checked.of_level(Level.RIGHT) >= {"account google-hr", "calendar panel"}


# -- accounts and calendars


async def test_users_who_have_not_logged_in_are_told_to(service: Service) -> None:
    configure(service, more=login_tables(service))
    checked = await check(service)
    for provider in ("google", "microsoft"):
        finding = next(each for each in checked.findings if each.words == "is refused: not_logged_in")
        assert finding.level is Level.WRONG
        wanted = f"`sequence-sync login {provider} {provider}-user`"
        assert wanted in {each.remedy for each in checked.findings}
    assert {"calendar hers", "calendar his"} <= checked.of_level(Level.WRONG)


async def test_a_user_s_consent_is_tried_and_its_end_is_seen(service: Service) -> None:
    configure(service, more=login_tables(service))
    tokens = service.sandbox.state.microsoft_tokens
    refresh_token = tokens.register_user("globex", "public", USER)
    async with aclosing(service.client()) as client:
        consents = Consents(Store.of(service.settings, client))
        await consents.keep("microsoft-user", Consent("public", refresh_token, "", 0))
        assert (await check(service)).of_level(Level.RIGHT) >= {"account microsoft-user", "calendar his"}

        tokens.revoke(USER)
        await consents.keep("microsoft-user", Consent("public", refresh_token, "", 0))
        found = [each for each in (await check(service)).findings if each.subject == "account microsoft-user"]
        assert found[-1].words.startswith("is refused: invalid_grant")
        assert found[-1].remedy.endswith("`sequence-sync login microsoft microsoft-user`")

        (service.folder / "keys").write_text(new_key())
        found = [each for each in (await check(service)).findings if each.subject == "account microsoft-user"]
        assert found[-1].words == "is refused: encryption_key_missing"
        assert found[-1].remedy.startswith("add the key it was encrypted with to encryption.keys")


async def test_credentials_that_are_refused_are_wrong_and_so_are_their_calendars(service: Service) -> None:
    state = service.sandbox.state
    state.microsoft_tokens.register("globex", "sequence-sync", secret="another")
    [account] = state.google_tokens.service_accounts.values()
    account.revoked = True
    checked = await check(service)
    assert checked.of_level(Level.WRONG) == {
        *("account google-hr", "account microsoft-hr", "calendar interviews", "calendar panel"),
    }
    assert checked.of("account google-hr").words == "is refused: invalid_grant (account_not_found)"
    assert checked.of("calendar panel").remedy == "mend account microsoft-hr, then check again"


async def test_a_calendar_that_is_not_there_or_not_to_be_written_is_wrong(service: Service) -> None:
    service.sandbox.state.google.put_calendar("read@globex.example", shared_with={"*": "reader"})
    more = """
[[calendars]]
name = "readonly"
account = "google-hr"
calendar_id = "read@globex.example"

[[calendars]]
name = "gone"
account = "google-hr"
calendar_id = "gone@globex.example"

[[calendars]]
name = "nobodys"
account = "microsoft-hr"
mailbox = "nobody@globex.example"

[[routes]]
app = "hiring"
calendars = ["readonly", "gone", "nobodys"]
"""
    configure(service, more=more)
    checked = await check(service)
    assert checked.of("calendar readonly").words == "can be read, but not written"
    assert "share it with account google-hr" in checked.of("calendar readonly").remedy
    assert checked.of("calendar gone").words == "cannot be used: notFound"
    assert checked.of("calendar nobodys").words == "cannot be used: ErrorInvalidUser"
    assert checked.of_level(Level.RIGHT) >= {"calendar interviews", "calendar panel", "account google-hr"}
    assert service.events() == []


@pytest.mark.parametrize(
    ("fault", "provider", "words"),
    [
        ("throttle", "google", "is throttled: rateLimitExceeded"),
        ("error;status=503", "microsoft", "cannot be asked: "),
        ("html;status=502", "google-token", "cannot be asked: "),
    ],
)
async def test_a_provider_s_bad_moment_is_told_from_what_is_ours(
    service: Service, fault: str, provider: str, words: str
) -> None:
    service.sandbox.state.faults.add(fault=fault, provider=provider, count=None)
    checked = await check(service)
    account = {"google": "calendar interviews", "microsoft": "calendar panel"}.get(
        provider, "account google-hr"
    )
    assert checked.of(account).words.startswith(words)
    assert "then check again" in checked.of(account).remedy or "wait" in checked.of(account).remedy


async def test_a_provider_that_does_not_answer_is_not_waited_for(service: Service) -> None:
    service.sandbox.state.faults.add(fault="hold", provider="google", count=None)
    checked = await comes(check(service, within_s=3))
    assert checked.of("calendar interviews").level is Level.WRONG
    assert checked.of("calendar panel").level is Level.RIGHT


async def test_accounts_that_wait_are_shown(service: Service) -> None:
    async with aclosing(service.client()) as client:
        accounts = Accounts(Store.of(service.settings, client))
        await accounts.close("google-hr", least_s=300, most_s=600, state="parked", reason="invalid_grant")
        await accounts.close(
            "microsoft-hr/panel@globex.example", least_s=300, most_s=600, state="paused", reason="429"
        )
        found = [
            each for each in (await check(service)).findings if each.words.startswith(("parked", "paused"))
        ]
    assert {(each.subject, each.level) for each in found} == {
        ("account google-hr", Level.WRONG),
        ("account microsoft-hr", Level.WARNING),
    }


# -- what is stored, and the way in


async def test_dead_letters_and_a_full_queue_are_shown(service: Service) -> None:
    await service.start("receiver")
    await service.post(b"nothing that can be read")
    await service.post(SEQUENCING)
    assert (await check(service)).of("dead letters").level is Level.WARNING
    configure(service, ("[receiver]\n", "[receiver]\nqueue_limit = 2\ndead_letters_limit = 1\n"))
    checked = await check(service)
    for subject in ("dead letters", "queue"):
        assert checked.of(subject).level is Level.WRONG
        assert "its callbacks are answered 503" in checked.of(subject).words


async def test_bookings_that_no_key_opens_are_wrong(service: Service) -> None:
    keys = service.folder / "keys"
    keys.write_text(new_key())
    configure(service, more='[encryption]\nkeys = ["file:keys"]\nbookings = true\n')
    await service.start("receiver")
    await service.post(SEQUENCING)
    assert (await check(service)).of("encryption").level is Level.RIGHT
    keys.write_text(new_key())
    finding = (await check(service)).of("encryption")
    assert finding.level is Level.WRONG
    assert finding.remedy.startswith("add the key that it was encrypted with")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("", "but it is not our receiver that does"),
        ("/readyz", "does not answer"),
    ],
)
async def test_a_public_url_that_leads_elsewhere_is_wrong(service: Service, path: str, said: str) -> None:
    url = service.sandbox.url if not path else f"http://127.0.0.1:{service.ports.receiver}{path}"
    configure(service, ("[receiver]\n", f'[receiver]\npublic_url = "{url}"\n'))
    finding = (await check(service)).of("public_url")
    assert (finding.level, said in finding.words) == (Level.WRONG, True)


async def test_a_public_url_whose_certificate_nobody_trusts_is_wrong(service: Service) -> None:
    url = service.sandbox.tls_url
    configure(service, ("[receiver]\n", f'[receiver]\npublic_url = "{url}"\n'))
    finding = (await check(service)).of("public_url")
    assert (finding.level, "certificate is not signed by a known authority" in finding.words) == (
        Level.WRONG,
        True,
    )
