"""Where requests end, however what a connection sends is cut into pieces, and what is refused before it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin.ports.framing import MOST_HEAD, Framing, Unacceptable
from tests.callbacks import SEQUENCING
from tests.raw_http import chunked, head, signed

MOST_BODY = 300_000
WHOLE = [
    signed(SEQUENCING),
    chunked(SEQUENCING),
    chunked(SEQUENCING, size=1),
    head(method="GET"),
    b"\r\n\r\n" + head("content-LENGTH:\t3 ") + b"abc",
    head("Transfer-Encoding: Chunked") + b"3;a=b ;c\r\nabc\r\n0A\r\n0123456789\r\n00;x\r\n\r\n",
]


def ends(pieces: list[bytes]) -> list[int]:
    """How many bytes each of the requests has, and of what is left over."""
    framing, found = Framing(MOST_BODY), [0]
    for piece in pieces:
        at = 0
        while at < len(piece):
            end = framing.take(piece, at)
            assert end > at
            found[-1] += end - at
            at = end
            if framing.is_whole:
                framing.renew(MOST_BODY)
                found.append(0)
    return found


@given(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=4), st.data())
def test_requests_end_where_they_end_however_they_are_cut(requests: list[bytes], data: st.DataObject) -> None:
    together = b"".join(requests)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(together)), max_size=12)))
    pieces = [together[a:b] for a, b in zip([0, *cuts], [*cuts, len(together)], strict=True)]
    assert ends(pieces) == [*map(len, requests), 0]


@pytest.mark.parametrize("each", [1, 2, 7, 100_000])
def test_a_request_in_pieces_of_one_size_ends_where_it_ends(each: int) -> None:
    together = b"".join(WHOLE)
    pieces = [together[at : at + each] for at in range(0, len(together), each)]
    assert ends(pieces) == [*map(len, WHOLE), 0]


def refused(sent: bytes, *, piece: int) -> tuple[int, str] | None:
    try:
        ends([sent[at : at + piece] for at in range(0, len(sent), piece)])
    except Unacceptable as why:
        return why.status, why.error
    return None


@pytest.mark.parametrize("piece", [1, 3, 1000, 1 << 20])
@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (head("X: " + "a" * MOST_HEAD), (431, "head_too_large")),
        (b"a" * (MOST_HEAD + 1), (431, "head_too_large")),
        (b"\r\n" * MOST_HEAD, (431, "head_too_large")),
        (head(f"Content-Length: {MOST_BODY + 1}"), (413, "body_too_large")),
        (chunked(b"x" * (MOST_BODY + 1), size=60_000), (413, "body_too_large")),
        (head("Transfer-Encoding: chunked") + b"ffffffffffffffff\r\n", (413, "body_too_large")),
        (chunked(b"x" * 5000, size=1), (413, "body_in_too_many_chunks")),
        (chunked(b"x" * 60_000, size=8), (413, "body_in_too_many_chunks")),
        (
            head("Transfer-Encoding: chunked") + (b"1;" + b"e" * 200 + b"\r\nx\r\n") * 100,
            (413, "body_in_too_many_chunks"),
        ),
        (head("Transfer-Encoding: chunked") + b"5;" + b"e" * 300, (400, "malformed")),
        (head("Transfer-Encoding: chunked") + b"0\r\nX: y\r\n\r\n", (400, "malformed")),
        (head("Transfer-Encoding: chunked") + b"1_0\r\n", (400, "malformed")),
        (head("Content-Length: 1", "Content-Length: 1"), (400, "malformed")),
        (head("Content-Length: 1", "Transfer-Encoding: chunked"), (400, "malformed")),
        (head("Content-Length: \u0665"), (400, "malformed")),
        (head("Transfer-Encoding: br"), (501, "transfer_encoding_not_accepted")),
        (chunked(b"x" * 250_000, size=60), None),
        (chunked(b"x" * 20_000, size=8), None),
        (chunked(b"x" * 3000, size=1), None),
    ],
)
def test_what_costs_more_than_it_can_be_worth_is_refused(
    sent: bytes, answer: tuple[int, str] | None, piece: int
) -> None:
    assert refused(sent, piece=piece) == answer
