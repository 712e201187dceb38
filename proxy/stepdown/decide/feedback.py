"""Feedback tokens: what an answer says of its assignment, signed, so that what came of it can be counted later.

An answer of a rollout carries a token. Whoever sees what came of it (a click, a purchase) posts the token back, minutes
or hours later and to any replica: nothing about it is kept anywhere. A token is base64url without padding of

    1  form                     2  key id      8  digest of the run
    1  stage                    2  arm (the highest bit) and the candidate's share, in slots
    n  served version, only where another one than the assigned served; zeros up to a multiple of 3
    8  hash of the unit         4  minutes since 1970     16  MAC

which makes 56 characters, and 116 at most. Everything before the unit's hash is the same for all requests of one
stage and arm and is prepared once (`Issuer`).

The MAC is HMAC-SHA256 over all that stands before it, cut to 128 bits: half of the hash, the least that RFC 2104
(section 5) advises. A guess is right once in 2^128, so a shorter one would do against guesses that can only be tried
over the network, but then its length would have to be argued for anew with each use that is made of it.

Keys are derived from the configured secret for this purpose alone; a key's id is derived too, so replacing a secret
takes no number to keep: the first one signs, all of them verify. A token is refused, in this order, where it is

- `malformed`: not of this form;
- `foreign`: signed with a key that is not known here: another sidecar's, or one that was taken away;
- `forged`: said to be signed with one of ours, and it is not, or it was changed since;
- `foreign`: genuine, but of a run that is not known here: another rollout's, or one that is over;
- `future`: issued later than now, by more than clocks of two machines may differ;
- `expired`: older than the caller lets it be.

The unit's hash (`Units`) is keyed by the run's salt and not by the secret. So a secret that is replaced makes nobody
two units, nobody can be followed from one run to the next, and who does not know the salt cannot try out names. The
salt is in the run's digest too, so a run whose number was given out twice, because state was lost, is another run.
"""

from __future__ import annotations

import hashlib
import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from stepdown.decide.slots import SLOTS

LONGEST = 120
"""Characters of a token; a longer one is malformed."""
LONGEST_SERVED = 45
"""Bytes of a served version's name; what is longer is cut, as it is told and never counted by."""
LEEWAY = 60.0
"""Seconds by which the clock of the machine that issued a token may be ahead."""
GRAIN = 60
"""Seconds of a token's unit of time: enough to tell hours, and it tells nobody when exactly somebody was here."""
MOST_STAGES = 256
UNIT_BYTES = 8

Arm = Literal["candidate", "stable"]
Reason = Literal["malformed", "foreign", "forged", "future", "expired"]

_FORM = 1
_KEY_ID, _DIGEST, _UNIT, _TIME, _MAC = 2, 8, UNIT_BYTES, 4, 16
_FIXED = 1 + _KEY_ID + _DIGEST + 1 + 2
"""Bytes before the served version's name."""
_TAIL = _UNIT + _TIME + _MAC
_CANDIDATE = 1 << 15
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")


class Run(NamedTuple):
    """One walk of a rollout, from its start to its end."""

    rollout: str
    number: int
    model: str
    stable: str
    candidate: str
    salt: str
    """Drawn at random when it was started (128 bits), kept with its state, and shown to nobody."""

    @property
    def digest(self) -> bytes:
        """Stands for all of it in a token."""
        return _derived("\0".join(map(str, self)).encode(), b"run")[:_DIGEST]


class Claim(NamedTuple):
    """What a genuine token says."""

    run: Run
    arm: Arm
    """That the unit was assigned to."""
    served: str
    """The version that served; where it is not `assigned`, the first `LONGEST_SERVED` bytes of its name."""
    stage: int
    share: float
    """pi: the candidate's share (0 to 1) of the assignment at that stage."""
    unit: int
    """Hash of the unit (64 bits): equal for one unit in one run."""
    issued: int
    """Unix seconds, at the beginning of its minute."""

    @property
    def assigned(self) -> str:
        """The version that the unit was assigned to."""
        return _version(self.run, self.arm)


class Refused(NamedTuple):
    """A token that does not count."""

    reason: Reason
    detail: str
    """A sentence for whoever sent it."""


class Units:
    """Hashes the units of one run."""

    __slots__ = ("_keyed",)

    def __init__(self, run: Run) -> None:
        self._keyed = hashlib.blake2b(key=_derived(run.salt.encode(), b"unit"), digest_size=_UNIT)

    def hash(self, unit: bytes) -> bytes:
        """`UNIT_BYTES` that stand for a sticky key in this run."""
        keyed = self._keyed.copy()
        keyed.update(unit)
        return keyed.digest()


