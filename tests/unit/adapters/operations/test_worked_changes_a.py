"""Changes that model servers and APIs really make, stepped down: labels, shapes, names, texts, times and envelopes.

Each document is what the newer version answers (or an older client sends), and what comes out is what the older
version answered (or the newer one reads); `both` holds the reference interpreter and the compiled chain together.
"""

import json
from typing import Any

import pytest

from stepdown_adapters.operations import is_lossless, parse
from tests.kit.adapters import REFUSED, both, refusal


def test_a_finer_label_set_is_mapped_to_the_coarse_one_and_its_scores_are_summed() -> None:
    # A sentiment model went from three labels to five (text-classification pipelines answer [{label, score}]).
    operations = [
        {
            "map_values": {
                "path": "/*/label",
                "table": {
                    "very negative": "NEGATIVE",
                    "negative": "NEGATIVE",
                    "neutral": "NEUTRAL",
                    "positive": "POSITIVE",
                    "very positive": "POSITIVE",
                },
                "on_unmapped": "fail",
            }
        },
        {"group": {"path": "", "by": "/label", "sum": "/score"}},
        {"sort_by": {"path": "", "by": "/score", "order": "descending"}},
    ]
    document = [
        {"label": "negative", "score": 0.125},
        {"label": "very positive", "score": 0.5},
        {"label": "positive", "score": 0.25},
        {"label": "neutral", "score": 0.125},
        {"label": "very negative", "score": 0.0},
    ]
    assert both(operations, document) == [
        {"label": "POSITIVE", "score": 0.75},
        {"label": "NEGATIVE", "score": 0.125},
        {"label": "NEUTRAL", "score": 0.125},
    ]
    assert both(operations, [{"label": "mixed", "score": 1.0}]) is REFUSED


def test_a_label_that_the_old_set_never_had_is_a_declared_default_or_goes() -> None:
    table = {"cat": "animal", "dog": "animal"}
    document = {"labels": ["cat", "zebra"]}
    mapped = {"path": "/labels/*", "table": table}
    assert both([{"map_values": {**mapped, "default": "other"}}], document) == {"labels": ["animal", "other"]}
    assert both([{"map_values": {**mapped, "on_unmapped": "remove"}}], document) == {"labels": ["animal"]}
    assert both([{"map_values": mapped}], document) is REFUSED


def test_scores_by_label_are_merged_under_the_old_labels() -> None:
    operations = [
        {"to_entries": {"path": "/scores", "key": "label", "value": "score"}},
        {"map_values": {"path": "/scores/*/label", "table": {"spam": "bad", "phishing": "bad", "ham": "good"}}},
        {"group": {"path": "/scores", "by": "/label", "sum": "/score"}},
        {"from_entries": {"path": "/scores", "key": "label", "value": "score"}},
    ]
    document = {"id": "m-17", "scores": {"spam": 0.25, "ham": 0.5, "phishing": 0.25}}
    assert both(operations, document) == {"id": "m-17", "scores": {"bad": 0.5, "good": 0.5}}


SCORES_AS_ARRAY = {"model": "toxicity", "results": [{"category": "hate", "score": 0.02}, {"category": "self-harm",
                   "score": 0.9}]}  # fmt: skip
SCORES_AS_MAP = {"model": "toxicity", "category_scores": {"hate": 0.02, "self-harm": 0.9}}


def test_an_array_of_scores_becomes_a_map_by_category() -> None:
    operations = [
        {"from_entries": {"path": "/results", "key": "category", "value": "score"}},
        {"move": {"from": "/results", "to": "/category_scores"}},
    ]
    assert both(operations, SCORES_AS_ARRAY) == SCORES_AS_MAP
    twice = {"results": [{"category": "hate", "score": 0}, {"category": "hate", "score": 1}]}
    assert both(operations, twice) is REFUSED


def test_a_map_of_scores_becomes_an_array_in_a_declared_order() -> None:
    operations = [
        {"move": {"from": "/category_scores", "to": "/results"}},
        {"to_entries": {"path": "/results", "key": "category", "value": "score"}},
        {"sort_by": {"path": "/results", "by": "/category"}},
    ]
    backwards = {"model": "toxicity", "category_scores": {"self-harm": 0.9, "hate": 0.02}}
    assert both(operations, backwards) == SCORES_AS_ARRAY


