"""Rollouts: what the counts of a window say of a candidate, and what comes of it. Pure.

A *rollout* walks one rule's split from a stable version to a candidate by *stages*, each with the candidate's *share*
of the assignment. What happens to units that were assigned to one of both *arms* is counted by *kind* of event; a
*window* is the time between two looks. *Guards* make evidence of windows, the *judge* one decision of all guards, and
the *phases* are a table of where decisions and people lead. Clock and dice are arguments everywhere, and every state
is plain data that a store can keep as JSON.
"""
