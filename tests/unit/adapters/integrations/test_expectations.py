"""What an old client expects: its contract, after the step down, and what was recorded."""

from pathlib import Path
from typing import Any

import pytest

from stepdown_adapters import Contract, ContractError, Model, ModelError
from stepdown_adapters.integrations.expectations import OldClient, assert_contract
from stepdown_adapters.integrations.recordings import Recording, RecordingError, names, recording

FOLDER = Path(__file__).parents[4] / "config" / "library"
NEW = {"logit": 0.0, "label": "stay", "explanation": []}
OLD = {"probability": 0.5, "label": "stay"}


@pytest.fixture(scope="module")
def client() -> OldClient:
    return OldClient(Model.load(FOLDER / "churn.yaml"), "1.0.0", "2.0.0")


def test_a_document_that_keeps_its_contract_passes() -> None:
    assert_contract(OLD, "contracts/1.0.0.json", folder=FOLDER)
    assert_contract(b'{"probability": 0.5, "label": "stay"}', Contract.load("contracts/1.0.0.json", FOLDER))
    assert_contract(OLD, {"json_schema": "1.0.0.json"}, folder=FOLDER / "contracts")


def test_the_report_names_every_violation_with_path_and_value() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_contract({"probability": 1.5, "more": [1]}, "contracts/1.0.0.json", folder=FOLDER)
    title, *lines = str(caught.value).splitlines()
    assert title == f"the document breaks the contract {FOLDER / 'contracts/1.0.0.json'} (3 differences):"
    assert "  /probability is above 1  [maximum]: 1.5" in lines
    assert "  the document lacks the member 'label'  [required]" in lines
    assert len(lines) == 3


def test_the_report_leads_to_the_very_item_and_leaves_long_values_out() -> None:
    contract = Contract.of({"items": {"type": "number"}}, "numbers")
    with pytest.raises(AssertionError) as caught:
        assert_contract([1, "x", "y" * 100], contract)
    assert str(caught.value).splitlines() == [
        "the document breaks the contract numbers (2 differences):",
        "  /1 is a string, not of type number  [type]: 'x'",
        "  /2 is a string, not of type number  [type]",
    ]


def test_what_is_no_json_is_reported_and_many_violations_are_cut() -> None:
    contract = Contract.of({"items": {"type": "number"}}, "numbers")
    with pytest.raises(AssertionError, match="is no JSON"):
        assert_contract(b"[1", contract)
    with pytest.raises(AssertionError, match=r"\(20 differences, the first 20 of more\)"):
        assert_contract(["x"] * 50, contract)
    with pytest.raises(ContractError):
        assert_contract(OLD, "gone.json")


def test_a_new_answer_is_what_the_old_client_reads(client: OldClient) -> None:
    assert client(NEW) == OLD
    assert client.asks({"customer": "c", "months": 1}) == {"customer_id": "c", "months": 1}


def test_an_answer_that_breaks_the_old_contract_fails(client: OldClient) -> None:
    with pytest.raises(AssertionError, match=r"stepped down for 1.0.0, the document breaks") as caught:
        client({**NEW, "label": "perhaps"})
    assert "/label is none of the values that are listed  [enum]: 'perhaps'" in str(caught.value)


def test_an_answer_that_cannot_be_stepped_down_fails(client: OldClient) -> None:
    with pytest.raises(AssertionError, match=r"cannot be stepped down for 1.0.0: .*'logit'"):
        client({"label": "stay"})
    with pytest.raises(AssertionError, match=r"request of 1.0.0 cannot be stepped up: .* Python set"):
        client.asks({"customer": {1}})


def test_a_client_without_a_contract_or_a_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_text('versions: {"1.0.0": {}, "2.0.0": {}}\nadapters: [{from: "2.0.0", to: "1.0.0"}]')
    with pytest.raises(ModelError, match="declares no 'schema'"):
        OldClient(Model.load(file), "1.0.0", "2.0.0")
    with pytest.raises(ModelError, match="adapters step down only"):
        OldClient(Model.load(file), "2.0.0", "1.0.0")


def test_a_recording_is_replayed_against_a_document_or_a_function(client: OldClient) -> None:
    recorded = Recording("one", {"probability": 0.9, "label": "churn"}, {"customer": "c", "months": 1}, True)
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        asked.append(request)
        return NEW

    assert client.replay(recorded, NEW) == client.replay(recorded, answer, same="shape") == OLD
    assert asked == [{"customer_id": "c", "months": 1}]
    assert client.replay(Recording("two", OLD), lambda request: NEW if request is None else {}, same="values") == OLD


def test_an_answer_unlike_the_recorded_one_fails() -> None:
    client = OldClient(Model.load(FOLDER / "churn.yaml"), "1.1.0", "2.0.0")
    recorded = Recording("one", {**OLD, "model": "a"})
    client.replay(recorded, NEW)
    with pytest.raises(AssertionError, match="it is not as one was") as caught:
        client.replay(recorded, NEW, same="shape")
    assert str(caught.value).splitlines()[1:] == ["  /model is not there, and was recorded"]
    with pytest.raises(AssertionError, match="/model is 'b', recorded as 'a'"):
        client.replay(recorded, {**NEW, "model": "b"}, same="values")


def test_a_recording_that_is_none_of_the_old_version_fails(client: OldClient) -> None:
    with pytest.raises(AssertionError, match=r"the recording one is none of 1.0.0"):
        client.replay(Recording("one", NEW), NEW)


def test_recordings_are_pairs_of_files(tmp_path: Path) -> None:
    for name in ("b.response.json", "a.response.json", "a.request.json", "notes.txt"):
        (tmp_path / name).write_text("{}")
    assert names(tmp_path) == ["a", "b"]
    assert recording(tmp_path, "a") == Recording("a", {}, {}, True)
    assert recording(tmp_path, "b") == Recording("b", {})


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "has no recording"),
        ({"a.request.json": "{}"}, r"there is no a.response.json beside it"),
        ({"a.response.json": "{"}, r"a.response.json: "),
    ],
    ids=["none", "half", "broken"],
)
def test_recordings_that_cannot_be_used_are_named(tmp_path: Path, files: dict[str, str], told: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(RecordingError, match=told):
        recording(tmp_path, names(tmp_path)[0])
    with pytest.raises(RecordingError, match="no such folder"):
        names(tmp_path / "gone")
