"""`Cronofy-HMAC-SHA256`."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from receiver.signature import header, is_valid, presented, signature

BODY = b'{"example":"well-known"}'


def test_a_signature_is_the_base64_of_the_digest_s_bytes() -> None:
    digest = hmac.new(b"clientSecret", BODY, hashlib.sha256)
    assert signature(BODY, secret="clientSecret") == base64.b64encode(digest.digest())
    assert len(signature(BODY, secret="clientSecret")) == 44


def test_the_base64_of_the_hex_digest_is_refused() -> None:
    # What Cronofy's PHP client computed from 1.5.0 to 1.7.0.
    wrong = b"NDJlMWE1YzcxYjJjMzQzNmIxNTIzNzdhNDU4ZTMwYzQ2N2ZlZTRhMGViOWE4NmNjOWEzOTA2NDBmYjQxZGQ2NA=="
    assert base64.b64decode(wrong).decode() == hmac.new(b"clientSecret", BODY, hashlib.sha256).hexdigest()
    assert not is_valid(BODY, values=[wrong], secrets=["clientSecret"])


@pytest.mark.parametrize(
    ("headers", "values"),
    [
        ([], []),
        ([("Cronofy-HMAC-SHA256", "")], []),
        ([("cronofy-hmac-sha256", "a,b")], [b"a", b"b"]),
        ([("CRONOFY-HMAC-SHA256", " a ,\tb,, ")], [b"a", b"b"]),
        ([("Cronofy-HMAC-SHA256", "a"), ("Other", "x"), ("cronofy-hmac-sha256", "b")], [b"a", b"b"]),
        ([("Cronofy-HMAC-SHA256", "\udcff")], [b"\xff"]),
    ],
)
def test_the_values_of_all_header_lines_are_taken_together(
    headers: list[tuple[str, str]], values: list[bytes]
) -> None:
    assert presented(header(CIMultiDict(headers))) == values


@given(
    body=st.binary(max_size=200),
    secrets=st.lists(st.text(min_size=1), min_size=1, max_size=3),
    data=st.data(),
)
def test_any_of_our_secrets_matches_any_of_the_values(
    body: bytes, secrets: list[str], data: st.DataObject
) -> None:
    used = data.draw(st.sampled_from(secrets))
    noise = data.draw(st.lists(st.binary(max_size=50), max_size=15))
    values = data.draw(st.permutations([*noise, signature(body, secret=used)]))
    assert is_valid(body, values=values, secrets=secrets)


@given(body=st.binary(max_size=200), values=st.lists(st.binary(max_size=60), max_size=20))
def test_noise_never_matches_and_never_fails(body: bytes, values: list[bytes]) -> None:
    assert not is_valid(body, values=values, secrets=["one", "two"])


def test_sixteen_values_are_read_and_seventeen_are_not() -> None:
    right = signature(BODY, secret="s")
    assert is_valid(BODY, values=[b"x"] * 15 + [right], secrets=["s"])
    assert not is_valid(BODY, values=[b"x"] * 16 + [right], secrets=["s"])
