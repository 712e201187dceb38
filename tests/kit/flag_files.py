"""Made-up flag files and contexts: every operator, with arguments that are right, odd, too few, too many and wrong."""

from __future__ import annotations

from random import Random
from typing import Any

Json = Any

VARIANTS: dict[str, Json] = {"red": "#f00", "blue": "#00f", "green": "#0f0", "true": "yes", "false": "no", "1": "one"}

PATHS = [
    "targetingKey", "email", "plan", "age", "version", "beta", "user.plan", "user.address.city", "tags", "tags.0",
    "tags.length", "score", "list", "nested.0.name", "absent", "$flagd.flagKey", "user", "email.1", "tags.01",
]  # fmt: skip
"""What targeting reads. No path depends on the time, so that two engines can be asked one after the other."""

TEXTS = [
    "",
    "a",
    "beta",
    "free",
    "jon@company.com",
    "1",
    "2.0",
    "v1.2",
    "10",
    "true",
    "null",
    "ünï",
    "nan",
    "Inf",
    " 7 ",
]
VERSIONS = [
    "1.0.0",
    "v1.0.0",
    "V2.1",
    "1",
    "1.2.3-alpha.1",
    "1.2.3-alpha.beta",
    "1.2.3+build",
    "2.0.0.0",
    "x",
    "01.2.3",
    "",
]
COMPARISONS = ["=", "!=", "<", "<=", ">", ">=", "^", "~", "===", "", 1]
NUMBERS: list[Json] = [0, 1, -1, 2, 3.5, 50, 100, 1.0, -0.5, 1e21, 0.1, 2147483647]
ITEM_PATHS = ["", "name", "current", "accumulator", "current.name", "targetingKey", "0"]


class FlagMaker:
    """Makes expressions out of a seeded generator of random numbers."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.in_item = 0

    def flag(self, depth: int = 4) -> Json:
        """One flag that flagd accepts."""
        flag: dict[str, Json] = {"state": "ENABLED", "variants": VARIANTS, "targeting": self.targeting(depth)}
        if self.random.random() < 0.8:
            flag["defaultVariant"] = self.random.choice(["red", "blue", None, "", True])
        if self.random.random() < 0.03:
            flag["state"] = "DISABLED"
        return flag

    def fractional_flag(self) -> Json:
        """A flag that every generation reads alike but for the hashing."""
        names = self.random.sample(["red", "blue", "green"], self.random.randint(1, 3))
        entries: list[Json] = [[name, self.random.choice([0, 1, 5, 25, 50, 100, 333])] for name in names]
        if self.random.random() < 0.3:
            entries = [[name] for name in names]
        keys: list[Json] = [[], [{"var": "email"}], [{"cat": [{"var": "$flagd.flagKey"}, {"var": "targetingKey"}]}]]
        key = self.random.choice(keys)
        targeting: Json = {"fractional": [*key, *entries]}
        if self.random.random() < 0.3:
            targeting = {"if": [{"in": [{"var": "plan"}, ["free", "beta"]]}, targeting]}
        return {"state": "ENABLED", "variants": VARIANTS, "defaultVariant": "true", "targeting": targeting}

    def targeting(self, depth: int) -> Json:
        """An operator that mostly makes a variant's name."""
        kind = self.random.randrange(10)
        if kind < 2:
            return {"fractional": self.fractions(depth)}
        if kind == 2:
            return self.operation(depth)
        if kind == 3:
            return {"!": self.expression(depth - 1)}  # which makes a variant's name of anything
        pairs = [
            self.variant(depth) if at % 2 else self.expression(depth - 1) for at in range(self.random.randint(1, 7))
        ]
        return {self.random.choice(["if", "if", "?:"]): pairs}

    def variant(self, depth: int) -> Json:
        if self.random.random() < 0.8:
            return self.random.choice([*VARIANTS, *VARIANTS, True, False, None, 1, 1.0, "unknown"])
        return {"fractional": self.fractions(depth)} if self.random.random() < 0.6 else self.expression(depth - 1)

    def fractions(self, depth: int) -> Json:
        """Arguments of `fractional`: with a key or without, a weight now and then wrong."""
        entries: list[Json] = []
        for _ in range(self.random.randint(0, 5)):
            entry = [self.variant(1) if self.random.random() < 0.2 else self.random.choice(list(VARIANTS))]
            weight = self.random.choice([None, None, 1, 10, 25, 50, 50, 100, 0, 0, -5, 10.0, 2147483647, "5", True])
            if weight is not None:
                entry.append(weight if self.random.random() < 0.95 else self.expression(1))
            entries.append(entry if self.random.random() < 0.97 else self.expression(1))
        if self.random.random() < 0.6:
            key = [{"var": "email"}, {"cat": [{"var": "$flagd.flagKey"}, {"var": "email"}]}, {"var": "targetingKey"}]
            entries.insert(0, self.random.choice(key) if self.random.random() < 0.9 else self.expression(1))
        return entries

    def expression(self, depth: int) -> Json:
        """Anything."""
        if depth <= 0 or self.random.random() < 0.25:
            return self.leaf()
        if self.random.random() < 0.06:
            return [self.expression(depth - 1) for _ in range(self.random.randint(0, 3))]
        return self.operation(depth)

    def leaf(self) -> Json:
        kind = self.random.randrange(10)
        if kind < 5:
            return self.variable()
        if kind < 7:
            return self.random.choice(TEXTS)
        if kind < 8:
            return self.random.choice(NUMBERS)
        return self.random.choice([True, False, None, [], {}, {"a": 1, "b": 2}, ["a", "beta"], [1], ["10"]])

    def variable(self) -> Json:
        path = self.random.choice(ITEM_PATHS if self.in_item and self.random.random() < 0.8 else PATHS)
        kind = self.random.randrange(12)
        if kind == 0:
            return {"var": [path, self.random.choice([None, "default", 0, []])]}
        if kind == 1:
            return {"var": [path]}
        if kind == 2 and self.in_item:
            return {"var": self.random.choice([0, 1, None, 0.5, [], True])}
        if kind == 3:
            return {
                "var": [self.random.choice(["email", "tags", 0, True, {"a": 1}]), self.expression(1), {"var": "age"}]
            }
        return {"var": path}

    def operation(self, depth: int) -> Json:
        """One operator, with a number of arguments that it mostly takes."""
        operator, fewest, most = self.random.choice(OPERATORS)
        if operator == "fractional":
            return {operator: self.fractions(depth)}
        if operator == "sem_ver" and self.random.random() < 0.8:
            left = self.random.choice([{"var": "version"}, self.random.choice(VERSIONS)])
            return {operator: [left, self.random.choice(COMPARISONS), self.random.choice([*VERSIONS, *NUMBERS])]}
        if operator in ("map", "filter", "reduce", "all", "some", "none"):
            return self.iteration(operator, depth)
        if operator == "log" and self.in_item:
            # The engine writes it as JSON, and fails on an accumulator that contains itself; Stepdown writes nothing.
            return {operator: {"var": "name"}}
        if operator.startswith("missing"):
            return self.missing(operator, depth)
        count = self.random.randint(fewest, most)
        arguments = [self.expression(depth - 1) for _ in range(count)]
        # A single argument may stand without its list.
        if count == 1 and not isinstance(arguments[0], list) and self.random.random() < 0.5:
            return {operator: arguments[0]}
        return {operator: arguments}

    def missing(self, operator: str, depth: int) -> Json:
        keys = self.random.sample(PATHS, self.random.randint(0, 4))
        if operator == "missing_some":
            some = keys if self.random.random() < 0.8 else self.expression(depth - 1)
            return {operator: [self.random.choice([0, 1, 2, "1", None]), some][: self.random.choice([2, 2, 2, 1])]}
        return {operator: self.random.choice([keys, [keys], {"merge": [keys, "more"]}, {"var": "tags"}])}

    def iteration(self, operator: str, depth: int) -> Json:
        items = self.random.choice([{"var": "list"}, {"var": "tags"}, {"var": "nested"}, self.expression(depth - 1)])
        self.in_item += 1
        inner = self.expression(depth - 1)
        self.in_item -= 1
        arguments = [items, inner, self.random.choice([0, "", None, [], 1])]
        count = self.random.choice([3, 3, 3, 2, 1, 0] if operator == "reduce" else [2, 2, 2, 2, 3, 1, 0])
        return {operator: arguments[:count]}


