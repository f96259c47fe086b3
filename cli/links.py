"""`sequence-sync links create|list|disable`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from bookings.clock import moment
from bookings.links import Link, LinkKind
from cli.apps import app_called, json_file
from cli.options import CommandError, Exit, typed
from cli.output import lines, print_json, print_table, words
from cli.progress import whole
from cli.stores import opened
from config.settings import Settings
from network.advice import advice_on
from network.outgoing import Outgoing
from scheduler.api.problems import Invalid
from scheduler.cronofy import Cronofy, CronofyAnswer, CronofyUnreachable
from scheduler.links import LinkMaker


async def run_create(
    settings: Settings,
    file: Path,
    *,
    app_name: str | None,
    impersonate: str,
    pass_targets: bool,
    as_json: bool,
) -> Exit:
    """Asks Cronofy for what the file holds: a link, or a scheduler request."""
    app, data = app_called(settings, app_name), json_file(file)
    async with _maker(settings) as maker:
        kind = _kind(data)
        if kind is None:
            making = maker.request_scheduler(app, data, impersonate=impersonate)
        else:
            making = maker.create(app, kind, data, pass_targets=pass_targets)
        return _said(await whole(making), as_json=as_json)


async def run_list(settings: Settings, *, app_name: str | None, limit: int, as_json: bool) -> Exit:
    """Lists links, the newest first."""
    found: list[Link] = []
    async with opened(settings) as store:
        async for link in store.links():
            if app_name in (None, link.app):
                found.append(link)
                if len(found) == limit:
                    break
    if as_json:
        print_json([_shown(link) for link in found])
    elif found:
        print_table(
            ("link", "app", "state", "made", "good until", "parts go to"),
            [
                (
                    link.cronofy_id or "-",
                    link.app,
                    link.state,
                    moment(link.created_at),
                    moment(link.expires_at) if link.expires_at else "-",
                    lines(_targets(link) or ["by routes"]),
                )
                for link in found
            ],
        )
    if not found:
        words.print("no link matches")
        return Exit.NOTHING_MATCHED
    return Exit.DONE


async def run_disable(
    settings: Settings, cronofy_id: str, *, app_name: str | None, message: str, as_json: bool
) -> Exit:
    """Disables a link, by Cronofy's id of it."""
    async with _maker(settings) as maker, opened(settings) as store:
        link = await store.link_of_cronofy(typed(cronofy_id))
        if link is None and app_name is None:
            words.print(f"no link of ours is called {cronofy_id!r}; say --app to disable it all the same")
            return Exit.NOTHING_MATCHED
        app = app_called(settings, app_name or (link.app if link else None))
        sequencing = link.kind is LinkKind.SEQUENCING if link else cronofy_id.startswith("seq_")
        kind = LinkKind.SEQUENCING if sequencing else LinkKind.SCHEDULING
        disabling = maker.disable(app, kind, cronofy_id, {"display_message": message})
        return _said(await whole(disabling), as_json=as_json)


@asynccontextmanager
async def _maker(settings: Settings) -> AsyncIterator[LinkMaker]:
    """What makes links. What is wrong with a request, or with Cronofy, ends the command with words."""
    async with opened(settings) as store, Outgoing(settings.network) as outgoing:
        cronofy = Cronofy(outgoing, timeout_s=settings.worker.request_timeout)
        try:
            yield LinkMaker(settings, store, cronofy)
        except Invalid as invalid:
            said = [
                f"{each.path or 'body'}: {each.description}"
                for some in invalid.errors.values()
                for each in some
            ]
            raise CommandError("\n".join(said), Exit.USAGE) from None
        except CronofyUnreachable as error:
            known = (
                "it is not known whether it did what it was asked" if error.unknown else "nothing was done"
            )
            advised = advice_on(error.code)
            why = f": {advised.words} ({error.code}); {advised.remedy}" if advised else f" ({error.code})"
            raise CommandError(f"no answer from Cronofy{why}; {known}") from None


def _kind(data: object) -> LinkKind | None:
    """What is asked for; None for a scheduler request."""
    body = data if isinstance(data, dict) else {}
    if "recipients" in body:
        return None
    availability = body.get("availability")
    is_sequence = isinstance(availability, dict) and "sequence" in availability
    return LinkKind.SEQUENCING if is_sequence else LinkKind.SCHEDULING


def _said(answer: CronofyAnswer, *, as_json: bool) -> Exit:
    try:
        data = msgspec.json.decode(answer.body) if answer.body else None
    except msgspec.DecodeError:
        data = answer.body.decode(errors="replace")
    if as_json or not answer.ok:
        print_json({"status": answer.status, "answer": data} if not answer.ok else data)
    else:
        print_table(("what", "is"), [(name, text) for name, text in _flat(data)])
    if not answer.ok:
        words.print(f"Cronofy answered {answer.status}")
    return Exit.DONE if answer.ok else Exit.FAILED


def _flat(data: object, path: str = "") -> list[tuple[str, str]]:
    """The texts and numbers of JSON, each with where it stands."""
    if isinstance(data, dict):
        inner = [(f"{path}.{name}" if path else str(name), each) for name, each in data.items()]
    elif isinstance(data, list):
        inner = [(f"{path}[{at}]", each) for at, each in enumerate(data)]
    else:
        return [(path, str(data))]
    return [line for name, each in inner for line in _flat(each, name)]


def _targets(link: Link) -> list[str]:
    return [
        f"{sequence_id or '(whole)'} -> {target.calendar}" + (f" ({target.sub})" if target.sub else "")
        for sequence_id, targets in link.targets.items()
        for target in targets
    ]


def _shown(link: Link) -> dict[str, object]:
    return {
        "link": link.cronofy_id or None,
        "id": link.id,
        "app": link.app,
        "kind": link.kind,
        "state": link.state,
        "url": link.url or None,
        "created_at": moment(link.created_at),
        "expires_at": moment(link.expires_at) if link.expires_at else None,
        "targets": {
            sequence_id: [{"calendar": each.calendar, "sub": each.sub} for each in targets]
            for sequence_id, targets in link.targets.items()
        },
        "forwards": len(link.forward_to),
    }
