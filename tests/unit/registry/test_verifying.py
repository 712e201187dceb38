from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest

from stepdown.registry import DamagedError, NotFoundError
from stepdown.registry.digest import sha256_of_json
from tests.kit.model_registry import MORE, Workshop, overwrite


def cut(workshop: Workshop) -> None:
    overwrite(workshop.kept(), workshop.kept().read_bytes()[:-1])


def flip(workshop: Workshop) -> None:
    data = bytearray(workshop.kept().read_bytes())
    data[-3] ^= 1
    overwrite(workshop.kept(), bytes(data))


def link(workshop: Workshop) -> None:
    kept = workshop.kept()
    shutil.copy(kept, workshop.folder / "elsewhere.pkl")
    kept.unlink()
    kept.symlink_to(workshop.folder / "elsewhere.pkl")


def swap(workshop: Workshop) -> None:
    kept = workshop.kept()
    kept.unlink()
    os.mkfifo(kept)


def seal_anew(workshop: Workshop) -> None:
    """An edit by somebody who knows how manifests are sealed."""
    import json

    path = workshop.at() / "manifest.json"
    value = json.loads(path.read_text())
    del value["manifest_sha256"]
    value["artifact"]["sha256"] = "0" * 64
    text = json.dumps({**value, "manifest_sha256": sha256_of_json(value)}, indent=2)
    overwrite(path, f"{text}\n".encode())


# name: (what is done to version 1.0.0, harm, what the sentence says)
HARMS: dict[str, tuple[Callable[[Workshop], object], str, str]] = {
    "a truncated artifact": (cut, "truncated", "is cut short"),
    "a changed byte of the artifact": (flip, "changed", "was changed"),
    "a missing artifact": (lambda w: w.kept().unlink(), "missing", "is missing"),
    "an artifact that leads outside": (link, "symlink", "is a symbolic link"),
    "a pipe in the artifact's place": (swap, "symlink", "is no regular file"),
    "a wrong hash in the artifact's name": (
        lambda w: w.kept().rename(w.at() / "churn_model_v1.0.0_000000000000.pkl"),
        "missing",
        "is missing",
    ),
    "a changed contract": (lambda w: overwrite(w.at() / "output.json", b"{}"), "truncated", "is cut short"),
    "a changed page": (lambda w: overwrite(w.at() / "SCHEMA.md", b"x" * 9999), "changed", "was changed (9999 bytes"),
    "another file": (lambda w: (w.at() / "notes.txt").touch(), "extra", "was not added"),
    "another folder with a file": (
        lambda w: ((w.at() / "more").mkdir(), (w.at() / "more" / "file").touch()),
        "extra",
        "was not added",
    ),
    "a manifest edited by hand": (lambda w: w.edit('"python"', '"Python"'), "changed", "was edited"),
    "a manifest without its seal": (lambda w: w.edit('"manifest_sha256"', '"seal"'), "changed", "there is no manifest"),
    "a manifest sealed anew": (seal_anew, "misnamed", "by its hash it is churn_model_v1.0.0_000000000000"),
    "a manifest that is no JSON": (lambda w: w.edit("{", "[", "1.0.0"), "changed", "is not the JSON"),
    "a missing manifest": (lambda w: (w.at() / "manifest.json").unlink(), "missing", "the manifest is missing"),
    "a version under another name": (lambda w: w.at().rename(w.at("1.0.1")), "misnamed", "is of churn 1.0.0, and lies"),
    "a version that is a link": (
        lambda w: (w.at().rename(w.folder / "away"), w.at().symlink_to(w.folder / "away")),
        "symlink",
        "is a symbolic link",
    ),
    "a file among the versions": (lambda w: (w.at().parent / "x").touch(), "extra", "is no version"),
    "a folder among the models": (
        lambda w: (w.registry.folder / "No Model").mkdir(),
        "extra",
        "is the name of no model",
    ),
}


@pytest.mark.parametrize("what", ["the version", "the model"])
def test_nothing_is_read_through_a_link_to_a_folder(workshop: Workshop, what: str) -> None:
    workshop.add()
    place = workshop.at() if what == "the version" else workshop.at().parent
    place.rename(workshop.folder / "away")
    place.symlink_to(workshop.folder / "away")
    for use in (workshop.registry.load, workshop.registry.manifest, workshop.registry.page, workshop.registry.artifact):
        with pytest.raises(DamagedError, match="is a symbolic link"):
            use("churn", "1.0.0")
    assert [(damage.harm, damage.place) for damage in workshop.registry.verify().damages] == [("symlink", str(place))]


@pytest.mark.parametrize("name", HARMS)
def test_it_is_found_that_there_is(workshop: Workshop, name: str) -> None:
    workshop.add("1.0.0", training={"python": "3.11"})
    do, harm, sentence = HARMS[name]
    do(workshop)
    damages = workshop.registry.verify().damages
    assert [damage.harm for damage in damages if sentence in damage.sentence] == [harm], damages


def test_a_sound_registry_has_no_damages(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.1.0", output=MORE)
    (workshop.registry.folder / "README.md").touch()
    report = workshop.registry.verify()
    assert report.damages == ()
    assert len(report.checked) == 2


def test_a_version_that_was_taken_away_is_missed_by_the_next(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.1.0")
    shutil.rmtree(workshop.at("1.0.0"))
    (damage,) = workshop.registry.verify().damages
    assert (damage.harm, damage.place) == ("missing", str(workshop.at("1.0.0")))


def test_a_version_that_was_replaced_whole_is_noticed_by_the_next(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.1.0")
    shutil.rmtree(workshop.at("1.0.0"))
    workshop.add("1.0.0", value="another")
    (damage,) = workshop.registry.verify().damages
    assert (damage.harm, damage.place) == ("replaced", str(workshop.at("1.0.0")))


def test_one_model_or_one_version_can_be_verified_alone(workshop: Workshop) -> None:
    workshop.add("1.0.0")
    workshop.add("1.1.0")
    cut_one = workshop.kept("1.1.0")
    overwrite(cut_one, b"")
    assert workshop.registry.verify("churn", "1.0.0").damages == ()
    report = workshop.registry.verify("churn", "^1")
    assert [damage.place for damage in report.damages] == [str(cut_one)]
    assert workshop.registry.verify("churn").of(workshop.at("1.0.0")) == ()


def test_what_is_not_there_is_said(workshop: Workshop) -> None:
    with pytest.raises(NotFoundError, match="there is no registry here"):
        workshop.registry.verify()
    workshop.add()
    with pytest.raises(NotFoundError, match="there is no model spam; the registry has: churn"):
        workshop.registry.verify("spam")
    with pytest.raises(NotFoundError, match=r"no version fits '2'; there are: 1\.0\.0"):
        workshop.registry.verify("churn", "2")


def test_a_folder_of_a_saved_model_that_became_a_link_is_found(workshop: Workshop) -> None:
    workshop.add(path=workshop.saved_model())
    inner = workshop.kept() / "variables"
    inner.rename(workshop.folder / "away")
    inner.symlink_to(workshop.folder / "away")
    harms = {(damage.harm, damage.place) for damage in workshop.registry.verify().damages}
    assert ("symlink", str(inner / "variables.index")) in harms
