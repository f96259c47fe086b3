"""Reading a quarantined delivery once more, after our reading of callbacks was mended."""

from bookings.dead_letters import DeadLetter
from bookings.intake import Accepted
from bookings.record import Forward
from bookings.store import Store
from config.settings import Settings
from receiver.callback import Callback, Notification, read_callback


async def replay_delivery(store: Store, settings: Settings, letter: DeadLetter) -> Accepted | Notification:
    """Accepts what can be read now, as if it had just come in, and lets go of the dead letter.

    Raises `bookings.errors.Unreadable` where it still cannot be read, and what `Store.accept` raises.
    """
    assert letter.delivery is not None  # other letters are replayed by asking a worker
    app = settings.app(letter.app)
    always = app is not None and bool(app.forward_to)
    callback = read_callback(letter.body, scheduler_requests=app is not None and app.scheduler_requests)
    answer: Accepted | Notification
    if isinstance(callback, Callback):
        forward = None
        if letter.signature and (always or letter.link):
            forward = Forward(letter.body, letter.signature)
        answer = await store.accept(
            app=letter.app,
            event_id=str(callback.event_id),
            delivery=letter.delivery,
            parts=callback.parts,
            link=letter.link or None,
            forward=forward,
            forward_always=always,
            window_s=settings.receiver.redelivery_window,
            queue_limit=settings.receiver.queue_limit,
            dead_letters_limit=settings.receiver.dead_letters_limit + 1,  # this very one goes
            prune=settings.worker.prune_missing_parts,
        )
    else:
        answer = callback
    await store.drop_delivery(letter.delivery)
    return answer
