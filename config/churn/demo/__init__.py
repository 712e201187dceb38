"""The demo: two real model servers, one sidecar, an old client and a new one, and what happens when servers change."""
