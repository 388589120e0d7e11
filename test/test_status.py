"""The node's own message: what became of a pair, and what did not come to be one."""

import numpy as np
import pytest
from robot import image
from robself_ros.msg import Status

from robself.pair import Pair, Result
from robself.pairing import ApproximateTimePairer
from robself_ros.conversions import guide_encodings, source_encodings
from robself_ros.parameters import NodeParameters
from robself_ros.processing import Job, Product
from robself_ros.status import latency_seconds, status_message
from robself_ros.synchronizer import Synchronizer
from robself_ros.tally import Tally

STAMP = 1_700_000_000_250_000_000
INFO = {
    "mode": "keyframe",
    "start": "warm",
    "fallback": False,
    "iterations": 40,
    "consistency_before": 0.02,
    "consistency_after": 0.01,
    "device": "cuda:1",
}


def product(**info):
    blank = np.zeros((4, 6), np.float32)
    pair = Pair.from_images(blank[:2, :3] + 1, np.zeros((4, 6, 3), np.uint8))
    result = Result(blank, blank, blank, blank > 0, pair, {**INFO, **info})
    source = image(np.ones((2, 3), np.uint16), "16UC1", frame_id="depth")
    source.header.stamp.sec, source.header.stamp.nanosec = divmod(STAMP, 10**9)
    return Product(Job(source, image(np.ones((4, 6, 3), np.uint8), "rgb8")), result, None, 0.5)


@pytest.fixture
def tally():
    return Tally()


def status_of(product, tally, images=(), **parameters):
    """After the source of the product and further images, role by role, have come."""
    synchronizer = Synchronizer(
        ApproximateTimePairer(0.02, 1),
        0.02,
        source_encodings("depth"),
        guide_encodings(),
        tally,
        lambda source, guide: True,
        lambda reason: None,
        lambda role, rejected: None,
    )
    for role, message in images:
        getattr(synchronizer, role)(message)
    return status_message(product, NodeParameters(**parameters), synchronizer, tally, latency=0.75)


def test_it_carries_the_sources_header_and_the_outcome(tally):
    status = status_of(product(), tally)
    assert status.header == product().job.source.header
    assert (status.mode, status.warm, status.fallback, status.iterations) == (
        Status.KEYFRAME,
        True,
        False,
        40,
    )
    assert (status.consistency_before, status.consistency_after) == pytest.approx((0.02, 0.01))
    assert (status.processing_seconds, status.latency_seconds) == pytest.approx((0.5, 0.75))
    assert (status.consistency_unit, status.device) == ("m", "cuda:1")


def test_a_fallback_is_told(tally):
    assert status_of(product(fallback=True), tally).fallback


def test_a_tracked_pair_is_told(tally):
    status = status_of(product(mode="track", iterations=0), tally)
    assert (status.mode, status.iterations) == (Status.TRACK, 0)


def test_nir_is_told_in_intensities(tally):
    assert status_of(product(), tally, modality="nir").consistency_unit == "intensity"


def test_what_did_not_come_to_be_a_result_is_counted(tally):
    for name, number in {"processed": 7, "replaced": 2, "stale": 3}.items():
        tally.add(name, number)
    tally.reject("guide encoding", "encoding '', expected rgb8")
    tally.reset("~/reset was called")
    job = product().job
    job.guide.header.stamp.sec = 1_600_000_000
    images = [("source", job.source), ("guide", job.guide), ("guide", image(np.ones((2, 2)), "64FC1"))]
    status = status_of(product(), tally, images)
    assert (status.sources_received, status.guides_received, status.pairs) == (1, 2, 0)
    assert (status.processed, status.dropped_replaced, status.dropped_stale) == (7, 2, 3)
    assert (status.dropped_rejected, status.resets) == (2, 1)
    assert status.reset_reason == "~/reset was called"


def test_images_that_left_without_a_partner_are_counted(tally):
    images = []
    for second in (1, 2, 3):  # only one may wait
        one = image(np.ones((2, 3), np.uint16), "16UC1")
        one.header.stamp.sec = second
        images.append(("source", one))
    assert status_of(product(), tally, images).dropped_unpaired == 2


def test_latency_is_from_the_stamp_to_now():
    assert latency_seconds(product(), STAMP + 250_000_000) == 0.25


def test_latency_is_unknown_while_a_simulated_clock_stands_at_zero():
    assert np.isnan(latency_seconds(product(), 0))
