from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stepdown.registry.digest import sha256_of_json
from stepdown.registry.manifest import UnreadableError, read
from tests.kit.model_registry import MORE, QUESTION, Workshop, overwrite


def sealed(value: dict[str, Any]) -> bytes:
    text = json.dumps({**value, "manifest_sha256": sha256_of_json(value)}, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def test_a_manifest_is_read_as_it_was_written(workshop: Workshop) -> None:
    workshop.contract(QUESTION, "question.json")
    (workshop.folder / "features.py").touch()
    workshop.add("1.0.0")
    added = workshop.add(
        "1.1.0", output=MORE, input="question.json", preprocessing="features.py", training={"a": [1, None]}
    )
    path = workshop.at("1.1.0") / "manifest.json"
    assert read(path) == added.manifest
    assert read(path).text() == path.read_text()


def without(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda value: value.pop(name)


def put(value: object, *names: str) -> Callable[[dict[str, Any]], object]:
    def change(manifest: dict[str, Any]) -> None:
        for name in names[:-1]:
            manifest = manifest[name]
        manifest[names[-1]] = value

    return change


FORGERIES: dict[str, Callable[[dict[str, Any]], object]] = {
    "a member is missing": without("files"),
    "a member is unknown": put(1, "more"),
    "the artifact is no object": put("x", "artifact"),
    "the kind is unknown": put("exe", "artifact", "kind"),
    "the name is a number": put(7, "artifact", "name"),
    "a size is a string": put("7", "files", "SCHEMA.md", "size"),
    "files are a list": put([], "files"),
    "the format is unknown": put(0, "format"),
    "the step is a list": put([1], "step"),
    "contracts are null": put(None, "contracts"),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_manifest_that_is_sealed_and_wrong_is_refused(workshop: Workshop, name: str) -> None:
    workshop.add()
    path = workshop.at() / "manifest.json"
    value = json.loads(path.read_text())
    del value["manifest_sha256"]
    FORGERIES[name](value)
    overwrite(path, sealed(value))
    with pytest.raises(UnreadableError, match="is sealed and yet no manifest"):
        read(path)


def test_a_manifest_that_was_only_laid_out_anew_was_edited_too(workshop: Workshop) -> None:
    workshop.add()
    path = workshop.at() / "manifest.json"
    overwrite(path, path.read_bytes().replace(b"  ", b" "))
    with pytest.raises(UnreadableError, match="the content is the same, the text is not"):
        read(path)


def test_a_manifest_of_a_later_release_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(sealed({"format": 2}))
    with pytest.raises(UnreadableError, match="has format 2; this release reads up to 1"):
        read(tmp_path / "m")


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    for data in (b"", b"null", b"[" * 100_000, b"\xff", b'{"a": 1, "a": 1}', b'{"manifest_sha256": "x", "a": NaN}'):
        (tmp_path / "m").write_bytes(data)
        with pytest.raises(UnreadableError):
            read(tmp_path / "m")


def test_an_artifact_whose_hash_is_not_its_files_is_found(workshop: Workshop) -> None:
    workshop.add(path=workshop.saved_model())
    path = workshop.at() / "manifest.json"
    value = json.loads(path.read_text())
    del value["manifest_sha256"]
    old = value["artifact"]["sha256"]
    value["artifact"]["sha256"] = old[:-1] + ("0" if old[-1] != "0" else "1")
    overwrite(path, sealed(value))
    (damage,) = workshop.registry.verify().damages
    assert (damage.harm, damage.place) == ("misnamed", str(path))
    assert "has no file whose hash is the artifact's" in damage.sentence


def test_a_file_in_the_manifest_that_leads_outside_is_never_opened(workshop: Workshop) -> None:
    workshop.add()
    path = workshop.at() / "manifest.json"
    value = json.loads(path.read_text())
    del value["manifest_sha256"]
    for name in ("/etc/hostname", "../../../secret"):
        value["files"][name] = {"sha256": "0" * 64, "size": 1}
    overwrite(path, sealed(value))
    found = {(damage.harm, damage.sentence) for damage in workshop.registry.verify().damages}
    assert found == {("misnamed", "is no file of this version")}
