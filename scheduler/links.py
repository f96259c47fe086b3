"""Links: asked for at Cronofy with our callback URL; their calendars are known before a callback comes."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import msgspec
import structlog
from redis.exceptions import RedisError

from bookings.links import LinkKind
from bookings.refusals import named
from bookings.store import Store
from config.apps import App
from config.settings import Settings
from scheduler.cronofy import Cronofy, CronofyAnswer, CronofyUnreachable
from scheduler.link_request import Prepared, prepare, prepare_disabling, prepare_scheduler_request

_TOKEN_BYTES = 32

_log = structlog.get_logger()


class LinkMaker:
    """Makes and disables links; what Cronofy answers is given back as it is.

    Its methods raise `scheduler.api.problems.Invalid` where a request is wrong in itself, and
    `CronofyUnreachable`, `SecretError`, `redis.RedisError` and `OSError`.
    """

    def __init__(self, settings: Settings, store: Store, cronofy: Cronofy) -> None:
        self._settings = settings
        self._store = store
        self._cronofy = cronofy

    async def create(
        self, app: App, kind: LinkKind, data: object, *, pass_targets: bool = False
    ) -> CronofyAnswer:
        """Has a link made, whose callback comes to us."""
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        prepared = prepare(
            kind,
            data,
            app=app,
            settings=self._settings,
            token=token,
            now=datetime.now(UTC),
            pass_targets=pass_targets or app.pass_target_calendars,
        )
        lid = await self._store.register_link(
            app.name,
            token,
            prepared.targets,
            keep_s=prepared.keep_s,
            kind=kind,
            forward_to=prepared.forward_to,
        )
        log = _log.bind(app=app.name, link=lid, kind=str(kind))
        answer = await self._asked_for(app, kind, prepared, lid)
        if answer.ok:
            cronofy_id, url = _made(kind, answer.body)
            with _kept_to_ourselves(log):
                await self._store.link_made(lid, cronofy_id=cronofy_id, url=url)
            log.info("link_made", cronofy_id=cronofy_id)
        elif answer.status < 500:
            with _kept_to_ourselves(log):
                await self._store.forget_link(lid)
            log.warning("link_refused", status=answer.status)
        else:  # it may be there: its calendars stay known until it would have expired
            log.error("link_in_doubt", status=answer.status)
        return answer

    async def _asked_for(self, app: App, kind: LinkKind, prepared: Prepared, lid: str) -> CronofyAnswer:
        body = msgspec.json.encode(prepared.request)
        try:
            return await self._cronofy.send(app, "POST", f"/v1/{kind}", body, repeatable=False)
        except CronofyUnreachable as error:
            if not error.unknown:
                with _kept_to_ourselves(_log):
                    await self._store.forget_link(lid)
            raise

    async def disable(self, app: App, kind: LinkKind, cronofy_id: str, data: object) -> CronofyAnswer:
        """Has a link disabled, by Cronofy's id of it."""
        body = msgspec.json.encode(prepare_disabling(data))
        answer = await self._cronofy.send(
            app, "POST", f"/v1/{kind}/{cronofy_id}/disable", body, repeatable=True
        )
        if answer.ok:
            with _kept_to_ourselves(_log):
                await self._store.link_disabled(cronofy_id)
            _log.info("link_disabled", app=app.name, cronofy_id=cronofy_id)
        return answer

    async def status(self, app: App, path: str) -> CronofyAnswer:
        """Asks Cronofy how a Real-Time Scheduling link stands."""
        return await self._cronofy.send(app, "GET", path, repeatable=True)

    async def request_scheduler(self, app: App, data: object, *, impersonate: str = "") -> CronofyAnswer:
        """Makes a scheduler request, whose notifications come to the app's callback URL at Cronofy."""
        body = msgspec.json.encode(prepare_scheduler_request(data, impersonate=impersonate))
        headers = {"Cronofy-Impersonate": impersonate} if impersonate else {}
        return await self._cronofy.send(
            app, "POST", "/v1/scheduler_requests", body, repeatable=False, headers=headers
        )


@contextmanager
def _kept_to_ourselves(log: structlog.typing.FilteringBoundLogger) -> Iterator[None]:
    """What Cronofy did stands, whether or not it can be written down: told of our trouble, one asks twice.

    A callback needs nothing of it: the link's calendars are there since before it was asked for.
    """
    try:
        yield
    except (RedisError, OSError) as error:
        log.warning("link_not_noted", error=named(error))


def _made(kind: LinkKind, body: bytes) -> tuple[str, str]:
    """Cronofy's id and address of a link; older answers have nothing but the address."""
    try:
        data = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return "", ""
    whole = data if isinstance(data, dict) else {}
    inner = whole.get(kind)
    found = inner if isinstance(inner, dict) else whole
    return tuple(str(found.get(name, "")) for name in (f"{kind}_id", "url"))  # type: ignore[return-value]  # two
