"""The old application: openai-python and text completions, of which it knows nothing newer. `client.py URL PROMPT...`

Each prompt is asked twice, for a stream and for a document. `--trial` puts the application into the trial;
`--logprobs` asks for what chats say in another form. `--json` prints all that it has read, a line for each prompt.
"""

import argparse
import json

import openai


def ask(client, prompt, more):
    """What the application reads of one prompt."""
    given = {"model": "assistant", "prompt": prompt, "max_tokens": 12, "temperature": 0, **more}
    found = {"prompt": prompt, "pieces": [], "error": ""}
    try:
        raw = client.completions.with_raw_response.create(stream=True, **given)
        found["served"] = raw.headers.get("x-model-served")
        for event in raw.parse():
            found["pieces"] += [choice.text for choice in event.choices]
            found["object"] = event.object
            found["finish"] = next((choice.finish_reason for choice in event.choices), None)
        found["text"] = client.completions.create(**given).choices[0].text
    except Exception as error:  # the library's own, and where a stream breaks that of what it reads with
        found["error"] = f"{type(error).__name__}: {error}"
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("prompts", nargs="+", metavar="PROMPT")
    parser.add_argument("--trial", action="store_true")
    parser.add_argument("--logprobs", action="store_true")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    headers = {"x-trial": "yes"} if given.trial else {}
    client = openai.OpenAI(base_url=given.url, api_key="none", timeout=60, default_headers=headers)
    for prompt in given.prompts:
        found = ask(client, prompt, {"logprobs": 1} if given.logprobs else {})
        print(
            json.dumps(found) if given.json else found["error"] or "|".join(filter(None, found["pieces"])), flush=True
        )


if __name__ == "__main__":
    main()
