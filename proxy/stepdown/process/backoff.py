"""When a process that died is started again: at once the first time, slower and slower in a crash loop, always.

| early deaths in a row | wait before the next start (seconds) |
|-----------------------|--------------------------------------|
| 0 or 1                | 0                                    |
| 2, 3, 4, ...          | 0.1, 0.2, 0.4, ... at most 5         |

A death is early when it comes less than `STEADY` seconds after the start; a longer life ends the row.
"""

STEADY = 10.0
FIRST_WAIT = 0.1
LONGEST_WAIT = 5.0


def after_death(early_deaths: int, started: float, now: float) -> tuple[int, float]:
    """Count of early deaths in a row, and the time at which to start again; times are of one monotonic clock."""
    early_deaths = early_deaths + 1 if now - started < STEADY else 0
    if early_deaths < 2:
        return early_deaths, now
    # The exponent is bounded: a loop that runs for weeks must not compute an enormous power.
    return early_deaths, now + min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(early_deaths - 2, 16))
