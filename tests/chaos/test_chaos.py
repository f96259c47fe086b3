"""The short form of `make chaos`."""

import random

from tests.chaos.run import run


async def test_every_promise_is_kept_while_everything_fails() -> None:
    seed = random.SystemRandom().randrange(2**32)
    result = await run(seed, callbacks=300, rate=25)
    assert not result.problems, str(result)
