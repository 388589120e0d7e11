"""What a report shows."""

import base64
import re

import cv2
import numpy as np


def pictures(folder):
    """The PNG pictures in a report, decoded."""
    found = re.findall(r"data:image/png;base64,([^\"]+)", (folder / "report.html").read_text())
    return [cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR) for data in found]


def limits_by_colours(figure):
    """The colour limits of its images of one channel, by the name of their colour map."""
    limits = {}
    for axis in figure.axes:
        for image in axis.images:
            if image.get_array().ndim == 2:
                limits.setdefault(image.get_cmap().name, set()).add(image.get_clim())
    return limits
