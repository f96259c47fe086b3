"""`make audit` passes only where it was told that nothing is known against any pin."""

import os
import subprocess

from tests.house.project import ROOT


def test_an_audit_that_could_ask_nobody_does_not_pass() -> None:
    audit = subprocess.run(
        ["make", "--old-file=.venv/.ready", "audit"],
        cwd=ROOT,
        env={**os.environ, "HTTPS_PROXY": "http://127.0.0.1:1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert audit.returncode != 0
    assert "make audit: not passed" in audit.stderr
