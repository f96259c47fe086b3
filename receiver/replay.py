"""Taking a quarantined delivery after all: it can be read by now, or something says where it goes."""

from bookings.dead_letters import DeadLetter
from bookings.errors import Overtaken, UnknownLink, Unrouted
from bookings.identity import booking_id
from bookings.intake import Accepted
from bookings.record import Forward
from bookings.routing import route
from bookings.store import Store
from config.settings import Settings
from receiver.callback import Callback, Notification, read_callback


async def replay_delivery(store: Store, settings: Settings, letter: DeadLetter) -> Accepted | Notification:
    """Accepts a delivery as if it had just come in, and drops the dead letter.

    One that came on a link goes where the link says, if that is known by now; otherwise by the routes.

    Raises `bookings.errors.Unreadable` where it still cannot be read, `Unrouted` where nothing says where any
    of it goes, `Overtaken` where a newer delivery of the booking was accepted since, and what `Store.accept`
    raises.
    """
    assert letter.delivery is not None  # other letters are replayed by asking a worker
    app = settings.app(letter.app)
    callback = read_callback(letter.body, scheduler_requests=app is not None and app.scheduler_requests)
    if isinstance(callback, Notification):
        await store.drop_delivery(letter.delivery)
        return callback
    await _refuse_older(store, letter, str(callback.event_id))
    try:
        accepted = await _accept(store, settings, letter, callback, link=letter.link or None)
    except UnknownLink:
        if not any(route(letter.app, part, settings.routes) for part in callback.parts):
            raise Unrouted from None
        accepted = await _accept(store, settings, letter, callback, link=None)
    await store.drop_delivery(letter.delivery)
    return accepted


async def _refuse_older(store: Store, letter: DeadLetter, event_id: str) -> None:
    """What was accepted after this delivery came is newer, whatever its revision will be."""
    booking = await store.booking(booking_id(letter.app, event_id))
    if booking is not None and booking.accepted_at > letter.died_at and booking.delivery != letter.delivery:
        raise Overtaken(booking.revision)


async def _accept(
    store: Store, settings: Settings, letter: DeadLetter, callback: Callback, *, link: str | None
) -> Accepted:
    assert letter.delivery is not None
    app = settings.app(letter.app)
    always = app is not None and bool(app.forward_to)
    forward = Forward(letter.body, letter.signature) if letter.signature and (always or link) else None
    return await store.accept(
        app=letter.app,
        event_id=str(callback.event_id),
        delivery=letter.delivery,
        parts=callback.parts,
        link=link,
        forward=forward,
        forward_always=always,
        window_s=settings.receiver.redelivery_window,
        queue_limit=settings.share(settings.receiver.queue_limit),
        dead_letters_limit=settings.share(settings.receiver.dead_letters_limit) + 1,  # this very one goes
        prune=settings.worker.prune_missing_parts,
    )
