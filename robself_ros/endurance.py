"""Send small pairs to a running node, each when the last has come back: `python -m robself_ros.endurance PAIRS`.

Every so often a line of JSON goes to stdout: how many pairs were sent, and of how many the result came.
"""

from __future__ import annotations

import argparse
import json
import time

import rclpy
from rclpy.signals import SignalHandlerOptions

from robself_ros.helper_process import helper_process
from robself_ros.made_messages import made_camera_info, made_images
from robself_ros.rates import Frame, Subject

SOURCE_SIZE, GUIDE_SIZE = (12, 16), (24, 32)


def small_frame() -> Frame:
    """A depth image of 16x12 px and a picture of 32x24 px, with the camera_info of both."""
    source, guide = made_images(SOURCE_SIZE, GUIDE_SIZE)
    messages = {
        "/source/image": source,
        "/guide/image": guide,
        "/source/camera_info": made_camera_info(SOURCE_SIZE, "source"),
        "/guide/camera_info": made_camera_info(GUIDE_SIZE, "guide"),
    }
    return Frame(messages, dict.fromkeys(messages, 0))


def main() -> None:
    """Exit codes: 0, 2 for a node that gives nothing, 130 after SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m robself_ros.endurance", description=__doc__)
    parser.add_argument("pairs", type=int, help="how many to send")
    parser.add_argument("--every", type=int, default=1, metavar="PAIRS", help="between two lines (default 1)")
    arguments = parser.parse_args()
    with helper_process("endurance"):
        rclpy.init(args=[], signal_handler_options=SignalHandlerOptions.NO)
        subject = Subject(rclpy.create_node("endurance", start_parameter_services=False), [small_frame()])
        subject.wait_for_first_result()
        for sent, results in enumerate(subject.one_by_one(arguments.pairs), start=1):
            if sent % arguments.every == 0 or sent == arguments.pairs:
                print(json.dumps({"sent": sent, "results": results}), flush=True)
        time.sleep(3600)  # until it is ended: its last line is still being read


if __name__ == "__main__":
    main()
