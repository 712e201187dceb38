"""What a decision costs by itself: no bytes are moved, a head becomes a choice."""
