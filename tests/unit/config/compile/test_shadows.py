"""`shadow` and `record` of a route: what they come to, and every mistake at its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepdown.decide import shadow_spec as spec
from stepdown.decide.inputs import lists_of
from stepdown.decide.when import EVERYONE, FieldIs, FlagIs, InSegment, Percent
from stepdown.recordings import compression
from tests.kit.configuration import GOOD, Folder, changed

LINE = GOOD.count("\n") + 1
FLAGS = '{"flags": {"trial": {"state": "ENABLED", "variants": {"on": true}, "defaultVariant": "on", "targeting": {}}}}'
KEYLESS = ("    key: [{header: x-user-id}, {cookie: uid}]\n", "")
SOLE_OLD = (
    '      - {name: beta, when: {header: {x-plan: beta}}, split: {"2.0.0": 100}}\n'
    '      - {name: everyone, split: {"1.1.0": 95, "2.0.0": 5}}\n',
    '      - {name: everyone, split: {"1.1.0": 1}}\n',
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def shadowed(*shadows: str, text: str = GOOD) -> str:
    """The worked example with these shadows."""
    return f"{text}    shadow:\n" + "".join(f"      - {{{one}}}\n" for one in shadows)


def recorded(record: str, text: str = GOOD) -> str:
    return f"{text}    record: {{{record}}}\n"


def test_a_route_copies_nothing_unless_the_file_says_so(folder: Folder) -> None:
    (route,) = folder.load(GOOD).spec.routes
    assert (route.shadows, route.record) == ((), None)


def test_a_version_alone_is_a_shadow_with_all_defaults(folder: Folder) -> None:
    (route,) = folder.load(shadowed('version: "v2.0.0"')).spec.routes
    assert route.shadows == (spec.Shadow(name="2.0.0", version="2.0.0", salt="shadow:churn/2.0.0"),)
    assert route.shadows[0].remove_headers == ("authorization", "cookie", "proxy-authorization", "x-api-key")


@pytest.mark.parametrize("written", ['"2.0.0"', '["2.0.0"]', '{version: "2.0.0"}', '[{version: "2.0.0"}]'])
def test_one_shadow_needs_no_list_and_a_version_alone_no_mapping(written: str, folder: Folder) -> None:
    (route,) = folder.load(f"{GOOD}    shadow: {written}\n").spec.routes
    assert [shadow.version for shadow in route.shadows] == ["2.0.0"]


def test_what_is_wrong_with_the_only_shadow_is_found_without_a_list(folder: Folder) -> None:
    folder.write("ids.txt", "u1\n")
    wrong = 'version: "2.0.0", headers: {set: {x: {env: NONE}}}, host: ""'
    assert folder.refusal(f"{GOOD}    shadow: {{{wrong}}}\n") == [
        f"stepdown.yaml:{LINE}:57: routes.churn.shadow.headers.set.x.env: the environment variable NONE is not set; "
        "allowed a variable that is set",
        f'stepdown.yaml:{LINE}:72: routes.churn.shadow.host: found ""; allowed keep, endpoint, or a host',
    ]
    loaded = folder.load(
        f'{GOOD}    shadow: {{version: "2.0.0", compare: {{ignore: /id}}, when: {{key_in: ids.txt}}}}\n'
    )
    assert loaded.spec.routes[0].shadows[0].compare.ignore == ("/id",)
    assert len(lists_of(loaded.spec)) == 1


def test_every_key_of_a_shadow_arrives(folder: Folder) -> None:
    text = shadowed(
        'name: next, version: "2.0.0", percent: 12.5, per: key, salt: s, rate: 50, concurrent: 8, max_body: 64KiB, '
        "deadline: 500ms, host: endpoint, noise: 10, "
        "headers: {set: {X-Mark: yes please, x-token: {env: TOKEN}}, remove: [Cookie]}, "
        "compare: {ignore: [/id], tolerance: [{path: /scores, absolute: 0.1, relative: 0.01}], "
        "unordered: [/tags, {path: /rows, key: id}], top: [{path: /ranked, k: 3, key: id, agree: 80%}], "
        'text: [{path: "/choices/*/text", similar: 0.9}], labels: ["/outputs/[name=label]/data/0"], events: 20%}, '
        "examples: {keep: 5, bodies: true, redact: [/user]}"
    )
    (route,) = folder.load(text, environ={"TOKEN": "secret"}).spec.routes
    assert route.shadows == (
        spec.Shadow(
            name="next",
            version="2.0.0",
            percent=12.5,
            per="key",
            salt="s",
            rate=50,
            concurrent=8,
            max_body=65536,
            deadline=0.5,
            host="endpoint",
            noise=10,
            set_headers=(("X-Mark", "yes please"), ("x-token", "secret")),
            remove_headers=("cookie",),
            compare=spec.Comparing(
                ignore=("/id",),
                tolerances=(spec.Tolerance("/scores", 0.1, 0.01),),
                unordered=(spec.Unordered("/tags"), spec.Unordered("/rows", "id")),
                top=(spec.TopK("/ranked", 3, "id", 0.8),),
                text=(spec.Text("/choices/*/text", 0.9),),
                labels=("/outputs/[name=label]/data/0",),
                events=0.2,
            ),
            examples=spec.Examples(keep=5, bodies=True, redact=("/user",)),
        ),
    )
    assert "secret" not in repr(route)


def test_a_list_of_ones_own_replaces_the_fields_that_are_stripped(folder: Folder) -> None:
    (route,) = folder.load(shadowed('version: "2.0.0", headers: {remove: []}')).spec.routes
    assert route.shadows[0].remove_headers == ()


def test_every_key_of_a_recording_arrives(folder: Folder) -> None:
    (folder.path / "kept").mkdir()
    text = recorded(
        "folder: kept, sample: 5%, when: {header: {x-plan: beta}}, max_size: 1MiB, keep: 2, max_body: 0, "
        "headers: [X-Trace], redact: [/user/name]"
    )
    (route,) = folder.load(text).spec.routes
    assert route.record == spec.Recording(
        sample=0.05,
        folder=str(folder.path / "kept"),
        when=FieldIs(source="header", name="x-plan", equals="beta"),
        max_size=2**20,
        keep=2,
        max_body=0,
        headers=("x-trace",),
        redact=("/user/name",),
    )
    assert folder.load(recorded("folder: kept")).spec.routes[0].record == spec.Recording(
        sample=0.01, folder=str(folder.path / "kept"), when=EVERYONE
    )


@pytest.mark.parametrize("percent", ["0", "100", "0.001"])
def test_the_bounds_of_a_percentage_are_percentages(percent: str, folder: Folder) -> None:
    (route,) = folder.load(shadowed(f'version: "2.0.0", percent: {percent}')).spec.routes
    assert route.shadows[0].percent == float(percent)


PERCENT = "allowed a number from 0 to 100: 20 is every fifth"
PATH = "allowed a path such as /outputs/0/data, /rows/*/id or /outputs/[name=score]/data"

# what is written of the shadow: (key, message)
MISTAKES: dict[str, tuple[str, str]] = {
    'version: "9.0.0"': (
        "version",
        'found "9.0.0"; allowed a declared version: "1.0.0", "1.1.0", "2.0.0"; did you mean "2.0.0"?',
    ),
    'version: "1.0.0"': (
        "version",
        'found "1.0.0", which has no endpoints; allowed a version that servers run: "1.1.0", "2.0.0"',
    ),
    'version: "2.0.0", name: warm-up': (
        "name",
        'found "warm-up", which is the name of shadows that switches make; allowed another name',
    ),
    'version: "2.0.0", percent: -1': ("percent", f"found the number -1; {PERCENT}"),
    'version: "2.0.0", percent: 101': ("percent", f"found the number 101; {PERCENT}"),
    'version: "2.0.0", percent: .nan': ("percent", f'found ".nan"; {PERCENT}'),
    'version: "2.0.0", percent: 20%': ("percent", f'found "20%"; {PERCENT}'),
    'version: "2.0.0", noise: 101': ("noise", f"found the number 101; {PERCENT}"),
    'version: "2.0.0", per: user': ("per", 'found "user"; allowed request or key'),
    'version: "2.0.0", rate: -1': ("rate", "found the number -1; allowed a number from 0 on"),
    'version: "2.0.0", concurrent: 0': ("concurrent", "found the number 0; allowed a number from 1 on"),
    'version: "2.0.0", max_body: 3MiB': ("max_body", 'found "3MiB"; allowed a number up to 2097152'),
    'version: "2.0.0", deadline: 0': ("deadline", "found the number 0; allowed more than 0"),
    'version: "2.0.0", host: "a b"': ("host", 'found "a b"; allowed keep, endpoint, or a host'),
    'version: "2.0.0", headers: {set: {Host: a}}': (
        "headers.set.Host",
        'found "Host"; allowed a header that the proxy does not manage itself (for Host, use host)',
    ),
    'version: "2.0.0", headers: {set: {x-a: {env: NONE}}}': (
        "headers.set.x-a.env",
        "the environment variable NONE is not set; allowed a variable that is set",
    ),
    'version: "2.0.0", when: {segment: bate}': (
        "when.segment",
        'found "bate"; allowed one of segments: there are none',
    ),
    'version: "2.0.0", when: {flag: trial}': (
        "when.flag.trial",
        'found "trial", and no flags; allowed `flags: {file: FILE}`, which has it',
    ),
    'version: "2.0.0", when: {param: {tenant: a}}': (
        "when",
        "found param tenant, which the path of the route churn does not have; allowed a {name} of its path: "
        "it has none",
    ),
    'version: "2.0.0", when: {key_in: none.txt}': (
        "when.key_in",
        "the file none.txt does not exist; allowed a file with one id a line",
    ),
    'version: "2.0.0", compare: {ignore: [id]}': (
        "compare.ignore[0]",
        f"found no path: a path starts with / (or is empty, for the whole document): write /id; {PATH}",
    ),
    'version: "2.0.0", compare: {ignore: [""]}': (
        "compare.ignore[0]",
        "found the whole document; allowed a path below the whole document",
    ),
    'version: "2.0.0", compare: {ignore: [/a, /a]}': (
        "compare.ignore[1]",
        'found the path "/a" a second time; allowed each path once',
    ),
    'version: "2.0.0", compare: {labels: ["/[x]"]}': (
        "compare.labels[0]",
        "found no path: at character 2: a bracket holds [member=value]; a member whose name starts with [ is written "
        f"~3; {PATH}",
    ),
    'version: "2.0.0", compare: {tolerance: [{path: /a}]}': (
        "compare.tolerance[0]",
        "found a tolerance that allows nothing; allowed absolute or relative above 0",
    ),
    'version: "2.0.0", compare: {tolerance: [{path: /a, absolute: -1}]}': (
        "compare.tolerance[0].absolute",
        "found the number -1; allowed a number from 0 on",
    ),
    'version: "2.0.0", compare: {tolerance: [{path: /a, absolute: .inf}]}': (
        "compare.tolerance[0].absolute",
        'found ".inf"; allowed a number',
    ),
    'version: "2.0.0", compare: {tolerance: [{path: /a, absolute: 1}, {path: /a, relative: 1}]}': (
        "compare.tolerance[1].path",
        'found the path "/a" a second time; allowed each path once',
    ),
    'version: "2.0.0", compare: {top: [{path: /a, k: 0}]}': (
        "compare.top[0].k",
        "found the number 0; allowed a number from 1 on",
    ),
    'version: "2.0.0", compare: {top: [{path: /a}]}': (
        "compare.top[0]",
        'found no "k"; allowed how many from the front count',
    ),
    'version: "2.0.0", compare: {unordered: [{path: /a, key: /id}]}': (
        "compare.unordered[0].key",
        'found the path "/id"; allowed the name of a member, such as id',
    ),
    'version: "2.0.0", compare: {top: [{path: /a, k: 3, key: /id}]}': (
        "compare.top[0].key",
        'found the path "/id"; allowed the name of a member, such as id',
    ),
    'version: "2.0.0", compare: {text: [{path: /a, similar: 1.5}]}': (
        "compare.text[0].similar",
        "found the number 1.5; allowed a percentage such as 20%, or a share from 0 to 1",
    ),
    'version: "2.0.0", compare: {tolerence: []}': (
        "compare.tolerence",
        'found the unknown key "tolerence"; allowed ignore, tolerance, unordered, top, text, labels, events; '
        'did you mean "tolerance"?',
    ),
    'version: "2.0.0", examples: {keep: -1}': ("examples.keep", "found the number -1; allowed a number from 0 on"),
}


@pytest.mark.parametrize("written", MISTAKES)
def test_a_mistake_has_one_message_at_its_place(written: str, folder: Folder) -> None:
    key, message = MISTAKES[written]
    (found,) = folder.refusal(shadowed(written))
    place, _, said = found.partition(": ")
    assert place.startswith(f"stepdown.yaml:{LINE + 1}:")
    assert said == f"routes.churn.shadow[0].{key}: {message}"


def test_a_shadow_has_to_say_which_version_it_is_a_copy_for(folder: Folder) -> None:
    assert folder.refusal(shadowed("percent: 5")) == [
        f'stepdown.yaml:{LINE + 1}:9: routes.churn.shadow[0]: found no "version"; allowed the version; it has '
        "endpoints, and no rule has to name it"
    ]


def test_two_shadows_of_one_version_need_names(folder: Folder) -> None:
    assert folder.refusal(shadowed('version: "2.0.0"', 'version: "v2.0.0", percent: 5')) == [
        f'stepdown.yaml:{LINE + 2}:19: routes.churn.shadow[1].version: found the name "2.0.0" a second time; '
        "allowed a `name` of its own for each"
    ]
    assert folder.warnings(shadowed('version: "2.0.0"', 'version: "2.0.0", name: few, percent: 5')) == []
    assert folder.refusal(shadowed('version: "2.0.0", name: a', 'version: "1.1.0", name: a'))[0].startswith(
        f'stepdown.yaml:{LINE + 2}:34: routes.churn.shadow[1].name: found the name "a" a second time'
    )


def test_a_share_of_keys_needs_a_key(folder: Folder) -> None:
    text = shadowed('version: "2.0.0", per: key', text=changed(KEYLESS))
    assert folder.refusal(text) == [
        f"stepdown.yaml:{LINE}:33: routes.churn.shadow[0].per: found per: key, and the route churn has no key; "
        "allowed it on a route with a key: where a request says whose it is"
    ]
    by_condition = shadowed('version: "2.0.0", when: {percent: 5%}', text=changed(KEYLESS))
    assert "found percent or key_in, and the route churn has no key" in folder.refusal(by_condition)[0]


def test_noise_asks_the_served_version_twice_which_its_model_has_to_bear(folder: Folder) -> None:
    text = shadowed('version: "2.0.0", noise: 10', text=changed(("    repeatable: true\n", "")))
    assert folder.refusal(text) == [
        f"stepdown.yaml:{LINE}:35: routes.churn.shadow[0].noise: found noise: the served version would be asked twice, "
        "and its model is not repeatable; allowed noise with models.churn.repeatable: true, which says that a call has "
        "no side effects"
    ]


def test_what_means_nothing_is_doubtful(folder: Folder) -> None:
    assert folder.warnings(shadowed('version: "2.0.0", percent: 0, noise: 5, salt: x')) == [
        f"stepdown.yaml:{LINE + 1}:40: warning: routes.churn.shadow[0].noise: found noise for a shadow that gets no "
        "copies; allowed a percent above 0",
        f"stepdown.yaml:{LINE + 1}:50: warning: routes.churn.shadow[0].salt: found a salt that seeds nothing; allowed "
        "it together with per: key",
    ]


def test_a_clients_address_needs_trusted_hops_here_too(folder: Folder) -> None:
    (found,) = folder.refusal(shadowed('version: "2.0.0", when: {client: [10.0.0.0/8]}'))
    assert f"stepdown.yaml:{LINE + 1}:28: routes.churn.shadow[0].when: found client without trusted_hops" in found


# --- recordings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("folder: none", 'record.folder: found "none", which is not there; allowed a folder that is there'),
        (
            "folder: stepdown.yaml",
            'record.folder: found "stepdown.yaml", which is a file; allowed a folder that is there',
        ),
        ("folder: ., sample: 0", "record.sample: found the number 0; allowed more than 0"),
        (
            "folder: ., sample: 1.5",
            "record.sample: found the number 1.5; allowed a percentage such as 20%, or a share from 0 to 1",
        ),
        ("folder: ., keep: 0", "record.keep: found the number 0; allowed a number from 1 on"),
        ("folder: ., max_size: 1KiB", 'record.max_size: found "1KiB"; allowed a number from 65536 on'),
        ("folder: ., max_body: 1GiB", 'record.max_body: found "1GiB"; allowed a number up to 2097152'),
        ("folder: ., headers: [a b]", 'record.headers[0]: found "a b"; allowed a header name such as x-user-id'),
        (
            "folder: ., redact: [a]",
            "record.redact[0]: found no path: a path starts with / (or is empty, for the whole document): write /a; "
            f"{PATH}",
        ),
        ("folder: ., when: {segment: a}", 'record.when.segment: found "a"; allowed one of segments: there are none'),
        (
            "sample: 1",
            'record: found no "folder"; allowed folder for the files, relative to this one; it has to be there',
        ),
    ],
)
def test_a_mistake_in_a_recording_has_one_message_at_its_place(written: str, message: str, folder: Folder) -> None:
    (found,) = folder.refusal(recorded(written))
    assert found.startswith(f"stepdown.yaml:{LINE}:")
    assert found.partition(": ")[2] == f"routes.churn.{message}"


def test_a_folder_that_may_not_be_written_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "kept")  # root may write anywhere
    (folder.path / "kept").mkdir()
    (found,) = folder.refusal(recorded("folder: kept"))
    assert 'record.folder: found "kept", which may not be written; allowed a folder that may be written' in found


def test_a_recording_that_nothing_can_compress_is_refused(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "find_spec", lambda name: None)
    (found,) = folder.refusal(recorded("folder: ."))
    assert "record: the package zstandard is not installed; allowed pip install 'stepdown[recording]'" in found


# --- what counts as used --------------------------------------------------------------------------------------------


def test_a_version_that_only_a_shadow_names_is_named(folder: Folder) -> None:
    alone = changed(SOLE_OLD)
    assert any("none of its rules names 2.0.0" in one for one in folder.warnings(alone))
    assert folder.warnings(shadowed('version: "2.0.0"', text=alone)) == []


def test_a_segment_a_list_and_a_flag_that_only_copies_ask_for_are_used(folder: Folder) -> None:
    folder.write("ids.txt", "u1\n")
    folder.write("flags.json", FLAGS)
    text = shadowed('version: "2.0.0", when: {segment: some}') + "    record: {folder: ., when: {flag: trial}}\n"
    loaded = folder.load(text + "segments: {some: {key_in: ids.txt}}\nflags: {file: flags.json}\n")
    assert loaded.warnings == ()
    (route,) = loaded.spec.routes
    assert route.shadows[0].when == InSegment("some")
    assert route.record is not None
    assert isinstance(route.record.when, FlagIs)
    assert loaded.spec.flags is not None
    assert "trial" in str(loaded.spec.flags.document)
    assert len(lists_of(loaded.spec)) == 1
    own = folder.load(shadowed('version: "2.0.0", when: {key_in: ids.txt}'))
    assert lists_of(own.spec).keys() == own.key_sets().keys()
    assert len(lists_of(own.spec)) == 1


def test_a_share_in_a_condition_has_a_salt_of_its_own(folder: Folder) -> None:
    (route,) = folder.load(shadowed('version: "2.0.0", name: n, when: {percent: 5%}')).spec.routes
    assert route.shadows[0].when == Percent(0.05, "shadow:churn/n/when")


def test_the_path_of_a_shadows_endpoint_is_filled_in_by_the_route(folder: Folder) -> None:
    text = changed(SOLE_OLD, ("/v2/models/churn/versions/v2/infer, expect", '"/v2/{version}/infer", expect'))
    assert folder.load(text).spec.routes
    (found,) = folder.refusal(shadowed('version: "2.0.0"', text=text))
    assert "found {version}, which the path of the route churn does not have" in found


# --- what copies are good for ---------------------------------------------------------------------------------------


def test_clients_whose_shape_the_shadow_cannot_give_are_named_with_the_missing_adapter(folder: Folder) -> None:
    folder.write("contracts/3.0.0.json", '{"type": "object", "required": ["third"]}')
    text = changed(
        ('      "2.0.0":\n', '      "3.0.0": {schema: contracts/3.0.0.json, endpoints: [http://c:1]}\n      "2.0.0":\n')
    )
    (found,) = folder.warnings(shadowed('version: "3.0.0"', text=text))
    assert found.startswith(
        f"stepdown.yaml:{LINE + 2}:19: warning: routes.churn.shadow[0].version: compared for nobody: "
    )
    assert "3.0.0 -> 2.0.0: no adapter is declared" in found
    assert found.endswith("allowed an adapter for it in models.churn.adapters")


def test_an_older_shadow_is_not_compared_for_newer_shapes(folder: Folder) -> None:
    assert folder.warnings(shadowed('version: "1.1.0"')) == [
        f"stepdown.yaml:{LINE + 1}:19: warning: routes.churn.shadow[0].version: compared for no client of 2.0.0: it is "
        "older, and adapters step down only; allowed versions from 2.0.0 on, or an older pin"
    ]


def test_a_version_that_serves_everything_is_never_copied(folder: Folder) -> None:
    (found,) = [one for one in folder.warnings(shadowed('version: "1.1.0"', text=changed(SOLE_OLD))) if "shadow" in one]
    assert found == (
        f"stepdown.yaml:{LINE}:19: warning: routes.churn.shadow[0].version: never copied: 1.1.0 serves all requests of "
        "the route churn, and is not copied its own; allowed another version"
    )


def test_more_shadows_than_are_compared_are_warned_of(folder: Folder) -> None:
    some = [f'version: "2.0.0", name: s{number}' for number in range(spec.REPORTED)]
    assert folder.warnings(shadowed(*some)) == []
    assert folder.warnings(shadowed(*some, 'version: "2.0.0"', "version: 2.0.0, name: last")) == [
        f"stepdown.yaml:{LINE + 1 + spec.REPORTED}:9: warning: routes.churn.shadow[{spec.REPORTED}]: found "
        f"{spec.REPORTED + 2} shadows: from this one on 2 are asked, and their answers not compared; allowed "
        f"{spec.REPORTED} of which there are reports, gates and evidence of rollouts"
    ]