OPERATORS = [
    ("==", 2, 2), ("==", 1, 3), ("!=", 2, 2), ("===", 2, 2), ("!==", 0, 3), ("<", 2, 3), (">", 2, 3), ("<=", 1, 3),
    (">=", 2, 4), ("!", 1, 1), ("!!", 0, 2), ("+", 0, 3), ("-", 1, 2), ("*", 1, 3), ("/", 2, 2), ("%", 2, 2),
    ("min", 0, 3), ("max", 0, 3), ("cat", 0, 4), ("substr", 1, 4), ("in", 2, 2), ("in", 0, 3), ("merge", 0, 3),
    ("log", 1, 1), ("and", 0, 3), ("or", 0, 3), ("if", 0, 5), ("missing", 0, 0), ("missing_some", 0, 0),
    ("map", 0, 0), ("filter", 0, 0), ("reduce", 0, 0), ("all", 0, 0), ("some", 0, 0), ("none", 0, 0),
    ("starts_with", 2, 2), ("ends_with", 2, 2), ("starts_with", 0, 3), ("sem_ver", 0, 4), ("fractional", 0, 0),
    ("no_such", 0, 2), ("x.var", 1, 1),
]  # fmt: skip
"""Operators with the fewest and the most arguments that they are given."""


def context(random: Random) -> dict[str, Json]:
    """What a request may say about itself: most of it plausible, some of it of another type than expected."""

    # No empty `targetingKey`: OpenFeature's client makes it none before the engine sees it.
    def some(*values: Json) -> Json:
        return random.choice(values)

    made: dict[str, Json] = {
        "targetingKey": some(None, f"user-{random.randrange(1000)}", "jon@company.com", "ünï"),
        "email": some(f"{random.randrange(1000)}@company.com", "jon@company.com", "", None, 7, True, ["red", 5]),
        "plan": some("free", "beta", "premium", None, "beta "),
        "age": some(17, 18, 42, "42", 18.0, None, -1, "x"),
        "version": some(*VERSIONS, 1, 1.2, None),
        "beta": some(True, False, None, "true", 0, 1),
        "user": some({"plan": "beta", "address": {"city": "Köln"}}, {"plan": "free"}, {}, None, "text"),
        "tags": some(["a", "beta"], [], ["beta"], "beta", None, [None, 1]),
        "score": some(0.5, 1e21, 3, "3.5", 0, -2.25),
        "list": some([1, 2, 3], [], ["1", True, None, 0.5], [[1], []]),
        "nested": some([{"name": "a", "targetingKey": "jon"}, {"name": "beta"}], [{}], [], {"0": {"name": "x"}}),
    }
    return {name: value for name, value in made.items() if random.random() < 0.9}
