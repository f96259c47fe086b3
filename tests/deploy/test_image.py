"""The image's byte code: made once, at the end, and never compared with its source. `tests/house` has the rest."""

import re

from tests.house.project import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")


def test_pip_compiles_nothing_of_what_is_compiled_at_the_end() -> None:
    installs = re.findall(r"pip --python /opt/sequence-sync install ([^&\n]*)", DOCKERFILE)
    assert len(installs) == 2
    assert [each for each in installs if "--no-compile" not in each] == []
    assert "PIP_NO_COMPILE" not in DOCKERFILE, "pip takes 1 for yes, compile"


def test_byte_code_is_valid_whatever_happens_to_the_times_of_files() -> None:
    compiled = re.findall(r"compileall ([^&\n]*)", DOCKERFILE)
    assert len(compiled) == 2
    assert [each for each in compiled if "--invalidation-mode unchecked-hash" not in each] == []
