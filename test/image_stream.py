"""One end of a stream of 16UC1 images, as a process: `image_stream.py publish|count <frames>`.

`publish` waits for a subscriber and sends at 30 Hz; `count` prints how many different frames arrived.
"""

import sys
import time
from array import array

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image

TOPIC, HEIGHT, WIDTH, RATE = "depth/image_raw", 576, 640, 30.0
DISCOVERY_SECONDS = 20.0


def publish(node: Node, frames: int) -> None:
    publisher = node.create_publisher(Image, TOPIC, qos_profile_sensor_data)
    image = Image(height=HEIGHT, width=WIDTH, encoding="16UC1", step=2 * WIDTH)
    image.data = array("B", bytes(2 * WIDTH * HEIGHT))
    deadline = time.monotonic() + DISCOVERY_SECONDS
    while not publisher.get_subscription_count():
        if time.monotonic() > deadline:
            sys.exit("no subscriber found")
        time.sleep(0.05)
    start = time.monotonic()
    for frame in range(frames):
        time.sleep(max(0.0, start + frame / RATE - time.monotonic()))
        image.header.frame_id = str(frame)
        publisher.publish(image)
    time.sleep(1.0)  # the reader still fetches the last frames from this process's segment


def count(node: Node, frames: int) -> None:
    arrived = set()
    node.create_subscription(
        Image, TOPIC, lambda image: arrived.add(image.header.frame_id), qos_profile_sensor_data
    )
    deadline = time.monotonic() + DISCOVERY_SECONDS + frames / RATE
    quiet_since = None
    while time.monotonic() < deadline and len(arrived) < frames:
        before = len(arrived)
        rclpy.spin_once(node, timeout_sec=0.1)
        if arrived and len(arrived) == before:
            quiet_since = quiet_since or time.monotonic()
            if time.monotonic() - quiet_since > 2.0:
                break
        else:
            quiet_since = None
    print(len(arrived))


if __name__ == "__main__":
    role, frames = sys.argv[1], int(sys.argv[2])
    rclpy.init(args=[])
    {"publish": publish, "count": count}[role](rclpy.create_node(f"image_stream_{role}"), frames)
    rclpy.shutdown()
