"""What can go wrong between us and our record."""

from typing import TypeVar

from config.errors import SecretError

E = TypeVar("E", bound=Exception)


def again(error: E) -> E:
    """Gives the same error once more, with what it came of, for another caller to raise.

    An exception keeps every frame that it was ever raised through, with all that stands there: one that is
    raised by everybody who asks keeps what each of them had in hand.
    """
    copy = type(error).__new__(type(error), *error.args)
    copy.__dict__.update(error.__dict__)
    if isinstance(error.__cause__, Exception):
        copy.__cause__ = again(error.__cause__)
    return copy


class BookingsError(Exception):
    """The record could not be read or written."""

    def __str__(self) -> str:
        """What was said when it was raised; else what its class is about."""
        return super().__str__() or (self.__doc__ or "").partition("\n")[0].rstrip(".")


class UnknownLink(BookingsError):
    """No link is registered under the token in the URL."""


class Unrouted(BookingsError):
    """Its link is not known, and no route says where any of its parts goes; add a route, then replay."""


class QueueFull(BookingsError):
    """More parts are waiting to be written than `receiver.queue_limit` allows."""


class DeadLettersFull(BookingsError):
    """`receiver.dead_letters_limit` is reached; no dead letter is dropped to make room."""


class LeaseLost(BookingsError):
    """Another worker has taken the part over; what this one still holds of it is out of date."""


class Overtaken(BookingsError):
    """What was asked for is about an older revision than the part has now."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"a newer revision ({revision}) has taken its place")
        self.revision = revision


class Unreadable(BookingsError, ValueError):
    """The body is not a callback; the text says what is wrong with it, without repeating it."""


class SealError(BookingsError, SecretError):
    """What is encrypted cannot be read, or nothing be encrypted: a key is missing. Nothing is lost by it."""


class EmbeddedRedisError(BookingsError):
    """The embedded Redis could not be started."""
