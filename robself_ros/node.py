"""The node's process: `python -m robself_ros.node --ros-args --params-file config/azure_kinect.yaml`.

The main thread does nothing but wait for a signal, for Python hears signals between two of its own instructions
only, and to load torch or to compute one iteration may take seconds. ROS runs in a second thread, and the node's
worker is a third. Nothing heavy is imported here, so that a signal finds its handler soon after the start.
"""

from __future__ import annotations

import os
import signal
import sys
from queue import SimpleQueue
from threading import Thread

from robself_ros.lifetime import Lifetime

JOIN_SECONDS = 0.4


def main() -> None:
    """Run the node until SIGINT, SIGTERM or an error.

    Exit codes: 0 after a signal, 2 for wrong parameters, 1 for anything else.
    """
    ended: SimpleQueue[int] = SimpleQueue()  # its put() may be called from a signal handler
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.put(0))
    lifetime = Lifetime()
    ros = Thread(target=lambda: ended.put(lifetime.run(sys.argv)), name="ros", daemon=True)
    ros.start()
    code = ended.get()
    lifetime.end()
    ros.join(JOIN_SECONDS)
    lifetime.clean_up()
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: the interpreter must not be taken down while torch computes in another thread.
    os._exit(code)


if __name__ == "__main__":
    main()
