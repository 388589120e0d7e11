"""The node's process: `python -m robself_ros.node --ros-args --params-file config/azure_kinect.yaml`.

The main thread only waits for SIGINT and SIGTERM. ROS runs in a second thread and the node's worker is a third,
for either may be out of reach for seconds, loading torch or computing one iteration. Nothing heavy is imported
here, so that a signal is heeded soon after the start.
"""

from __future__ import annotations

import os
import signal
import sys
from threading import Thread

from robself.kept_memory import keep_memory
from robself_ros.exit_deadline import exit_after
from robself_ros.lifetime import Lifetime

ENDS = {signal.SIGINT, signal.SIGTERM}
END_SECONDS = 0.7  # for ROS to end; what is cut off then leaves its shared memory behind
LATEST_SECONDS = 0.85


def main() -> None:
    """Run the node until SIGINT, SIGTERM or an error.

    Exit codes: 0 after a signal, 2 for wrong arguments or parameters, 1 for anything else.
    """
    # Blocked in all threads that are to come, and taken here: a handler of Python's would have to wait its turn.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    # Torch's threads must not spin while they wait for each other: on a robot others need the cores. Read when
    # torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    keep_memory()
    lifetime = Lifetime(on_end=_end)
    Thread(target=lifetime.run, args=[sys.argv], name="ros", daemon=True).start()
    signal.sigwait(ENDS)
    exit_after(LATEST_SECONDS, lifetime.exit_code)
    end = Thread(target=lifetime.end, name="end", daemon=True)
    end.start()
    end.join(END_SECONDS)
    # Not sys.exit: the interpreter must not be taken down while a thread still computes in torch.
    os._exit(lifetime.exit_code)


def _end(code: int) -> None:
    exit_after(LATEST_SECONDS, code)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
