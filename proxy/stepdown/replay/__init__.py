"""Recorded requests sent to a candidate, and its answers held against the recorded ones as a shadow's are.

candidate   who gets the requests, and by which rules answers are compared
exchanges   a recorded exchange made what a worker would have handed over of it, or the reason why it cannot be
pace        when the next request may go
sending     requests on their way, over the comparer's own legs
books       what came of them, route by route
replay      all of it together
"""
