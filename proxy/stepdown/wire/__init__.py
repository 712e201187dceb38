"""HTTP/1.x without I/O: heads guarded and parsed once, bodies framed by our own rules, one output function."""
