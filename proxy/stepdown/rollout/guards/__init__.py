"""Guards: what each kind makes of windows, with one function to take one in and one to say what it shows.

Every state is frozen, plain data. `update` takes a window in, `log_e` is what goes into the judge's average (guards of
shares and ceilings), `verdict` says where a guard stands and costs little, `reading` says it for people.
"""
