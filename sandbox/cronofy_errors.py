"""Cronofy's refusals. Only the body of a 422 is documented, so the others have none.

Source: docs.cronofy.com/developers/api/error-codes/
"""

from sandbox.answers import Refused

Errors = dict[str, list[dict[str, str]]]
"""For each wrong field its errors, each with a `key` for programs and a `description` for people."""


def unreadable() -> Refused:
    """The body is no JSON object."""
    return Refused(400, {})


def unauthorized() -> Refused:
    """The credentials are not recognized."""
    return Refused(401, {})


def not_in_plan() -> Refused:
    """The plan does not include the feature."""
    return Refused(402, {})


def not_found() -> Refused:
    """There is no such link, or it is another application's."""
    return Refused(404, {})


def invalid(errors: Errors) -> Refused:
    """Some fields are wrong."""
    return Refused(422, {"errors": errors})


def wrong(field: str, description: str, key: str = "errors.invalid") -> Refused:
    """One field is wrong."""
    return invalid({field: [{"key": key, "description": description}]})
