"""One record per exchange, into shared-memory slabs and logs. The only room with prometheus_client."""
