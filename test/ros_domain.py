"""A ROS_DOMAIN_ID for a test's own graph."""

import os
import random


def fresh_domain() -> int:
    """At random, so that several runs on one machine hardly meet; never one of another worker of this run.

    Nor one of those that `robself.demo.chain` draws from.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return random.SystemRandom().randrange(2 + worker, 51, workers)
