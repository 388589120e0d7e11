"""What a robot is told about each result: the node's own message."""

from __future__ import annotations

import math

from robself.pairing import NANOSECONDS
from robself.status import outcome_fields
from robself_ros.conversions import stamp_ns
from robself_ros.msg import Status
from robself_ros.parameters import NodeParameters
from robself_ros.processing import Product
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally


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
    counts, pairing = tally.counts, synchronizer.pairing
    source, guide = synchronizer.inputs
    return Status(
        header=product.job.source.header,
        **outcome_fields(product.result, parameters.modality, product.seconds, latency),
        sources_received=source.received,
        guides_received=guide.received,
        pairs=pairing.pairs,
        processed=counts.processed,
        dropped_unpaired=pairing.dropped_sources + pairing.dropped_guides,
        dropped_replaced=counts.replaced,
        dropped_rejected=counts.rejected.total(),
        dropped_stale=counts.stale,
        resets=counts.resets,
        reset_reason=counts.reset_reason,
    )
