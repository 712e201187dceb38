"""Whatever a file holds, it is accepted, or refused with findings that have a place; nothing else comes out of it."""

from __future__ import annotations

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stepdown.config import Finding, RefusedError
from stepdown.decide.snapshot import compile_snapshot
from stepdown.decide.spec import decode, encode
from stepdown_adapters.generate import compile_chain
from tests.kit.configuration import GOOD, Folder

MORE = """\
status: ":0"
admin: {listen: "127.0.0.1:0", tokens: [{name: ops, role: operate, token: {env: TOKEN}}]}
workers: 2
drain: {delay: 0s, grace: 1m}
log: {format: json, level: info, access: false}
explain: {allow: [10.0.0.0/8]}
trusted_hops: 1
timeouts: {connect: 1s}
limits: {adapted_body: 1MiB}
retries: {budget: 20%, minimum: 3}
passthrough_to: {url: "https://docs", set_headers: {x-a: b, x-s: {env: TOKEN}}, tls: {verify: false}}
include: []
"""
TEXT = GOOD + MORE
ENVIRON = {"TOKEN": "a-token-that-is-long-enough"}
PIECES = [
    "{", "}", "[", "]", ":", ": ", "- ", "#", '"', "'", "&a ", "*a", "<<: ", "|\n", "!!str ", "!x ", "~", "\t", "\n",
    "\0", "\x85", "\u2028", "\ufeff", "${TOKEN}", "${", "$${", "1.1", "1e999", "0x", "-1", "9" * 40, "null", "true",
    "2.0.0", "latest", "rollout", "/", "{a}", "..", "é", "\U0001f600", "---\n", "...\n", "%YAML 1.1\n", "? ", "\\",
    "\\ud800",
]  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(
        ["1.1.0", "2.0.0", "^1", "latest", "http://a", "/a/{b}", "5s", "1MiB", "churn", "POST", "client_ip"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["path", "1.1.0"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FUZZ = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def judge(folder: Folder, text: str | bytes) -> None:
    findings: tuple[Finding, ...]
    try:
        loaded = folder.load(text, environ=ENVIRON)
    except RefusedError as error:
        findings, accepted = error.findings, False
    else:
        findings, accepted = loaded.warnings, True
        assert decode(encode(loaded.spec)) == loaded.spec
        compile_snapshot(loaded.spec)
        for model in loaded.spec.models:
            for chain in model.chains:
                compile_chain(chain.steps)
    assert accepted == all(finding.severity == "warning" for finding in findings)
    for finding in findings:
        assert finding.place.file
        assert finding.place.line >= 1
        assert finding.place.column >= 1
        assert finding.problem
        assert ENVIRON["TOKEN"] not in str(finding)


def test_the_file_that_is_fuzzed_is_good(folder: Folder) -> None:
    assert folder.load(TEXT, environ=ENVIRON).warnings == ()


@FUZZ
@given(data=st.data())
def test_text_with_pieces_cut_out_and_put_in(folder: Folder, data: st.DataObject) -> None:
    text = TEXT
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        length = data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[start + length :]
    judge(folder, text.encode("utf-8", "surrogatepass"))


@FUZZ
@given(st.binary(max_size=200))
def test_bytes_that_are_anything(folder: Folder, data: bytes) -> None:
    judge(folder, data)


@FUZZ
@given(seed=st.integers(0, 2**32), value=JSON, times=st.integers(1, 3))
def test_values_of_any_type_in_any_place(folder: Folder, seed: int, value: Any, times: int) -> None:
    dice = random.Random(seed)
    tree = yaml.load(TEXT, Loader=yaml.BaseLoader)
    tree = typed(tree)
    for _ in range(times):
        replace_somewhere(tree, copy.deepcopy(value), dice)
    judge(folder, json.dumps(tree))


def typed(tree: Any) -> Any:
    """Numbers and booleans of the example as such; its texts stay texts."""
    if isinstance(tree, dict):
        return {key: typed(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [typed(value) for value in tree]
    return json.loads(tree) if tree in {"true", "false"} or tree.isdecimal() else tree


def replace_somewhere(tree: Any, value: Any, dice: random.Random) -> None:
    """Put `value` in the place of, or beside, one part of the tree."""
    holder = tree
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return
        key = dice.choice(keys)
        inner = holder[key]
        if not isinstance(inner, dict | list) or not inner or dice.random() < 0.2:
            break
        holder = inner
    if isinstance(holder, dict) and dice.random() < 0.2:
        holder[str(value)[:20]] = holder.pop(key)
    elif isinstance(holder, list) and dice.random() < 0.2:
        holder.append(value)
    else:
        holder[key] = value
