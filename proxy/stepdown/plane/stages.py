"""Where an exchange stands: what it waits for."""

COLLECT_KEY, COLLECT_BODY, ADAPT_REQUEST, CONNECT, AWAIT_ANSWER, ANSWER, ADAPT_ANSWER, AWAIT_FLAGS = range(8)
