"""What can go wrong between us and our record."""

from config.errors import SecretError


class BookingsError(Exception):
    """The record could not be read or written."""

    def __str__(self) -> str:
        """What was said when it was raised; else what its class is about."""
        return super().__str__() or (self.__doc__ or "").partition("\n")[0].rstrip(".")


class UnknownLink(BookingsError):
    """No link is registered under the token in the URL."""


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