def test_what_was_nested_is_flat_again() -> None:
    operations = [
        {"move": {"from": "/result/prediction/label", "to": "/label"}},
        {"move": {"from": "/result/prediction/confidence", "to": "/confidence"}},
        {"move": {"from": "/result/explanation", "to": "/explanation", "on_missing": "skip"}},
        {"remove": "/result"},
    ]
    document = {"id": "7", "result": {"prediction": {"label": "churn", "confidence": 0.8}, "explanation": ["age"]}}
    assert both(operations, document) == {"id": "7", "label": "churn", "confidence": 0.8, "explanation": ["age"]}


def test_a_renamed_member_has_its_old_name_and_only_that() -> None:
    operations = [{"in": "/detections/*", "do": [{"move": {"from": "/class_name", "to": "/label"}}]}]
    found = both(operations, {"detections": [{"class_name": "car", "label": "stale"}, {"class_name": "bus"}]})
    assert found == {"detections": [{"label": "car"}, {"label": "bus"}]}
    assert is_lossless(parse(operations))


def test_percent_become_shares_and_seconds_milliseconds() -> None:
    operations = [
        {"linear": {"path": "/predictions/*/probability", "scale": 0.01}},
        {"clamp": {"path": "/predictions/*/probability", "min": 0, "max": 1}},
        {"linear": {"path": "/timings/inference", "scale": 1000}},
        {"move": {"from": "/timings/inference", "to": "/inference_ms"}},
        {"remove": "/timings"},
    ]
    document = {"predictions": [{"probability": 25}, {"probability": 100.5}], "timings": {"inference": 0.125}}
    assert both(operations, document) == {
        "predictions": [{"probability": 0.25}, {"probability": 1}],
        "inference_ms": 125.0,
    }


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([0.1, 0.7, 0.2], "dog"), ([0.5, 0.5, 0.0], "cat"), ([], REFUSED), ([0.1, 0.9], REFUSED)],
    ids=str,
)
def test_many_labels_become_the_one_of_the_highest_score(scores: Any, expected: Any) -> None:
    operations = [
        {"argmax": {"path": "/scores", "labels": ["cat", "dog", "bird"]}},
        {"move": {"from": "/scores", "to": "/label"}},
    ]
    assert both(operations, {"scores": scores}) == (REFUSED if expected is REFUSED else {"label": expected})


def test_a_list_of_labels_becomes_the_best_one_and_an_empty_list_what_is_declared() -> None:
    best = [{"top_k": {"path": "/labels", "k": 1, "by": "/score"}}]
    single = [{"head": "/labels"}, {"move": {"from": "/labels/name", "to": "/label"}}, {"remove": "/labels"}]
    document = {"labels": [{"name": "a", "score": 0.2}, {"name": "b", "score": 0.6}]}
    assert both([*best, *single], document) == {"label": "b"}
    assert both([*best, *single], {"labels": []}) is REFUSED
    counted = [{"count": {"from": "/labels", "to": "/n"}}]
    none = [{"replace": {"path": "/labels", "value": {"name": "unknown"}}}, *single[1:]]
    cases = [*counted, *best, {"case": {"path": "/n", "when": {"0": none}, "otherwise": single}}, {"remove": "/n"}]
    assert both(cases, {"labels": []}) == {"label": "unknown"}
    assert both(cases, document) == {"label": "b"}


