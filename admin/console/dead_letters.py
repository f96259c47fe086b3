"""Dead letters: found by the command line's filters, and replayed or discarded after a second look."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from admin.console.bookings import page_number
from admin.console.fleet import standing
from admin.console.guard import NoSuchPage, Problem, who
from admin.console.rendering import page
from admin.console.world import WORLD, World
from bookings import dead_letters
from bookings.clock import moment_from, now_ms
from bookings.dead_letters import DeadLetter, Filter
from bookings.operating import Act, Selection, by_reason, carry_out, note, select
from bookings.showing import HIDDEN, shown_event

_A_PAGE = 50
_MOST_AT_ONCE = 2_000
_MOST_SHOWN = 200
_NAMES = ("app", "reason", "provider", "account", "event_id", "sequence_id", "since", "until")


async def show_letters(request: web.Request) -> web.StreamResponse:
    """A page of those that a filter means."""
    world, now = request.app[WORLD], now_ms()
    given = {name: request.query.get(name, "").strip() for name in _NAMES}
    number = page_number(request)
    try:
        wanted, problem = _filter(given, now), ""
    except ValueError as error:
        wanted, problem = None, str(error)
    found = [] if wanted is None else await _page_of(world, wanted, number)
    return page(
        request,
        "dead_letters.html",
        status=400 if problem else 200,
        given=given,
        filtered=any(given.values()),
        problem=problem,
        letters=found[:_A_PAGE],
        number=number,
        more=len(found) > _A_PAGE,
        total=(await world.store.counts())["dead"],
        until=now,
        choices=_choices(world),
    )


async def show_letter(request: web.Request) -> web.StreamResponse:
    """One of them; what its meeting says stays hidden."""
    return _letter_page(request, await _letter(request), reveal=False)


async def reveal_letter(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """One of them with what its meeting says. That somebody looked is in the audit record first."""
    del fields
    letter = await _letter(request)
    await note(request.app[WORLD].store, who(request), "reveal", dead_letter=letter.id)
    return _letter_page(request, letter, reveal=True)


async def confirm(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """Says how many it would be, before anything is done."""
    world = request.app[WORLD]
    act, chosen, given = _asked(fields)
    letters = await _letters(world, act, chosen)
    processes = await standing(world) if act is Act.REPLAY else None
    return page(
        request,
        "confirm.html",
        different=[each for each in processes.different if each[0].kind == "worker"] if processes else [],
        act=act,
        letters=letters,
        reasons=by_reason(letters),
        overtaken=sum(letter.overtaken for letter in letters),
        limited=len(letters) == _MOST_AT_ONCE,
        ids=chosen.ids,
        missing=_missing(chosen, letters),
        given=given,
    )


async def change(request: web.Request, fields: dict[str, list[str]]) -> web.StreamResponse:
    """Does it, and says what became of each."""
    world = request.app[WORLD]
    act, chosen, _ = _asked(fields)
    letters = await _letters(world, act, chosen)
    results = await carry_out(
        world.store,
        act,
        chosen,
        letters,
        who=who(request),
        redeliver=world.redeliver,
        settings=world.settings,
    )
    return page(
        request,
        "changed.html",
        act=act,
        done=sum(result.done for result in results),
        results=sorted(results, key=lambda result: result.done)[:_MOST_SHOWN],
        count=len(results),
        missing=_missing(chosen, letters),
    )


async def _page_of(world: World, wanted: Filter, number: int) -> list[DeadLetter]:
    """The letters of one page, and one more if there is one."""
    skipped = (number - 1) * _A_PAGE
    chosen = Selection((), wanted, limit=skipped + _A_PAGE + 1)
    found, seen = [], 0
    async for letter in select(world.store, chosen, world.accounts):
        seen += 1
        if seen > skipped:
            found.append(letter)
    return found


async def _letters(world: World, act: Act, chosen: Selection) -> list[DeadLetter]:
    """The letters that are meant. Raises `Problem` where there is none."""
    letters = [letter async for letter in select(world.store, chosen, world.accounts)]
    if not letters:
        raise Problem(
            404, f"There is nothing to {act}", "It was done already, or no dead letter matches any more."
        )
    return letters


def _missing(chosen: Selection, letters: Sequence[DeadLetter]) -> int:
    """How many of the ticked ones are no longer there."""
    return len(chosen.ids) - len(letters) if chosen.ids else 0


def _asked(fields: Mapping[str, list[str]]) -> tuple[Act, Selection, dict[str, str]]:
    """What a form asks for: `replay ticked`, `discard matching` and so on. Raises `Problem`."""
    verb, _, which = fields.get("do", [""])[0].partition(" ")
    ids = tuple(dict.fromkeys(fields.get("id", [])))
    given = {name: fields.get(name, [""])[0] for name in _NAMES}
    if verb not in list(Act) or which not in ("ticked", "matching"):
        raise Problem(400, "This form cannot be read", "Nothing was done.")
    if which == "ticked":
        if not ids:
            raise Problem(400, "No dead letter is ticked", f"Tick those that you want to {verb}.")
        return Act(verb), Selection(ids, Filter()), given
    try:
        wanted = _filter(given, now_ms())
    except ValueError as error:
        raise Problem(400, "This filter cannot be read", str(error)) from None
    chosen = Selection((), wanted, limit=_MOST_AT_ONCE)
    return Act(verb), chosen._replace(everything=not chosen.filtered), given


def _filter(given: Mapping[str, str], now: int) -> Filter:
    """The filter that a form's fields mean. Raises `ValueError`."""
    texts: dict[str, Any] = {name: given[name] or None for name in _NAMES[:6]}
    since, until = (_moment(name, given[name], now) for name in ("since", "until"))
    return Filter(**texts, since=since, until=now if until is None else until)


def _moment(name: str, text: str, now: int) -> int | None:
    if not text:
        return None
    if text.isdecimal() and len(text) == 13:  # what our own pages say: Unix milliseconds
        return int(text)
    try:
        return moment_from(text, now)
    except ValueError as error:
        raise ValueError(f"{name.capitalize()}: {error}") from None


async def _letter(request: web.Request) -> DeadLetter:
    world = request.app[WORLD]
    letter = await dead_letters.get(world.store, request.match_info["letter"], accounts=world.accounts)
    if letter is None:
        raise NoSuchPage
    return letter


def _letter_page(request: web.Request, letter: DeadLetter, *, reveal: bool) -> web.Response:
    event = None if letter.part is None else shown_event(letter.part, reveal=reveal)
    body = ""
    if letter.delivery is not None:
        body = letter.body.decode(errors="replace") if reveal else f"{len(letter.body)} bytes {HIDDEN}"
    return page(request, "dead_letter.html", letter=letter, event=event, body=body, reveal=reveal)


def _choices(world: World) -> dict[str, list[str]]:
    """What some of the filters can be."""
    settings = world.settings
    return {
        "app": [app.name for app in settings.apps],
        "provider": ["google", "microsoft", "forward"],
        "account": [account.name for account in settings.accounts],
    }
