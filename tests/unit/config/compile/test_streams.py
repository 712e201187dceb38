"""What the `stream:` section of an adapter becomes, and what is said about mistakes in it and about its chains."""

from __future__ import annotations

from stepdown.decide.spec import Step, decode, encode
from tests.kit.configuration import Folder, changed

STREAM = """\
        stream:
          on:
            zebra: [{move: {from: /logit, to: /score}}]
            apple: drop
            "*": drop
"""
AT = "        response:\n"
THIRD = """\
      - from: "1.1.0"
        to: "1.0.0"
        response: [{remove: /note}]
    clients:
"""


def with_stream(text: str = STREAM, *changes: tuple[str, str]) -> str:
    """The worked example with this section in its adapter."""
    return changed((AT, text + AT), *changes)


def step(folder: Folder, text: str) -> Step:
    spec = decode(encode(folder.load(text).spec))
    (model,) = spec.models
    (chain,) = [chain for chain in model.chains if (chain.served, chain.pinned) == ("2.0.0", "1.1.0")]
    return chain.steps[0]


def test_rules_travel_to_workers_in_the_order_of_the_file(folder: Folder) -> None:
    assert list(step(folder, with_stream()).stream["on"]) == ["zebra", "apple", "*"]


def test_without_a_section_nothing_is_said_of_streams(folder: Folder) -> None:
    assert step(folder, changed()).stream is None


def test_a_mistake_has_its_place_and_the_right_name(folder: Folder) -> None:
    (message,) = folder.refusal(with_stream(STREAM.replace("move", "moev")))
    assert message.startswith("stepdown.yaml:18:28: models.churn.adapters[0].stream.on.zebra[0].moev: ")
    assert 'did you mean "move"?' in message


def test_an_unknown_key_is_told_with_those_that_there_are(folder: Folder) -> None:
    (message,) = folder.refusal(with_stream(STREAM.replace("on:", "events:")))
    assert "there is no key 'events' in a stream section; it has on, fold, envelope, end, collect, unfold" in message


def test_a_section_is_a_mapping(folder: Folder) -> None:
    (message,) = folder.refusal(with_stream("        stream: [drop]\n"))
    assert message.startswith("stepdown.yaml:16:17: models.churn.adapters[0].stream: found")


def test_what_nothing_carries_or_folds_is_told_at_the_rule_that_reads_it(folder: Folder) -> None:
    text = "        stream:\n          on:\n            a: [{emit: {data: {id: {carried: who}}}}]\n"
    (message,) = folder.refusal(with_stream(text))
    assert "models.churn.adapters[0].stream.on.a[0].emit.data: nothing is carried as 'who'" in message
    assert "(in the chain from 2.0.0 to 1." in message
    carried = ("        response:\n", "        request: [{carry: {from: /user, as: who}}]\n        response:\n")
    assert folder.load(changed((AT, text + AT)).replace(*carried))


def test_a_step_that_would_refuse_the_streams_of_others_is_warned_of(folder: Folder) -> None:
    text = with_stream(STREAM, ("    clients:\n", THIRD))
    (warning,) = [str(each) for each in folder.load(text).warnings if "stream" in str(each)]
    assert "models.churn.adapters[1]: streams from 2.0.0 to 1.0.0 are refused here: found no stream section" in warning
    healed = text.replace("[{remove: /note}]", "[{remove: /note}]\n        stream: {on: {}}")
    assert not [str(each) for each in folder.load(healed).warnings if "stream" in str(each)]


def test_two_files_that_differ_in_the_order_of_rules_have_different_digests(folder: Folder) -> None:
    first, second = STREAM.splitlines(keepends=True)[2:4]
    other = STREAM.replace(first + second, second + first)
    assert encode(folder.load(with_stream()).spec) != encode(folder.load(with_stream(other)).spec)
    assert list(step(folder, with_stream(other)).stream["on"]) == ["apple", "zebra", "*"]
