"""What was begun with one configuration ends with it."""

import asyncio

import pytest

from admin.in_force import InForce


class Thing:
    def __init__(self, name: str) -> None:
        self.name = name
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_the_former_is_closed_once_and_only_after_the_last_that_holds_it() -> None:
    first, second = Thing("first"), Thing("second")
    in_force = InForce(first, first.aclose)
    with in_force.held() as one:
        with in_force.held() as other:
            in_force.replace(second, second.aclose)
            with in_force.held() as later:
                assert (one, other, later) == (first, first, second)
        await settled()
        assert first.closed == 0
    await settled()
    assert (first.closed, second.closed) == (1, 0)
    await in_force.aclose()
    assert (first.closed, second.closed) == (1, 1)


async def test_what_nobody_holds_is_closed_at_once() -> None:
    first, second = Thing("first"), Thing("second")
    in_force = InForce(first, first.aclose)
    in_force.replace(second, second.aclose)
    await in_force.aclose()
    assert (first.closed, second.closed) == (1, 1)


async def test_work_that_fails_holds_nothing_any_more() -> None:
    first, second = Thing("first"), Thing("second")
    in_force = InForce(first, first.aclose)

    def work() -> None:
        with in_force.held():
            in_force.replace(second, second.aclose)
            raise KeyError

    with pytest.raises(KeyError):
        work()
    await settled()
    assert (first.closed, in_force.now) == (1, second)
