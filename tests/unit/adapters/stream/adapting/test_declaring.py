"""A `stream:` section that is wrong is refused with all of its mistakes, each at its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stepdown_adapters import Adapter, Model, ModelError, OperationError, Step
from stepdown_adapters.stream.adapting.declaring import stream_section
from tests.kit.stream_adapters import CHAT, section


def mistakes(raw: Any) -> list[str]:
    with pytest.raises(OperationError) as caught:
        stream_section(raw)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1", "a: there is no key 'a'"),
        ("ons: {}", "(did you mean 'on'?)"),
        ("on: []", "on: is a mapping of selectors"),
        ("on: {'*': drop, a: drop}", "on *: fits every event"),
        ("on: {/a~9: drop}", "on /a~9: at character"),
        ("on: {type=: drop}", "a selector with = is event=NAME or type=NAME"),
        ("on: {kind=a: drop}", "not 'kind=a'"),
        ("on: {'': drop}", "a selector is the name of an event"),
        ("on: {a: [drop]}", "on a: 'drop' stands alone"),
        ("on: {a: dorp}", "what is an operation, emit, drop or pass"),
        ("on: {a: [{sigmoit: /x}]}", "on a 0: /sigmoit: there is no operation 'sigmoit' (did you mean 'sigmoid'?)"),
        ("on: {a: {sigmoid: {path: x}}}", "on a: /sigmoid/path: sigmoid: a path starts with /"),
        ("on: {a: {header_set: {x: y}}}", "about events, which have no head"),
        ("on: {a: [{emit: {}}, {remove: /a}]}", "on a: operations after the last emit change nothing"),
        ("on: {a: {emit: {}, remove: /a}}", "'emit' stands alone in its entry"),
        ("on: {a: {emit: done}}", "emits '[DONE]', or what a mapping of data"),
        ("on: {a: {emit: {dat: 1}}}", "has no option 'dat'"),
        ('on: {a: {emit: {event: "x\\ny"}}}', "on a emit: /event: emit: event is a name without a line break"),
        ("on: {a: {emit: {data: {b: {field: x}}}}}", "on a emit: /data: emit: field: a path starts with /"),
        ("on: {a: {emit: {do: [{remov: /x}]}}}", "on a emit: /do/0/remov: there is no operation 'remov'"),
        ("on: {a: {emit: {do: [{status_map: {1: 2}}]}}}", "on a emit: /do/0: acts on the head"),
        ("on: {a: {emit: {when: {path: /x}}}}", "on a emit: /when: emit: a condition is"),
        ("on: {'[DONE]': {remove: /a}}", "[DONE] is no JSON that operations could act on"),
        ("envelope: [1]", "envelope: is a mapping of members"),
        ("end: [drop]", "end 0: is a list of events such as"),
        ("unfold: [drop]", "unfold 0: is a list of operations and of {emit: ...}, not of a string"),
        ("unfold: [{remove: /a}]", "unfold: emits nothing"),
        ("unfold: [{emit: {}}, {remove: /a}]", "unfold: operations after the last emit change nothing"),
        ("unfold: [{remov: /a}, {emit: {}}]", "unfold 0: /remov: there is no operation 'remov'"),
        ("unfold: [{emit: {dat: 1}}]", "unfold 0 emit: /dat: emit: has no option 'dat'"),
        ("collect: '[DONE]'", "collect: makes one document"),
        ("collect: false", "collect: is true, for the document that a server gives instead"),
        ("collect: 1", "collect: "),
        ("collect: {each: /a}", "collect: makes one document"),
        ("fold: []", "fold: is a mapping of names"),
        ("fold: [a]", "fold: is a mapping of names"),
        ("fold: {a: {on: b}}", "fold a: fold: needs one of last, first"),
        ("fold: {a: last}", "fold a: fold: needs one of last, first"),
        ("fold: {a: {last: /a, sum: /b}}", "needs one of"),
        ("fold: {a: {last: '/a/*'}}", "fold a: /last: fold: takes one value"),
        ("fold: {a: {on: '[DONE]', last: /a}}", "[DONE] has no values"),
        ("fold: {a: {on: /b~8, last: /a}}", "fold a: /on: fold: at character"),
        ("fold: {a: [{sum: /a}, {join: /b}]}", "has rules by join and sum"),
        ("fold: {a: [{start: 1, set: 1}, {start: 2, set: 1}]}", "fold a 1: /start: fold: is said twice"),
        ("fold: {a: {sum: /a, start: x}}", "nothing that sum could go on from"),
        ("fold: {a: {join: /a, start: 1}}", "nothing that join could go on from"),
        ("fold: {a: {list: /a, start: 1}}", "nothing that list could go on from"),
        ("fold: {a: {count: /a, start: true}}", "nothing that count could go on from"),
        ("fold: {'': {last: /a}}", "a fold has a name"),
        ("fold: {a: {last: /a, were: 1}}", "has no option 'were'"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, expected: str) -> None:
    assert any(expected in line for line in mistakes(section(text)))


def test_what_is_no_section_is_told() -> None:
    keys = "on, fold, envelope, end, collect, unfold"
    assert mistakes("drop") == [f": a stream section is a mapping of {keys}, not a string"]


def test_an_empty_section_is_a_mistake_and_one_without_rules_lets_everything_pass() -> None:
    assert mistakes({}) == [": the stream section is empty; {on: {}} says that all events pass as they are"]
    assert stream_section({"on": {}}).rules == ()


def test_a_step_made_in_python_is_refused_when_its_adapter_is_made() -> None:
    with pytest.raises(OperationError, match="there is no operation 'sigmoit'"):
        Adapter.of([Step("2.0.0", "1.0.0", stream={"on": {"a": [{"sigmoit": "/x"}]}})])


def test_all_mistakes_are_told_at_once() -> None:
    assert len(mistakes(section("on: {a: {sigmoit: /x}, b: dorp}\nfold: {c: {}}\nend: [1]"))) == 4


def test_a_reader_of_yaml_1_1_takes_on_for_true_and_that_is_told() -> None:
    assert "write it in quotes" in mistakes(yaml.safe_load("on: {a: drop}"))[0]


FILE = """\
versions: {1.0.0: {}, 2.0.0: {}}
adapters:
  - from: "2.0.0"
    to: "1.0.0"
    stream:
      fold:
        id: {on: created, last: /id}
      on:
        created:
          - emit: {data: {id: {carried: id}}}
        "/a/b": drop
