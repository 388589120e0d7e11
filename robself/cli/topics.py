"""What to say when a recording is given without topics."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from robself.errors import ConfigError, InputError

if TYPE_CHECKING:
    from robself.recording import RecordingReader


def ask_for_topics(command: str, bag: Path) -> NoReturn:
    """Lists on stderr what there is to choose from.

    Raises:
        ConfigError: how to call the command. RecordingError: not a recording.
    """
    from robself.recording import RecordingReader

    reader = RecordingReader(bag)
    lines = [line for topic in sorted(reader.topics) if (line := _described(reader, topic))]
    print("\n".join([f"images in {bag}:", *(lines or ["  none"])]), file=sys.stderr)
    raise ConfigError(
        f"which topics? robself {command} {bag} --source-topic DEPTH_OR_NIR --guide-topic RGB --output DIR"
    )


def _described(reader: RecordingReader, topic: str) -> str | None:
    from robself.packed_image import PackedImage
    from robself.recording.reader import COMPRESSED_IMAGE, IMAGES

    kind, count = reader.topics[topic]
    if kind not in IMAGES or not count:
        return None
    first = next(reader.messages([topic])).content
    image = PackedImage(first) if kind == COMPRESSED_IMAGE else first
    try:
        looks = f"{image.encoding} {image.width}x{image.height}"
    except InputError as error:
        looks = str(error)
    return f"  {topic}  {looks}, {count} images"
