"""The gate for CI: what two states of a configuration and its contracts differ in, and whether that may be published.

`facts`, `lock`, `policy`, `steps`, `rules` and `judging` are pure: they take facts, a policy and a date, and give
findings. `base` (git), `reading` and `policy_file` bring the facts in; `report` writes the outcome down.
"""