"""


def test_a_file_declares_it(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(FILE)
    chain = Adapter.load(file, "2.0.0", "1.0.0").stream("text/event-stream")
    assert chain.feed(b'data: {"type": "created", "id": 7}\n\n') == b'data: {"id":7}\n\n'


@pytest.mark.parametrize(
    ("right", "wrong", "line", "sentence"),
    [
        ("carried: id", "carried: idd", 10, "nothing is carried as 'idd'"),
        ("emit: {data", "emit: {dat", 10, "did you mean 'data'?"),
        ("last: /id", "last: id", 7, "a path starts with /"),
        ('"/a/b"', '"/a~9"', 11, "at character"),
    ],
)
def test_a_mistake_in_a_file_is_at_its_line(tmp_path: Path, right: str, wrong: str, line: int, sentence: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(FILE.replace(right, wrong))
    with pytest.raises(ModelError) as caught:
        Model.load(file)
    assert caught.value.place == f"{file}:{line}"
    assert sentence in caught.value.sentence


def test_what_only_a_longer_chain_carries_is_missing_in_the_shorter_one(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    carry = '  - {from: "3.0.0", to: "2.0.0", request: [{carry: {from: /limit, as: limit}}]}\n'
    longer = FILE.replace("{1.0.0: {}, ", "{1.0.0: {}, 3.0.0: {}, ").replace("carried: id", "carried: limit") + carry
    file.write_text(longer)
    with pytest.raises(ModelError, match="nothing is carried as 'limit'") as caught:
        Model.load(file)
    assert caught.value.place == f"{file}:10"


def test_the_explanation_has_each_rule_on_a_line(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(FILE)
    assert (
        '  stream on: {"created": [{"emit": {"data": {"id": {"carried": "id"}}}}]}'
        in Adapter.load(file, "2.0.0", "1.0.0").explain().splitlines()
    )


def test_the_worked_example_is_right() -> None:
    assert len(stream_section(section(CHAT)).rules) == 7
