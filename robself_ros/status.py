"""What a robot is told about each result: the node's own message."""

from __future__ import annotations

import math

from robself_ros.conversions import UNITS, stamp_ns
from robself_ros.msg import Status
from robself_ros.parameters import NodeParameters
from robself_ros.processing import Product
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally

NANOSECONDS = 10**9


def latency_seconds(product: Product, now_ns: int) -> float:
    """From the source's stamp to now; NaN while the node's clock stands at 0, as before the first /clock."""
    return (now_ns - stamp_ns(product.job.source.header)) / NANOSECONDS if now_ns else math.nan


def status_message(
    product: Product,
    parameters: NodeParameters,
    synchronizer: Synchronizer,
    tally: Tally,
    latency: float,
) -> Status:
    """The status of a result, and the counts so far; `processed` counts this one."""
    info, counts, pairing = product.result.info, tally.counts, synchronizer.pairing
    source, guide = synchronizer.inputs
    return Status(
        header=product.job.source.header,
        mode=Status.KEYFRAME if info["mode"] == "keyframe" else Status.TRACK,
        warm=info["start"] == "warm",
        fallback=bool(info["fallback"]),
        iterations=info["iterations"],
        consistency_before=info["consistency_before"],
        consistency_after=info["consistency_after"],
        consistency_unit=UNITS[parameters.modality],
        processing_seconds=product.seconds,
        latency_seconds=latency,
        sources_received=source.received,
        guides_received=guide.received,
        pairs=pairing.pairs,
        processed=counts.processed,
        dropped_unpaired=pairing.dropped_sources + pairing.dropped_guides,
        dropped_replaced=counts.replaced,
        dropped_rejected=sum(counts.rejected.values()),
        dropped_stale=counts.stale,
        resets=counts.resets,
        device=info["device"],
        reset_reason=counts.reset_reason,
    )
