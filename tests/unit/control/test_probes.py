from __future__ import annotations

from stepdown.control.probes import targets
from stepdown.decide.spec import Endpoint, HealthCheck, Model, SnapshotSpec, Version

CHECK = HealthCheck(path="/v2/models/{model}/versions/{version}/ready")


def spec(*versions: Version) -> SnapshotSpec:
    model = Model(name="churn", default_version="1.0.0", latest="1.0.0", versions=versions)
    return SnapshotSpec(models=(model,), routes=())


def endpoint(port: int, **more: tuple[tuple[str, str], ...]) -> Endpoint:
    return Endpoint(id=f"http://a:{port}", host="a", port=port, **more)  # type: ignore[arg-type]


def test_only_endpoints_with_a_check_are_probed() -> None:
    found = targets(
        spec(
            Version(id="1.0.0", endpoints=(endpoint(1),)),
            Version(id="2.0.0", endpoints=(endpoint(2), endpoint(3)), health=CHECK),
        )
    )
    assert list(found) == ["churn/2.0.0/http://a:2", "churn/2.0.0/http://a:3"]


def test_paths_are_filled_in_with_the_files_names() -> None:
    (target,) = targets(spec(Version(id="2.0.0", endpoints=(endpoint(2),), health=CHECK))).values()
    assert target.path("/v2/models/{model}/versions/{version}/ready") == "/v2/models/churn/versions/2.0.0/ready"


def test_paths_are_filled_in_with_the_servers_own_names_where_they_are_expected() -> None:
    own = endpoint(2, expect=(("model_version", "v2"), ("model_name", "churn-b")))
    (target,) = targets(spec(Version(id="2.0.0", endpoints=(own,), health=CHECK))).values()
    assert target.path("/v2/models/{model}/versions/{version}/ready") == "/v2/models/churn-b/versions/v2/ready"
