"""How the events of each dialect become the one document that the server would have answered without a stream."""
