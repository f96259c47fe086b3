"""What most would write first: aiohttp checks the HMAC and gives each part to `arq.enqueue_job`."""

import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import uvloop
from aiohttp import web
from arq import create_pool
from arq.connections import ArqRedis, RedisSettings

from bench.references.bare_receiver import is_signed

REDIS = web.AppKey("redis", ArqRedis)


def main(port: int, secret_file: str, redis_url: str) -> None:
    secret = Path(secret_file).read_bytes()

    async def callback(request: web.Request) -> web.Response:
        body = await request.read()
        if not is_signed(request, body, secret):
            return web.json_response({"error": "invalid_signature"}, status=401)
        data = json.loads(body)
        for part in data["sequence"]:
            job_id = f"{data['event']['event_id']}:{part['sequence_id']}"
            await request.app[REDIS].enqueue_job("write_part", part, _job_id=job_id)
        return web.json_response({"status": "accepted"}, status=202)

    async def connected(app: web.Application) -> AsyncIterator[None]:
        app[REDIS] = await create_pool(RedisSettings.from_dsn(redis_url))
        yield
        await app[REDIS].aclose()

    app = web.Application()
    app.cleanup_ctx.append(connected)
    app.router.add_post("/callbacks/hiring", callback)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