def test_token_usage_has_its_old_names_and_a_total() -> None:
    # The Responses API's `usage` to the one of Chat Completions.
    operations = [
        {
            "in": "/usage",
            "do": [
                {"move": {"from": "/input_tokens", "to": "/prompt_tokens"}},
                {"move": {"from": "/output_tokens", "to": "/completion_tokens"}},
                {"sum": {"from": ["/prompt_tokens", "/completion_tokens"], "to": "/total_tokens"}},
                {"remove": "/input_tokens_details"},
                {"remove": "/output_tokens_details"},
            ],
        }
    ]
    document = {
        "id": "resp_67ccd2bed1ec8190b14f964abc054267",
        "object": "response",
        "usage": {
            "input_tokens": 36,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 87,
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }
    assert both(operations, document) == {
        "id": "resp_67ccd2bed1ec8190b14f964abc054267",
        "object": "response",
        "usage": {"prompt_tokens": 36, "completion_tokens": 87, "total_tokens": 123},
    }
    # An answer that was cut short has a usage all the same; one without is not made up.
    assert both(operations, {"id": "x", "usage": None}) is REFUSED


CALL = {"name": "get_weather", "arguments": '{"location":"Paris"}'}


def chat(message: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": None, **message}, "finish_reason": reason}
    return {"id": "chatcmpl-abc123", "object": "chat.completion", "created": 1699896916, "choices": [choice]}


def test_tool_calls_become_the_one_function_call_that_old_clients_know() -> None:
    operations = [
        {
            "in": "/choices/*",
            "do": [
                {
                    "refuse": {
                        "reason": "an older client can be told of one call only",
                        "when": {"path": "/message/tool_calls/1", "exists": True},
                    }
                },
                {"head": {"path": "/message/tool_calls", "on_missing": "skip"}},
                {
                    "move": {
                        "from": "/message/tool_calls/function",
                        "to": "/message/function_call",
                        "on_missing": "skip",
                    }
                },
                {"remove": "/message/tool_calls"},
                {
                    "map_values": {
                        "path": "/finish_reason",
                        "table": {"tool_calls": "function_call", "stop": "stop", "length": "length"},
                    }
                },
            ],
        }
    ]
    call = {"id": "call_abc123", "type": "function", "function": CALL}
    document = chat({"tool_calls": [call]}, "tool_calls")
    assert both(operations, document) == chat({"function_call": CALL}, "function_call")
    assert both(operations, chat({"content": "hello"})) == chat({"content": "hello"})
    several = chat({"tool_calls": [call, call]}, "tool_calls")
    assert both(operations, several) is REFUSED
    error = refusal(operations, json.dumps(several).encode())
    assert error.sentence == "an older client can be told of one call only"


def test_content_parts_become_one_text_and_other_parts_are_declared() -> None:
    parts = [
        {"type": "output_text", "text": "The cat ", "annotations": []},
        {"type": "output_text", "text": "sat.", "annotations": []},
    ]
    text_only = [
        {"filter": {"path": "/content", "where": {"path": "/type", "equals": "output_text"}}},
        {"format": {"path": "/content/*", "template": "{text}"}},
        {"join": "/content"},
    ]
    document = {"role": "assistant", "content": parts}
    assert both(text_only, document) == {"role": "assistant", "content": "The cat sat."}
    mixed = {"role": "assistant", "content": [*parts, {"type": "refusal", "refusal": "I cannot help with that."}]}
    assert both(text_only, mixed) == {"role": "assistant", "content": "The cat sat."}
    shown = [
        {
            "in": "/content/*",
            "do": [
                {
                    "case": {
                        "path": "/type",
                        "when": {
                            "output_text": [{"format": {"path": "", "template": "{text}"}}],
                            "refusal": [{"format": {"path": "", "template": " [refused: {refusal}]"}}],
                        },
                    }
                }
            ],
        },
        {"join": "/content"},
    ]
    assert both(shown, mixed)["content"] == "The cat sat. [refused: I cannot help with that.]"
    image = {"role": "assistant", "content": [{"type": "image", "image_url": "..."}]}
    assert both(shown, image) is REFUSED


@pytest.mark.parametrize(
    ("newer", "expected"),
    [
        ({"status": "completed"}, "stop"),
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, "length"),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, "content_filter"),
        ({"status": "incomplete", "incomplete_details": {"reason": "something new"}}, "stop"),
        ({"status": "in_progress"}, REFUSED),
    ],
    ids=str,
)
def test_a_status_becomes_the_finish_reason_of_old_clients(newer: Any, expected: Any) -> None:
    reasons = {"max_output_tokens": "length", "content_filter": "content_filter"}
    operations = [
        {
            "case": {
                "path": "/status",
                "when": {
                    "completed": [{"add": {"path": "/finish_reason", "value": "stop"}}],
                    "incomplete": [
                        {"move": {"from": "/incomplete_details/reason", "to": "/finish_reason"}},
                        {"map_values": {"path": "/finish_reason", "table": reasons, "default": "stop"}},
                    ],
                },
            }
        },
        {"project": {"keep": ["finish_reason"]}},
    ]
    assert both(operations, newer) == (REFUSED if expected is REFUSED else {"finish_reason": expected})


