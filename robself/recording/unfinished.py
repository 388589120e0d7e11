"""mcap files whose writer was killed: readable again up to their last whole chunk."""

from __future__ import annotations

from pathlib import Path
from struct import pack, unpack

MAGIC = b"\x89MCAP0\r\n"
CHUNK, DATA_END = 0x06, 0x0F
# The end of a file without a summary, which readers then make themselves: https://mcap.dev/spec
ENDING = pack("<BQI", DATA_END, 4, 0) + pack("<BQQQI", 0x02, 20, 0, 0, 0) + MAGIC


def complete(path: Path) -> bool:
    """Cuts a file behind its last whole record and closes it; one that is closed stays as it is.

    Returns:
        Whether it holds anything: what was killed before its first chunk may be an empty file.
    """
    with path.open("r+b") as file:
        size = file.seek(0, 2)
        file.seek(0)
        if file.read(len(MAGIC)) != MAGIC:
            return False
        file.seek(max(0, size - len(MAGIC)))
        if size > len(MAGIC) and file.read() == MAGIC:
            return True
        end = position = len(MAGIC)
        chunks = 0
        while position + 9 <= size:
            file.seek(position)
            opcode, length = unpack("<BQ", file.read(9))
            position += 9 + length
            if opcode == DATA_END or position > size:
                break
            end = position
            chunks += opcode == CHUNK
        file.truncate(end)
        file.seek(end)
        file.write(ENDING)
    return chunks > 0
