"""flagd's own provider, in its file mode, behind the sidecar: who gets what is what the same file gives without it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stepdown.decide.flags import compile_flags
from tests.kit.flag_engines import ROOT
from tests.kit.processes import eventually
from tests.kit.provided import provided

PROVIDER = """
import sys
sys.path.append({packages!r})
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType

def make(flags):
    return FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=flags)
"""
FLAGS: dict[str, Any] = {
    "flags": {
        "churn": {
            "state": "ENABLED",
            "variants": {"old": "o", "new": "n"},
            "defaultVariant": "old",
            "targeting": {"if": [{"==": [{"var": "plan"}, "beta"]}, "new", {"fractional": [["new", 40], ["old", 60]]}]},
        },
        "testers": {"state": "ENABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off"},
    }
}


@pytest.mark.real
def test_flagd_s_own_provider_gives_what_its_file_gives(tmp_path: Path) -> None:
    found = sorted((ROOT / ".envs" / "flagd-3" / "lib").glob("python*/site-packages"))
    if not found:
        pytest.skip("flagd's engine of generation 3 is not installed; `make servers` installs it")
    (tmp_path / "flagd_flags.py").write_text(PROVIDER.format(packages=str(found[0])))
    file = tmp_path / "flags.json"
    file.write_text(json.dumps(FLAGS))
    alone = compile_flags(FLAGS, fractional=3)
    users = [f"user-{number}" for number in range(40)]
    expected = {user: alone.evaluate("churn", {"targetingKey": user}, now=0).variant for user in users}
    with provided(tmp_path, "first_wait: 1s", provider="flagd_flags:make", options=f"{{flags: {file}}}") as here:
        assert {user: here.served(user) for user in users} == expected
        assert here.served("user-0", b"X-Plan: beta") == "new"
        assert here.served("user-1", b"X-Tester: yes") == expected["user-1"]
        assert set(expected.values()) == {"new", "old"}
        churn = FLAGS["flags"]["churn"] | {"defaultVariant": "new", "targeting": {}}
        file.write_text(json.dumps({"flags": FLAGS["flags"] | {"churn": churn}}))
        eventually(lambda: {here.served(user) for user in users} == {"new"})
