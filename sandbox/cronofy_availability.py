"""The rules for the availability query inside a request for a link. No I/O.

Source: docs.cronofy.com/developers/api/scheduling/sequenced-availability/ and …/availability/
"""

from sandbox.cronofy_fields import Fields

MOST_PARTS = 5
MOST_ACCOUNTS = 10
MOST_PERIODS = 50
LONGEST = 35 * 86_400
INTERVALS = (5, 10, 15, 20, 30, 60)


def check_periods(query: Fields, now: float) -> None:
    """When to look for times; `query_periods` were once called `available_periods`, and SDKs still do."""
    older = query.has("available_periods") and not query.has("query_periods")
    _periods(query, "available_periods" if older else "query_periods", now, required=True)


def check_slots(query: Fields, now: float) -> None:
    """Starts to choose from instead of periods; only Real-Time Scheduling has them."""
    for slot in query.objects("query_slots"):
        _future(slot, "start", now)


def check_part(part: Fields, now: float) -> None:
    """Who meets for how long: a part of a sequence, or the whole of a query without one."""
    subs: set[str] = set()
    for group in part.objects("participants", required=True):
        subs |= _group(group, now)
    if len(subs) > MOST_ACCOUNTS:
        part.add("participants", f"must have no more than {MOST_ACCOUNTS} accounts", "errors.too_many")
    minutes = part.minutes("required_duration", required=True)
    if minutes is not None and not 0 < minutes * 60 <= LONGEST:
        part.add("required_duration", "must be greater than zero, and fit into a query")
    interval = part.minutes("start_interval")
    if interval is not None and interval not in INTERVALS:
        part.add("start_interval", f"must be one of {', '.join(map(str, INTERVALS))} minutes")
    if buffer := part.object("buffer"):
        _buffer(buffer)


def _group(group: Fields, now: float) -> set[str]:
    members = group.objects("members", required=True)
    subs = {sub for member in members if (sub := member.text("sub", required=True))}
    for member in members:
        _member(member, now)
    required = group.values.get("required")
    if required is None:
        group.add("required", "required", "errors.required")
    elif required != "all" and (type(required) is not int or not 0 < required <= len(members)):
        group.add("required", "must be all, or how many of the members are needed")
    return subs


def _member(member: Fields, now: float) -> None:
    member.texts("calendar_ids")
    member.flag("ignore_tentative")
    if member.has("available_periods"):
        _periods(member, "available_periods", now)
    for constraint in member.objects("availability_constraints", none_too=True):
        constraint.text("period", required=True)
        constraint.one_of("period", ("day", "week"))
        constraint.whole("limit", required=True)
        of_day = constraint.values.get("period") == "day"
        constraint.zone("tzid", required=of_day)
        if not of_day and constraint.has("tzid"):
            constraint.add("tzid", "is only supported with the period day")


def _buffer(buffer: Fields) -> None:
    for side in ("before", "after"):
        found = buffer.object(side)
        if found is None or not found.values:
            continue
        if found.has("minimum") or found.has("maximum"):
            found.minutes("minimum")
            found.minutes("maximum")
        else:
            buffer.minutes(side)


def _periods(owner: Fields, name: str, now: float, *, required: bool = False) -> None:
    periods = owner.objects(name, required=required, most=MOST_PERIODS)
    starts = [_future(period, "start", now) for period in periods]
    earliest = min((start for start in starts if start is not None), default=None)
    for period, start in zip(periods, starts, strict=True):
        end = period.instant("end")
        if start is None or end is None:
            continue
        if end < start + 60:
            period.add("end", "must be at least a minute after the start")
        if earliest is not None and end > earliest + LONGEST:
            period.add("end", "must be within 35 days of the earliest start")


def _future(owner: Fields, name: str, now: float) -> float | None:
    found = owner.instant(name)
    if found is not None and found <= now:
        owner.add(name, "must be in the future")
    return found