class Issuer:
    """Makes the tokens of one run, stage, arm and serving version."""

    __slots__ = ("_inner", "_outer", "_start")

    def __init__(self, run: Run, secret: str, *, stage: int, share: float, arm: Arm, served: str) -> None:
        """`share` is the candidate's, whatever the arm is; raises `ValueError` for what no token can say."""
        slots = round(share * SLOTS)
        if not (0 <= slots <= SLOTS and 0 <= stage < MOST_STAGES):
            raise ValueError(f"no token says share {share:g} or stage {stage}")
        signer = _Signer(secret)
        other = b"" if served == _version(run, arm) else served.encode()[:LONGEST_SERVED]
        said = slots | (_CANDIDATE if arm == "candidate" else 0)
        start = bytes((_FORM,)) + signer.id + run.digest + bytes((stage,)) + said.to_bytes(2, "big")
        self._start = start + other + bytes(-len(other) % 3)
        self._inner = signer.inner.copy()
        self._inner.update(self._start)
        self._outer = signer.outer

    def issue(self, unit: bytes, now: float) -> bytes:
        """The token for a unit at `now`, in Unix seconds.

        `unit` is what `Units` made of a sticky key, or, where each request is a unit, `UNIT_BYTES` of its own.
        """
        rest = unit + (int(now) // GRAIN).to_bytes(_TIME, "big")
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(rest)
        outer.update(inner.digest())
        return b2a_base64(self._start + rest + outer.digest()[:_MAC], newline=False).translate(_TO_URL)


class Verifier:
    """Reads tokens that one of these secrets signed, of these runs."""

    __slots__ = ("_runs", "_signers")

    def __init__(self, secrets: Sequence[str], runs: Iterable[Run]) -> None:
        self._signers: dict[bytes, list[_Signer]] = {}
        for signer in map(_Signer, secrets):
            self._signers.setdefault(signer.id, []).append(signer)
        self._runs = {run.digest: run for run in runs}

    def verify(self, token: str | bytes, now: float, max_age: float) -> Claim | Refused:
        """What the token says, if it counts at `now` (Unix seconds); `max_age` is in seconds. Raises nothing."""
        data = _bytes(token)
        if data is None:
            return Refused("malformed", "this is not a token, or not all of one")
        signers = self._signers.get(data[1 : 1 + _KEY_ID])
        if signers is None:
            return Refused("foreign", "the token is signed with a key that is not known here")
        genuine = False
        for signer in signers:  # ids are short: two secrets may share one
            genuine |= hmac.compare_digest(signer.mac(data[:-_MAC]), data[-_MAC:])
        if not genuine:
            return Refused("forged", "the token was not signed here, or was changed")
        claim = self._claim(data)
        if claim is None:
            return Refused("foreign", "the token is of a rollout that is not known here, or that is over")
        if claim.issued > now + LEEWAY:
            return Refused("future", f"the token was issued {claim.issued - now:.0f} s from now: a clock is wrong")
        if now >= claim.issued + GRAIN + max_age:
            return Refused("expired", f"the token is {now - claim.issued:.0f} s old, and {max_age:g} s are allowed")
        return claim

    def _claim(self, data: bytes) -> Claim | None:
        """What genuine bytes say; `None` of a run that is not known."""
        run = self._runs.get(data[1 + _KEY_ID : 1 + _KEY_ID + _DIGEST])
        if run is None:
            return None
        said = int.from_bytes(data[_FIXED - 2 : _FIXED], "big")
        arm: Arm = "candidate" if said & _CANDIDATE else "stable"
        other = data[_FIXED:-_TAIL].rstrip(b"\0").decode(errors="ignore")
        return Claim(
            run,
            arm,
            other or _version(run, arm),
            data[_FIXED - 3],
            (said & ~_CANDIDATE) / SLOTS,
            int.from_bytes(data[-_TAIL : -_TAIL + _UNIT], "big"),
            int.from_bytes(data[-_TIME - _MAC : -_MAC], "big") * GRAIN,
        )


class _Signer:
    """The key that a secret makes: HMAC's two hashes with the key already in (RFC 2104), to be copied for each token.

    That takes 0.6 microseconds, where `hmac.digest` takes 1.5, most of them for looking the hash up by its name.
    """

    __slots__ = ("id", "inner", "outer")

    def __init__(self, secret: str) -> None:
        key = _derived(secret.encode(), b"key")
        self.id = _derived(secret.encode(), b"key id")[:_KEY_ID]
        block = key + bytes(64 - len(key))
        self.inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block))
        self.outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))

    def mac(self, said: bytes) -> bytes:
        inner, outer = self.inner.copy(), self.outer.copy()
        inner.update(said)
        outer.update(inner.digest())
        return outer.digest()[:_MAC]


def _version(run: Run, arm: Arm) -> str:
    return run.candidate if arm == "candidate" else run.stable


def _derived(secret: bytes, purpose: bytes) -> bytes:
    return hmac.digest(secret, b"stepdown feedback v1: " + purpose, hashlib.sha256)


def _bytes(token: str | bytes) -> bytes | None:
    """What the characters stand for; exact, so that no two texts stand for one token."""
    try:
        text = token.encode("ascii") if isinstance(token, str) else bytes(token)
        if len(text) > LONGEST:
            return None
        data = a2b_base64(text.translate(_FROM_URL), strict_mode=True)
    except ValueError:
        return None
    exact = b2a_base64(data, newline=False).translate(_TO_URL) == text
    good = exact and len(data) >= _FIXED + _TAIL and len(data) % 3 == 0 and data[0] == _FORM
    return data if good else None
