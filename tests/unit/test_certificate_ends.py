"""`sequence-sync check` says when a certificate ends, while there is time."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.checks.certificates import certificates
from cli.checks.finding import Level
from config.load import parse
from config.settings import Settings
from tests.certificates import pair


def settings(pem: str) -> Settings:
    account = {"name": "m", "provider": "microsoft", "tenant_id": "t", "client_id": "c"}
    tables = {"accounts": [{**account, "certificate": "env:PEM"}]}
    return parse(tables, folder=Path("/"), environ={"PEM": pem})


@pytest.mark.parametrize(
    ("days", "level", "words"),
    [
        (365, Level.RIGHT, "good until"),
        (31, Level.RIGHT, "good until"),
        (29, Level.WARNING, "in 28 days"),
        (2, Level.WARNING, "in 1 day"),
        (0.5, Level.WARNING, "in 0 days"),
        (-0.5, Level.WRONG, "ended on"),
    ],
)
def test_a_certificate_is_spoken_of_thirty_days_before_it_ends(days: float, level: Level, words: str) -> None:
    mine = pair(ends_in=timedelta(days=days))
    [finding] = certificates(settings(mine.pem()), datetime.now(UTC))
    assert (finding.subject, finding.level) == ("certificate m", level)
    assert words in finding.words
    assert f"{mine.certificate.not_valid_after_utc:%Y-%m-%d}" in finding.words
    assert bool(finding.remedy) == (level is not Level.RIGHT)


def test_a_certificate_that_is_not_good_yet_is_wrong() -> None:
    [finding] = certificates(settings(pair(begins_in=2).pem()), datetime.now(UTC))
    assert finding.level is Level.WRONG
    assert "is good from" in finding.words
