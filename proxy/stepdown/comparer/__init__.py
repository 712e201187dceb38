"""The comparer: what is done with copies of live answers, away from the workers and from everybody who waits."""
