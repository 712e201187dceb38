from __future__ import annotations

import sys
from pathlib import Path

import pytest

from stepdown_adapters.errors import OperationError
from stepdown_adapters.hooks import load_hook


def test_a_hook_is_the_function_itself() -> None:
    assert load_hook("json:dumps").__module__ == "json"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("raise RuntimeError('no licence')", "cannot be imported: no licence"),
        ("def hook(", "cannot be imported: '(' was never closed"),
        ("hook = 5", "is not a function"),
        ("", "has no attribute 'hook'"),
    ],
)
def test_whatever_a_module_does_when_it_is_imported_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, sentence: str
) -> None:
    (tmp_path / "module_of_a_hook.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "module_of_a_hook", raising=False)
    with pytest.raises(OperationError) as refused:
        load_hook("module_of_a_hook:hook")
    assert sentence in refused.value.problems[0].sentence
