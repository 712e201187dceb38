"""`state.rollouts`: where it leads, and every mistake at its place."""

from __future__ import annotations

import pytest

from stepdown.config.settings import StoreSettings
from tests.kit.configuration import GOOD, Folder

LINE = f"stepdown.yaml:{GOOD.count(chr(10)) + 1}:"
TWO = "found a file, and 2 replicas, each of which would count and decide by itself; allowed redis: URL, or replicas: 1"


def test_without_it_nothing_is_kept(folder: Folder) -> None:
    assert folder.load(GOOD).store is None
    assert folder.load(GOOD + "state: {overlay: switched.json}\n").store is None


@pytest.mark.parametrize("place", ["rollouts.db", "{file: rollouts.db}"])
def test_a_file_is_relative_to_the_one_that_names_it(folder: Folder, place: str) -> None:
    store = folder.load(f"{GOOD}state: {{rollouts: {place}}}\n").store
    assert store == StoreSettings(file=str(folder.path / "rollouts.db"))


def test_replicas_share_a_redis(folder: Folder) -> None:
    text = "state: {rollouts: {redis: 'redis://host:6379/1', namespace: churn}, replicas: 3}\n"
    assert folder.load(GOOD + text).store == StoreSettings(redis="redis://host:6379/1", namespace="churn")


def test_a_url_with_a_password_comes_from_elsewhere_and_is_shown_to_nobody(folder: Folder) -> None:
    environ = {"STATE": "redis://:hunter2@host:6379/0"}
    loaded = folder.load(GOOD + "state: {rollouts: {redis: {env: STATE}}}\n", environ=environ)
    assert loaded.store is not None
    assert loaded.store.redis == environ["STATE"]
    assert "hunter2" not in repr(loaded.store)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{rollouts: a.db, replicas: 2}", f"19: state.rollouts: {TWO}"),
        ("{rollouts: {file: a.db}, replicas: 2}", f"26: state.rollouts.file: {TWO}"),
        ("{rollouts: no/a.db}", "found no/a.db, and there is no folder no; allowed a file in a folder"),
        ("{rollouts: contracts}", "found contracts, which is a folder; allowed the path of a file"),
        ("{rollouts: {}}", "allowed one of `file: PATH` and `redis: URL`"),
        ("{rollouts: {file: a.db, redis: 'redis://host'}}", "allowed one of `file: PATH` and `redis: URL`"),
        ("{rollouts: {redis: 'http://host'}}", "found no URL of a Redis; allowed redis://host:6379/0, rediss:// or"),
        (
            "{rollouts: {redis: 'redis://:hunter2@host'}}",
            "found a URL with a password in the file itself; allowed {env: NAME} or {file: PATH}",
        ),
        ("{rollouts: {redis: {env: NONE}}}", "the environment variable NONE is not set"),
        ("{rollouts: a.db, replicas: 0}", "state.replicas: found the number 0; allowed a number from 1 on"),
    ],
)
def test_every_mistake_is_named_at_its_place(folder: Folder, text: str, message: str) -> None:
    (finding,) = folder.refusal(f"{GOOD}state: {text}\n")
    assert finding.startswith(LINE)
    assert message in finding
    assert "hunter2" not in finding
