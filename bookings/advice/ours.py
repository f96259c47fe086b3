"""Codes of our own, alike for both providers."""

from collections.abc import Mapping

from bookings.advice.row import Advice

LOGIN = "`sequence-sync login {provider} {name}`"

OURS: Mapping[str, Advice] = {
    "not_logged_in": Advice("nobody has consented yet", LOGIN),
    "logged_in_to_another_client": Advice(
        "the user consented to another application", f"put the former client_id back, or {LOGIN}"
    ),
    "encryption_key_missing": Advice(
        "the consent is encrypted by a key that is not here",
        f"add the key it was encrypted with to encryption.keys, or {LOGIN}",
    ),
    "redis_unavailable": Advice("the consent is kept in Redis", "see the line of redis"),
    "key_passphrase_missing": Advice(
        "the private key is encrypted, and no passphrase is given",
        "add certificate_passphrase, or use a key without a passphrase",
    ),
    "key_passphrase_wrong": Advice(
        "the passphrase does not open the private key",
        "put the passphrase that the key was encrypted with into certificate_passphrase",
    ),
    "key_unreadable": Advice("the private key is damaged or cut short", "copy the whole file anew"),
    "key_not_rsa": Advice(
        "the private key is not an RSA key",
        "make an RSA key of 2048 bits or more; the provider takes no other",
    ),
    "credentials unreadable": Advice(
        "the file or variable that holds the credentials is missing, or holds something else",
        "see what the account's reference names; a file is read again within a second",
    ),
    "unexpected": Advice(
        "the library could make nothing of the credentials or of the answer",
        "compare the account's keys with docs/{provider}.md, one by one",
    ),
}
