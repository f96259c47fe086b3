"""How an event, as a provider shows it, differs from what is wanted of it. Pure."""

from collections.abc import Collection

from workers.calendars.port import Draft, Found

MEETING = "meeting"
"""Stands among the fields of a draft, or of an event, for an online meeting that the provider makes."""


def left_over(found: Found, draft: Draft) -> Collection[str]:
    """What an earlier revision of ours set in an event and a draft does not have: it is to be taken away."""
    kept = {*draft.fields, *draft.create}
    return [name for name in found.fields or () if name not in kept]


def shortcomings(found: Found, draft: Draft) -> tuple[str, ...]:
    """Where an event, as the provider shows it, differs from a draft that was written into it."""
    ours = None if found.fields is None else MEETING in found.fields
    booked = MEETING in draft.fields
    notes = []
    if draft.link and draft.link not in found.text:
        notes.append("join link not shown by the provider")
    if found.online and ours and not booked:
        notes.append("online meeting of an earlier revision stays at the provider")
    if found.online and ours is False and booked:
        notes.append("online meeting that a person added stays in place of ours")
    return tuple(notes)
