"""Streams of bytes that are HTTP only in part."""

from random import Random
from typing import NamedTuple

from receiver.signature import signature
from tests.callbacks import SEQUENCING
from tests.conftest import FIRST_SECRET

PATHS = [
    *(
        b"/callbacks/hiring",
        b"/callbacks/hiring",
        b"/callbacks/hiring",
        b"/callbacks/hiring/token",
        b"/",
        b"*",
        b"",
    ),
    *(
        b"/callbacks/%68iring",
        b"/callbacks/hiring%2Ftoken",
        b"/callbacks/%",
        b"/callbacks/%zz",
        b"/callbacks/%00",
    ),
    *(
        b"/callbacks/hiring/%ED%A0%80",
        b"/callbacks/hiring/%FF%FE",
        b"/callbacks/hiring/\xff\xfe",
        b"//callbacks/hiring",
    ),
    *(
        b"/callbacks/../callbacks/hiring",
        b"/callbacks/hiring/",
        b"/callbacks/hiring?a=b&c",
        b"/callbacks/hiring#f",
    ),
    *(
        b"http://x/callbacks/hiring",
        b"http://[::1/callbacks/hiring",
        b"http://x:99999/callbacks/hiring",
        b"x:1",
    ),
    *(
        b"/callbacks/" + b"a" * 9000,
        b"/callbacks/hiring/" + b"%41" * 2500,
        b"/callbacks/hiring/\xc3\xa4",
        b"/a b",
    ),
    *(
        b"/callbacks/hiring/" + b"a" * 8000,
        b"/callbacks/hiring;x=1",
        b"/callbacks/hiring/..%2f..",
        b"/\x00",
        b"\\",
    ),
]
METHODS = [b"POST"] * 12 + [
    b"GET",
    b"HEAD",
    b"CONNECT",
    b"OPTIONS",
    b"post",
    b"PRI",
    b"P\xffST",
    b"",
    b"M-SEARCH",
    b"TRACE",
]
VERSIONS = [b"HTTP/1.1"] * 12 + [
    b"HTTP/1.0",
    b"HTTP/0.9",
    b"HTTP/2.0",
    b"HTTP/1.11",
    b"http/1.1",
    b"",
    b"HTTP/1",
    b"XTTP/1.1",
]
HEADERS = [
    *(
        b"Host: x",
        b"Host:",
        b"Host: a, b",
        b"Host: \xff",
        b"Host: [::1",
        b"Host: x:y:z",
        b"Host: /",
        b"Host: x@y",
    ),
    *(b"Expect: 100-continue", b"Expect: 200-ok", b"Expect: \xff", b"Upgrade: websocket", b"Upgrade: h2c"),
    *(b"Connection: upgrade", b"Connection: close", b"Connection: keep-alive, close", b"Connection: \x00"),
    *(b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: identity"),
    *(b"Transfer-Encoding : chunked", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunked, chunked"),
    *(
        b"Transfer-Encoding:\x0bchunked",
        b"TE: trailers",
        b"Trailer: Host",
        b"Content-Length: 0",
        b"Content-Length: 5",
    ),
    *(
        b"Content-Length: +5",
        b"Content-Length: -1",
        b"Content-Length: 5, 5",
        b"Content-Length: 0x5",
        b"Content-Length:",
    ),
    *(
        b"Content-Length: 99999999999999999999",
        b"Content-Length: 1_0",
        b"Content-Length: \xd9\xa5",
        b"Content-Length: 5 ",
    ),
    *(b"Content-Encoding: gzip", b"Content-Encoding:", b"Content-Type: application/json; charset=\xff"),
    *(b"Content-Type: multipart/form-data", b"Content-Type: ;;;", b"Cookie: =;=;\xff", b"Range: bytes=0-"),
    *(
        b" folded",
        b"\tfolded: yes",
        b"X: a\r\n b",
        b"No colon",
        b": no name",
        b"Na me: x",
        b"N\x00: x",
        b"X: \x00",
        b"\xff: x",
    ),
    *(
        b"X: a\nY: b",
        b"X: a\rY: b",
        b"X:" + b" " * 5000,
        b"X: " + b"a" * 9000,
        b"Sec-WebSocket-Key: x",
        b"Accept: text/html",
    ),
    *(
        b"Cronofy-HMAC-SHA256: " + b"," * 5000,
        b"Cronofy-HMAC-SHA256:",
        b"If-Match: *",
        b"Forwarded: for=\xff",
    ),
]
CHUNKS = [
    *(
        b"5\r\nhello\r\n",
        b"5;ext=1\r\nhello\r\n",
        b'5;a="\r\n"\r\nhello\r\n',
        b"05\r\nhello\r\n",
        b"0x5\r\nhello\r\n",
    ),
    *(
        b"-5\r\nhello\r\n",
        b"+5\r\nhello\r\n",
        b"g\r\n",
        b"\r\n",
        b"5\nhello\n",
        b"5\r\nhelloX\r\n",
        b"5 \r\nhello\r\n",
    ),
    *(
        b"ffffffffffffffffff\r\n",
        b"7fffffff\r\n",
        b"5;" + b"e" * 9000 + b"\r\nhello\r\n",
        b"1_0\r\n" + b"x" * 16 + b"\r\n",
    ),
    *(
        b"0\r\n\r\n",
        b"0\r\nHost: x\r\n\r\n",
        b"0\r\n\xff\r\n\r\n",
        b"0\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"000\r\n\r\n",
    ),
]


class Stream(NamedTuple):
    """What one connection sends: pieces with pauses between them; then, perhaps, the end of its half."""

    pieces: list[bytes]
    pause_s: float = 0
    half_close: bool = False


def signed(body: bytes) -> bytes:
    """The header line of a body's signature."""
    return b"Cronofy-HMAC-SHA256: " + signature(body, secret=FIRST_SECRET)


def request(body: bytes, *, path: bytes = b"/callbacks/hiring") -> bytes:
    """A proper request."""
    head = (b"POST %s HTTP/1.1" % path, b"Host: x", b"Content-Length: %d" % len(body), signed(body))
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def stream(random: Random) -> Stream:
    """One hostile connection."""
    match random.randrange(10):
        case 0:
            whole = random.randbytes(random.choice((1, 20, 300, 20_000)))
        case 1:
            whole = _pipelined(random)
        case 2:
            whole = _mutated(random)
        case _:
            whole = _request(random)
    pieces = [whole]
    slow = random.random()
    if slow < 0.1:
        at = sorted(random.randrange(len(whole) + 1) for _ in range(3))
        pieces = [whole[: at[0]], whole[at[0] : at[1]], whole[at[1] : at[2]], whole[at[2] :]]
    if slow < 0.03:
        pieces = [whole[at : at + 1] for at in range(min(len(whole), 60))] + [whole[60:]]
    return Stream(pieces, pause_s=0.002 if len(pieces) > 1 else 0, half_close=random.random() < 0.2)


def _request(random: Random) -> bytes:
    body = random.choice((SEQUENCING, b"{}", b"hello", b"", b"x" * 70_000))
    line = b" ".join((random.choice(METHODS), random.choice(PATHS), random.choice(VERSIONS)))
    if random.random() < 0.05:
        line = random.choice(
            (b"", b"\r\n", b"\x16\x03\x01\x02\x00", b"GET", b"POST  / HTTP/1.1", line + b" x", b"\x00")
        )
    headers = [b"Host: x", signed(body), b"Content-Length: %d" % len(body)]
    headers += random.choices(HEADERS, k=random.choice((0, 1, 1, 1, 2, 3)))
    if random.random() < 0.05:
        headers += [b"X-%d: y" % number for number in range(random.choice((100, 127, 300, 3000)))]
    if random.random() < 0.25:
        headers = [header for header in headers if not header.startswith(b"Content-Length")]
        headers.append(random.choice((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", b"X: y")))
        body = b"".join(random.choices(CHUNKS, k=random.choice((1, 2, 3)))) + b"0\r\n\r\n"
    random.shuffle(headers)
    end = random.choice((b"\r\n",) * 20 + (b"\n", b"\r", b"\r\r\n"))
    return end.join((line, *headers)) + end * 2 + body[: random.choice((len(body),) * 6 + (0, 1, 3))]


def _mutated(random: Random) -> bytes:
    whole = bytearray(request(SEQUENCING))
    for _ in range(random.choice((1, 2, 5))):
        at = random.randrange(250)
        whole[at : at + random.choice((0, 1, 1, 5))] = random.choice(
            (b"\r\n", b"\n", b"\r", b"\x00", b" ", b":", b"\xff", b"0", random.randbytes(3), b"")
        )
    return bytes(whole)


def _pipelined(random: Random) -> bytes:
    several = [request(SEQUENCING), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GARBAGE\r\n\r\n", request(b"{}")]
    return b"".join(random.choices(several, weights=(4, 4, 1, 2), k=random.choice((2, 5, 20, 200))))
