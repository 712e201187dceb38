from __future__ import annotations

import pytest
import yaml

from stepdown.config import yaml_reader
from stepdown.config.tree import plain
from stepdown.config.yaml_reader import read


def data(text: str, **environ: str) -> object:
    root, findings = read(text, "f.yaml", environ)
    assert findings == []
    assert root is not None
    return plain(root)


def found(text: str, **environ: str) -> list[str]:
    _, findings = read(text, "f.yaml", environ)
    return [str(finding) for finding in findings]


def test_scalars_are_those_of_yaml_1_2() -> None:
    assert data("{a: no, b: on, c: 1.0, d: '1', e: 2026-12-01, f: null, g: !!str 1}") == {
        "a": "no", "b": "on", "c": 1.0, "d": "1", "e": "2026-12-01", "f": None, "g": "1",
    }  # fmt: skip


def test_json_is_read_as_well() -> None:
    assert data('{"a": [1, 2.5, true, null, "\\u00e4"]}') == {"a": [1, 2.5, True, None, "ä"]}


def test_merge_keys_give_what_the_mapping_does_not_have_itself() -> None:
    text = "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\nall: {<<: [*b, *m], x: 0}\n"
    assert data(text)["all"] == {"x": 0, "y": 2, "z": 4}
    assert found("a: {<<: 1}") == [
        'f.yaml:1:9: a: found "<<" with something else than a mapping; allowed a mapping, or a list of mappings'
    ]
    assert data("a: {'<<': 1}") == {"a": {"<<": 1}}


def test_keys_are_text_and_each_is_there_once() -> None:
    assert found('a: 1\nb: {1.10: x, true: y, ~: z}\na: 2\n"a": 3\n') == [
        'f.yaml:2:5: b: found the number 1.10 as a key; allowed text; quote it: "1.10"',
        'f.yaml:2:14: b: found true as a key; allowed text; quote it: "true"',
        'f.yaml:2:23: b: found nothing as a key; allowed text; quote it: "~"',
        'f.yaml:3:1: a: found the key "a" a second time; allowed each key once; the first is at line 1',
        'f.yaml:4:1: a: found the key "a" a second time; allowed each key once; the first is at line 1',
    ]  # fmt: skip
    assert data("a: &k key\n*k : 1\n&n name: 2\nb: *n\n") == {"a": "key", "key": 1, "name": 2, "b": "name"}
    assert found("[1]: x") == ["f.yaml:1:1: found a key that is a list, a mapping or a foreign alias; allowed text"]


def test_an_alias_stands_for_something_whole_and_earlier() -> None:
    message = "found the alias *a; allowed an alias of an earlier, complete &a"
    assert found("x: *a\ny: &a 1") == [f"f.yaml:1:4: x: {message}"]
    assert found("x: &a [1, *a]") == [f"f.yaml:1:11: x[1]: {message}"]


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert found("\n".join(lines)) == ["f.yaml:6:5: a5: found more than 500000 values (aliases written out)"]


def test_nesting_is_bounded() -> None:
    assert found("[" * 101 + "]" * 101)[0].endswith("found more than 100 levels of nesting")
    assert found("[" * 100_000)[0].startswith("f.yaml:1:")


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "~\n"])
def test_an_empty_file_is_a_mistake_and_not_an_empty_configuration(text: str) -> None:
    assert found(text) == ["f.yaml:1:1: the file is empty"]


def test_what_is_no_yaml_is_placed() -> None:
    assert found("a: b\nc: \x00d") == ["f.yaml:2:4: no YAML: control characters are not allowed"]
    assert found("a: 'b\n") == [
        "f.yaml:2:1: no YAML: found unexpected end of stream while scanning a quoted scalar"
    ]  # fmt: skip
    assert found('a: "\\ud800"')[0].startswith("f.yaml:1:")


@pytest.mark.parametrize(
    "value", ["!!int x", "!!binary aGk=", "!own x", "!!set {a}", "!!python/object/apply:os.system [ls]"]
)
def test_tags_that_change_what_a_value_is_are_refused(value: str) -> None:
    assert len(found(f"a: {value}")) == 1
    assert "found the tag" in found(f"a: {value}")[0]


def test_tags_that_say_what_a_value_is_are_not() -> None:
    assert data("{a: !!int 1, b: !!float 1, c: !!bool true, d: !!null ~, e: !!map {}, f: !!seq [], g: ! 1}") == {
        "a": 1, "b": 1, "c": True, "d": None, "e": {}, "f": [], "g": "1",
    }  # fmt: skip


def test_a_reference_is_typed_like_what_it_stands_for_unless_it_is_quoted() -> None:
    assert data("a: ${N}\nb: '${N}'\nc: x${N}\n", N="2") == {"a": 2, "b": "2", "c": "x2"}


def test_a_variable_that_is_not_set_is_a_mistake_at_its_place() -> None:
    assert found("a:\n  - x${N}") == [
        "f.yaml:2:5: a[0]: the environment variable N is not set; allowed a variable that is set, or ${N:-default}"
    ]


def test_the_parser_in_python_gives_the_same_tree(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: [1, 'x', {b: &q c}]\nd: *q\n"
    fast = read(text, "f.yaml", {})
    monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    assert read(text, "f.yaml", {}) == fast
