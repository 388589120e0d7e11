"""The built-in recording: a small scene, ray-cast, with exact depth."""

from robself.rendering.frames import RenderedFrame, render_frame
from robself.rendering.recording import GUIDE_TOPIC, NIR_TOPIC, SOURCE_TOPIC, TRUTH_TOPIC, write_recording

__all__ = [
    "GUIDE_TOPIC",
    "NIR_TOPIC",
    "SOURCE_TOPIC",
    "TRUTH_TOPIC",
    "RenderedFrame",
    "render_frame",
    "write_recording",
]
