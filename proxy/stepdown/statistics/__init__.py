"""Statistics that may be looked at at any time: e-processes, intervals, distances of distributions. Pure.

An e-process is evidence against a null hypothesis that starts at 1 and is expected never to grow while the hypothesis
holds. Ville's inequality bounds the chance that it ever reaches 1/alpha by alpha, however often it is looked at, and
evidence of several metrics may be averaged. All of them are kept as logarithms here, and their state is counters, so
that what several processes counted is added up.
"""
