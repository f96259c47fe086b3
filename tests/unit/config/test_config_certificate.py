"""Certificates of Microsoft applications, in every form in which they come."""

import base64
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config.certificate import client_certificate
from config.errors import SecretError
from config.secrets import Secret
from tests.certificates import certified, pair

OPENS = "a passphrase"


def secret(content: str | bytes, tmp_path: Path) -> Secret:
    (tmp_path / "certificate").write_bytes(content if isinstance(content, bytes) else content.encode())
    return Secret(f"file:{tmp_path / 'certificate'}")


def passphrase(text: str = OPENS) -> Secret:
    return Secret("env:OPENS", environ={"OPENS": text})


def problem(content: str | bytes, tmp_path: Path, opens: Secret | None = None) -> str:
    with pytest.raises(SecretError) as caught:
        client_certificate(secret(content, tmp_path), opens)
    assert caught.value.__context__ is None, "what the library raised may repeat what it read"
    [text] = caught.value.problems
    return text.replace(f"file:{tmp_path}/", "")


FORMS: dict[str, str | bytes] = {
    "PEM": pair().pem(),
    "PEM, certificate first": pair().certificate_pem + pair().key_pem(),
    "PEM with written out line ends": pair().pem().replace("\n", "\\n"),
    "PEM as Windows has it": pair().pem().replace("\n", "\r\n"),
    "PEM with words between": "Bag Attributes\n"
    + pair().key_pem()
    + "subject=CN = sync\n"
    + pair().certificate_pem,
    "PFX": pair().pfx(),
    "PFX in base64": base64.b64encode(pair().pfx()),
    "PFX in lines of base64": base64.encodebytes(pair().pfx()),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_certificate_is_read_in_each_form_that_it_comes_in(tmp_path: Path, form: str) -> None:
    found = client_certificate(secret(FORMS[form], tmp_path), None)
    assert found.private_key == pair().key_pem()
    assert "BEGIN CERTIFICATE" in found.certificates
    assert timedelta(days=365) < found.ends - found.begins < timedelta(days=367)


@pytest.mark.parametrize("content", [pair().pem(OPENS), pair().pfx(OPENS)], ids=["PEM", "PFX"])
def test_a_passphrase_opens_it(tmp_path: Path, content: str | bytes) -> None:
    assert client_certificate(secret(content, tmp_path), passphrase()).private_key == pair().key_pem()


def test_a_passphrase_that_is_not_needed_does_no_harm(tmp_path: Path) -> None:
    assert client_certificate(secret(pair().pem(), tmp_path), passphrase())


def test_of_several_certificates_the_one_that_fits_the_key_is_used_and_comes_first(tmp_path: Path) -> None:
    mine, root, other = pair(), pair(1), pair(2)
    for content in (
        root.certificate_pem + other.certificate_pem + mine.key_pem() + mine.certificate_pem,
        mine.pfx("", root.certificate, other.certificate),
    ):
        found = client_certificate(secret(content, tmp_path), None)
        assert found.thumbprint == mine.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - a name
        assert found.certificates == mine.certificate_pem + root.certificate_pem + other.certificate_pem


def test_of_two_certificates_for_one_key_the_one_that_ends_later_is_used(tmp_path: Path) -> None:
    old, new = pair(ends_in=timedelta(days=3)), pair(ends_in=timedelta(days=300))
    found = client_certificate(secret(old.pem() + new.certificate_pem, tmp_path), None)
    assert found.certificates == new.certificate_pem


def test_what_cannot_be_used_is_told_what_it_is_and_what_to_do(tmp_path: Path) -> None:
    elliptic = certified(ec.generate_private_key(ec.SECP256R1()))
    bare = pair().certificate.public_bytes(serialization.Encoding.DER)
    opens = "certificate_passphrase does not open"
    cases: list[tuple[str | bytes, Secret | None, str]] = [
        (pair().certificate_pem, None, "has no private key"),
        (pair().key_pem(), None, "has no certificate"),
        (
            pair().key_pem() + pair(1).certificate_pem,
            None,
            "no certificate in certificate fits its private key",
        ),
        (elliptic.pem(), None, "is not RSA"),
        (elliptic.pfx(), None, "is not RSA"),
        (pair().pem(OPENS), None, "is encrypted; add certificate_passphrase"),
        (pair().pem(OPENS), passphrase("another"), opens),
        (pair().pfx(OPENS), None, "it needs certificate_passphrase"),
        (pair().pfx(OPENS), passphrase("another"), opens),
        (bare, None, "is a certificate alone (.cer)"),
        (pair().pem().replace("MII", "???"), None, "cannot be read as PEM"),
        (pair().pfx()[:-100], None, "is a PFX (PKCS #12)"),
        ("a client secret", None, "is neither a PEM nor a PFX"),
    ]
    for content, opened_by, words in cases:
        text = problem(content, tmp_path, opened_by)
        assert words in text
        assert "; " in text, "what to do"
