"""The controller: configuration, health checks, status and admin servers. The only room with aiohttp."""
