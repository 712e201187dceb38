"""A changed file is put in force on every worker without a request noticing, or it is refused and changes nothing."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.kit.client import ask
from tests.kit.load import REQUEST, Load
from tests.kit.looping import LoopThread
from tests.kit.processes import Processes, config
from tests.kit.upstream import OK, Upstream, serve

OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother"


def replace(file: Path, text: str) -> None:
    """As an editor does it: a new file in the place of the old one."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.rename(file)


def digests(sidecar: Processes) -> set[str]:
    shown = json.loads(sidecar.get("admin", "/v1/status")[1])
    return {worker["digest"] for worker in shown["workers"]}


def test_a_changed_file_is_followed_without_being_told(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as first, Upstream(thread, serve(OTHER)) as second:
        file.write_text(config(first.port, workers=2))
        with Processes(file) as sidecar:
            sidecar.started()
            before = digests(sidecar)
            replace(file, config(second.port, workers=2))
            event = sidecar.wait_for("configuration is in force", changed=True)
            assert digests(sidecar) == {event["digest"]} != before
            assert {ask(sidecar.port, REQUEST, "POST").body for _ in range(8)} == {b"other"}


def test_sighup_reads_the_file_again(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    file.write_text(config(1))
    with Processes(file) as sidecar:
        sidecar.started()
        sidecar.signal(signal.SIGHUP)
        assert sidecar.wait_for("configuration is in force", count=2)["changed"] is False


def test_a_refused_file_leaves_everything_as_it_is_and_says_why(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as upstream:
        file.write_text(config(upstream.port, workers=2))
        with Processes(file) as sidecar:
            sidecar.started()
            before = digests(sidecar)
            assert sidecar.metric("stepdown_config_reload_ok") == 1
            replace(file, config(upstream.port, workers=2).replace('"1.0.0": 100', '"1.0.0": -1, "9.9.9": 1'))
            sidecar.wait_for("configuration refused")
            assert sidecar.metric("stepdown_config_reload_ok") == 0
            assert digests(sidecar) == before
            assert ask(sidecar.port, REQUEST, "POST").status == 200
            status, body = sidecar.post("/v1/reload")
            findings = "\n".join(json.loads(body)["findings"])
            assert status == 422
            assert "9.9.9" in findings
            assert "-1" in findings
            replace(file, config(upstream.port, workers=2))
            sidecar.wait_for("configuration is in force", count=2)
            assert sidecar.metric("stepdown_config_reload_ok") == 1


def test_what_needs_a_new_start_is_said(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    file.write_text(config(1, workers=1))
    with Processes(file) as sidecar:
        sidecar.started()
        replace(file, config(1, workers=2))
        sidecar.wait_for("workers was changed, which takes effect when the sidecar is started again")


def test_the_logs_follow_the_file(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as upstream:
        text = config(upstream.port)
        file.write_text(text)
        with Processes(file) as sidecar:
            sidecar.started()
            ask(sidecar.port, REQUEST, "POST")
            replace(file, text.replace("level: debug", "level: debug, access: true"))
            sidecar.wait_for("configuration is in force", changed=True)
            ask(sidecar.port, REQUEST.replace(b"/predict", b"/logged"), "POST")
            assert sidecar.access_line()["target"] == "/logged"


def test_reloads_under_load_fail_no_request(tmp_path: Path) -> None:
    file = tmp_path / "stepdown.yaml"
    with LoopThread() as thread, Upstream(thread) as first, Upstream(thread, serve(OK)) as second:
        file.write_text(config(first.port, workers=2))
        with Processes(file) as sidecar:
            sidecar.started()
            with Load(sidecar.port, threads=2) as one_each, Load(sidecar.port, threads=2, keep_alive=True) as kept:
                for turn in range(6):
                    port = (first, second)[turn % 2].port
                    good = turn % 3 != 2
                    file.write_text(config(port, workers=2) if good else f"listen: [{turn}\nmodels: nonsense")
                    sidecar.signal(signal.SIGHUP)
                    if good:
                        sidecar.wait_for("configuration is in force", count=2 + turn - turn // 3)
                    else:
                        sidecar.wait_for("configuration refused", count=1 + turn // 3)
                    one_each.more(20)
                    kept.more(20)
            assert one_each.failures == kept.failures == {}
            assert first.requests
            assert second.requests
