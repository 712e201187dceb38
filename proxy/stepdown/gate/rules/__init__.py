"""What the gate asks of a change, one row and one small function for each rule."""
