"""Adapters and contracts of well-known APIs, ready to be named: `use: openai/responses-to-chat`.

They are files, in the form that a configuration has: `adapters/FAMILY/NAME.yaml` and `contracts/FAMILY/NAME.yaml`, the
latter with `NAME.request.yaml` beside it where the API's requests have a contract too.
"""
