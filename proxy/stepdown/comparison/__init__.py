"""Comparing answers: what differs between two of them, and what many such pairs say. Pure.

    answers     a reply as it is compared, and a difference
    places      where in a document a difference is
    rules       the rules of a shadow, compiled into states that documents are walked with
    scalars     when two values that hold no others are equal
    documents   the walk through two documents; `arrays` for those whose order does not matter
    compare     two replies
    picking     numbers and labels, which are counted whether they differ or not
    showing     what may be kept of a document to be looked at
    book        all that one shadow's pairs have said; `drift`, `matrices` and `keeping` are its parts, `sketch` theirs
    report      the same as it is kept and sent; `merging` puts several together
    posts       all reports as one payload
    findings    what a report says: rates with intervals, verdicts, drift, labels
    verdict     whether a deployment may go on; `failures` whether few enough answers are errors
    view        a report as it is shown

Everything is bounded: what is told apart of one answer, what is kept of all, and the time that any document takes.
"""
