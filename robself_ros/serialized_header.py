"""The stamp of a message that is still bytes."""

from __future__ import annotations

import struct

NANOSECONDS = 10**9


def stamp_ns(kind: type, data: bytes) -> int | None:
    """The stamp (ns) of a serialised message of class `kind`; None of one that does not begin with a header."""
    first = next(iter(kind.get_fields_and_field_types().values()), "")
    if first != "std_msgs/Header":
        return None
    little_endian = data[1] & 1  # CDR: four bytes of encapsulation come first
    seconds, nanoseconds = struct.unpack_from("<iI" if little_endian else ">iI", data, 4)
    return seconds * NANOSECONDS + nanoseconds
