"""The grammar of heads (RFC 9112 sections 2 to 5), each as one expression with possessive quantifiers.

One `fullmatch` decides whether a head may be read at all: no bare CR or LF, no NUL or control byte, no folded line, no
white space before a colon or around the request line, nothing but HTTP/1.0 and HTTP/1.1, no byte in the target that a
URI does not have. Possessive quantifiers (Python 3.11) make it linear: a head that fails, fails once. They stand behind
single characters only: behind a group, Python before 3.11.5 goes on after a half-matched repetition (gh-106052).
"""

from __future__ import annotations

import re

TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
VALUE = rb"[\t\x20-\x7e\x80-\xff]"
FIELDS = rb"(?:" + TOKEN + rb"++:" + VALUE + rb"*+\r\n)*\r\n"

# RFC 3986 characters, and [ ] which clients leave as they are in queries; no # (a fragment is never sent), no
# "<>\^`{|} and no 8-bit byte, which parsers behind a proxy normalise in different ways.
TARGET = rb"[!$%&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~]"

REQUEST = re.compile(rb"(" + TOKEN + rb"++) (" + TARGET + rb"++) HTTP/1\.([01])\r\n" + FIELDS)
"""Groups: method, target, minor version. The fields begin where group 3 ends, plus two."""

RESPONSE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: " + VALUE + rb"*+)?\r\n" + FIELDS)
"""Groups: minor version, status. The reason phrase is checked and thrown away."""

HOST = re.compile(
    rb"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._~\-]|%[0-9A-Fa-f]{2}){0,254})(?::[0-9]{1,5})?"
)
"""Host and optional port: a registered name, an IPv4 address or a bracketed IPv6 address (RFC 3986 section 3.2.2)."""

ABSOLUTE = re.compile(rb"([Hh][Tt][Tt][Pp][Ss]?)://([^/?]++)(.*+)")
"""Absolute-form target: scheme, authority, the rest."""

REQUEST_LINE = re.compile(rb"([^ \r\n]*+) ([^ \r\n]*+) ([A-Za-z]++)/([0-9]++)\.([0-9]++)\r\n")
"""A loose request line, only for telling what is wrong with a refused head."""

FIELD_VALUE = re.compile(rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*+)?)?")
"""What may be put into a field by configuration: no CR, LF, NUL or other control byte, no leading blank."""

FIELD_NAME = re.compile(TOKEN + rb"++")
