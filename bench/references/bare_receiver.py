"""The least a receiver can do: aiohttp checks the HMAC and answers. Nothing is stored."""

import base64
import hmac
import sys
from pathlib import Path

import uvloop
from aiohttp import web


def is_signed(request: web.Request, body: bytes, secret: bytes) -> bool:
    expected = base64.b64encode(hmac.digest(secret, body, "sha256"))
    return hmac.compare_digest(expected, request.headers.get("Cronofy-HMAC-SHA256", "").encode())


def main(port: int, secret_file: str) -> None:
    secret = Path(secret_file).read_bytes()

    async def callback(request: web.Request) -> web.Response:
        body = await request.read()
        if not is_signed(request, body, secret):
            return web.json_response({"error": "invalid_signature"}, status=401)
        return web.json_response({"status": "accepted"}, status=202)

    app = web.Application()
    app.router.add_post("/callbacks/hiring", callback)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, loop=uvloop.new_event_loop())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
