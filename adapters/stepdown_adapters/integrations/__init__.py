"""The library inside of others: pytest (`pytest_plugin`), and any ASGI framework such as FastAPI (`asgi`)."""
