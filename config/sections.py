"""The sections that there is one of each: [redis], [receiver] and the like. Durations are in seconds."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from config.durations import seconds
from config.fields import (
    EMPTY_IS_NONE,
    Count,
    Duration,
    FolderPath,
    Name,
    Pause,
    Port,
    RedisAddress,
    Text,
    WebAddress,
)
from config.redis_url import parse_redis_url
from config.references import ConsolePassword, RecordFile, RecordSecret, SealingKeys, sealing_keys
from config.table import Table


class RedisSettings(Table):
    """Where the records are kept."""

    url: RedisAddress = parse_redis_url("embedded")
    username: RecordSecret | None = None
    password: RecordSecret | None = None
    sentinel_username: RecordSecret | None = None
    sentinel_password: RecordSecret | None = None
    ca_file: Annotated[RecordFile | None, EMPTY_IS_NONE] = None
    data_dir: FolderPath = Field(default=Path("data"), validate_default=True)
    key_prefix: Name = "sequence-sync"

    def credentials(self) -> tuple[str | None, str | None]:
        """User and password as they stand now, from the keys or else from the URL.

        Raises:
            SecretError: a referenced secret is missing or empty.
        """
        return (
            self.username.value() if self.username else self.url.username,
            self.password.value() if self.password else self.url.password,
        )

    def sentinel_credentials(self) -> tuple[str | None, str | None]:
        """User and password for the sentinels as they stand now.

        Raises:
            SecretError: a referenced secret is missing or empty.
        """
        return (
            self.sentinel_username.value() if self.sentinel_username else None,
            self.sentinel_password.value() if self.sentinel_password else None,
        )


class ConsoleSettings(Table):
    """The pages for operators on the admin ports; there are none without a password."""

    password: Annotated[ConsolePassword | None, EMPTY_IS_NONE] = None
    session: Duration = seconds("8h")
    hosts: tuple[Text, ...] = ()
    """Names by which operators reach it, beside the receiver's `public_url`, `localhost` and addresses."""


class EncryptionSettings(Table):
    """What is encrypted in Redis, and by which keys: the first encrypts, any of them decrypts."""

    bookings: bool = False  # before `keys`, whose check depends on it
    keys: tuple[SealingKeys, ...] = ()

    def key_texts(self) -> tuple[bytes, ...]:
        """The keys as they stand now, newest first.

        Raises:
            SecretError: a referenced secret is missing, or holds no key.
        """
        return tuple(key for secret in self.keys for key in sealing_keys(secret))


class ReceiverSettings(Table):
    """The HTTP edge that Cronofy calls."""

    host: Text = "::"  # a callback comes from outside, and a pod is reached by its own address
    port: Port = 8080
    admin_host: Text = "::"  # probes and scrapers reach a pod by its own address
    admin_port: Port = 9090
    public_url: Annotated[WebAddress | None, EMPTY_IS_NONE] = None
    max_body_bytes: Count = 262_144
    head_timeout: Duration = seconds("10s")
    body_timeout: Duration = seconds("10s")
    max_connections: Count = 500
    redelivery_window: Duration = seconds("24h")
    queue_limit: Count = 100_000
    dead_letters_limit: Count = 100_000
    drain_delay: Pause = 0.0
    drain_timeout: Duration = seconds("20s")


class ApiSettings(Table):
    """The Cronofy-compatible API: links and availability, for programs that hold an app's client secret."""

    host: Text = "127.0.0.1"
    port: Port = 8081
    admin_host: Text = "::"  # probes and scrapers reach a pod by its own address
    admin_port: Port = 9092
    max_connections: Count = 500
    read_timeout: Duration = seconds("5s")
    compute_timeout: Duration = seconds("1s")
    drain_timeout: Duration = seconds("20s")


class WorkerSettings(Table):
    """What writes to the calendars."""

    concurrency: Count = 100
    admin_host: Text = "::"  # probes and scrapers reach a pod by its own address
    admin_port: Port = 9091
    retry_for: Duration = seconds("24h")
    retry_base: Duration = seconds("1s")
    retry_cap: Duration = seconds("10m")
    keep_bookings: Duration = seconds("90d")
    lease: Duration = seconds("15s")
    request_timeout: Duration = seconds("20s")
    poll_delay: Duration = seconds("50ms")
    prune_missing_parts: bool = False
    drain_timeout: Duration = seconds("20s")


class TelemetrySettings(Table):
    """Where traces go."""

    otlp_endpoint: Annotated[WebAddress | None, EMPTY_IS_NONE] = None
