"""What operations do to schemas: the mechanics that the effects of operations are written with.

An *effect* is an abstract run of an operation: given a schema, it gives a schema of every document that can come out.
It may only err towards more documents, because proofs stand on it: whatever cannot be followed becomes `true`.
"""