def test_language_codes_of_three_letters_and_tags_become_two_letters() -> None:
    table = {"eng": "en", "deu": "de", "zho": "zh", "pt-BR": "pt", "zh-Hans": "zh", "en": "en"}
    operations = [
        {"map_values": {"path": "/segments/*/language", "table": table, "on_unmapped": "fail"}},
        {"map_values": {"path": "/detected/*", "table": table, "on_unmapped": "remove"}},
        {"unique": "/detected"},
    ]
    document = {"segments": [{"language": "eng"}, {"language": "pt-BR"}], "detected": ["zho", "zh-Hans", "tlh", "en"]}
    assert both(operations, document) == {
        "segments": [{"language": "en"}, {"language": "pt"}],
        "detected": ["zh", "en"],
    }
    assert both(operations, {"segments": [{"language": "tlh"}], "detected": []}) is REFUSED


def test_timestamps_become_epoch_seconds_and_back() -> None:
    down = [{"format_time": {"path": "/created_at", "from": "rfc3339", "to": "s", "on_finer": "cut"}},
            {"move": {"from": "/created_at", "to": "/created"}}]  # fmt: skip
    newer = {"id": "chatcmpl-abc123", "created_at": "2023-11-13T18:35:16.250+01:00"}
    older = {"id": "chatcmpl-abc123", "created": 1699896916}
    assert both(down, newer) == older
    up = [{"move": {"from": "/created", "to": "/created_at"}},
          {"format_time": {"path": "/created_at", "from": "s", "to": "rfc3339"}}]  # fmt: skip
    assert both(up, older) == {"id": "chatcmpl-abc123", "created_at": "2023-11-13T17:35:16Z"}


def test_an_object_becomes_the_batch_of_one_that_old_clients_read() -> None:
    # A pipeline's answer to one input: a list of results, later the one result.
    assert both([{"wrap": ""}], {"label": "POSITIVE", "score": 0.99}) == [{"label": "POSITIVE", "score": 0.99}]
    enveloped = [{"wrap": ""}, {"wrap": {"path": "", "as": "predictions"}}]
    assert both(enveloped, {"label": "POSITIVE", "score": 0.99}) == {
        "predictions": [{"label": "POSITIVE", "score": 0.99}]
    }


def test_a_batch_of_one_becomes_its_only_result_and_rows_are_stepped_down_each() -> None:
    operations = [
        {"in": "/predictions/*", "do": [{"move": {"from": "/class", "to": "/label"}}]},
        {"head": "/predictions"},
        {"move": {"from": "/predictions", "to": "/prediction"}},
    ]
    assert both(operations, {"predictions": [{"class": "churn"}]}) == {"prediction": {"label": "churn"}}
    assert both(operations, {"predictions": [{"class": "churn"}, {"class": "stay"}]}) is REFUSED
    assert both(operations, {"predictions": []}) is REFUSED


def test_log_probabilities_of_chat_become_those_of_completions() -> None:
    # Chat: an object for each token; completions: parallel arrays, and the alternatives as one map for each token.
    operations = [
        {
            "in": "/choices/*/logprobs",
            "do": [
                {
                    "in": "/content/*",
                    "do": [
                        {"project": {"keep": ["token", "logprob", "top_logprobs"]}},
                        {"in": "/top_logprobs/*", "do": [{"project": {"keep": ["token", "logprob"]}}]},
                        {"unique": {"path": "/top_logprobs", "by": "/token"}},
                        {"from_entries": {"path": "/top_logprobs", "key": "token", "value": "logprob"}},
                    ],
                },
                {
                    "unzip": {
                        "from": "/content",
                        "to": {"token": "/tokens", "logprob": "/token_logprobs", "top_logprobs": "/top_logprobs"},
                    }
                },
            ],
        }
    ]
    top = [
        {"token": "Hello", "logprob": -0.3, "bytes": [72, 101, 108, 108, 111]},
        {"token": "Hi", "logprob": -1.5, "bytes": [72, 105]},
    ]
    content = [
        {"token": "Hello", "logprob": -0.3, "bytes": [72, 101, 108, 108, 111], "top_logprobs": top},
        {"token": "!", "logprob": -0.02, "bytes": [33], "top_logprobs": []},
    ]
    document = {"choices": [{"index": 0, "logprobs": {"content": content}}]}
    assert both(operations, document) == {
        "choices": [
            {
                "index": 0,
                "logprobs": {
                    "tokens": ["Hello", "!"],
                    "token_logprobs": [-0.3, -0.02],
                    "top_logprobs": [{"Hello": -0.3, "Hi": -1.5}, {}],
                },
            }
        ]
    }
