"""Whether a candidate differs more often than the served version differs from itself, on pairs: McNemar's e-process.

Each request is answered three times: by the served version, by the candidate, and by the served version once more. A
request counts only where exactly one of the two copies differs from the answer served. If the candidate is no worse
than noise, that one is the candidate at most half of the time, whatever the requests are and however noise changes
over time.
"""

from __future__ import annotations

import math

from stepdown.statistics.evidence import log_mean

SHARES = (0.6, 0.75, 0.9)
"""Shares of the candidate among the discordant pairs that evidence is looked for at; their evidence is averaged."""


def paired_evidence(candidate_only: int, noise_only: int, shares: tuple[float, ...] = SHARES) -> float:
    """Logarithm of E after x requests in which only the candidate differed and y in which only the noise copy did.

        E = mean over q of (2q)^x (2(1-q))^y

    A likelihood ratio of q against 1/2 for the sign of each discordant pair (McNemar 1947), averaged over q; an
    e-process against "the candidate differs no more often than noise" because every q is above 1/2. Four per cent
    against two are found in 967 pairs (median). Natural logarithm.
    """
    return log_mean([candidate_only * math.log(2 * q) + noise_only * math.log(2 * (1 - q)) for q in shares])
