"""ROS's own pairing, where there is ROS: the same pairs and counts as `robself.pairing`'s."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robot import image

from robself.pairing import ApproximateTimePairer
from robself_ros.pairers import MessageFiltersPairer, make_pairer

SLOP_SECONDS, QUEUE_SIZE, MILLISECOND = 0.010, 3, 10**6
arrivals = st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=40)


def has_message_filters():
    try:
        import message_filters  # noqa: F401
    except ImportError:
        return False
    return True


needs_message_filters = pytest.mark.skipif(
    not has_message_filters(), reason="message_filters is part of a ROS installation, and none is here"
)


def message(stamp):
    one = image(np.zeros((1, 1), np.uint8), "mono8")
    one.header.stamp.sec, one.header.stamp.nanosec = divmod(stamp, 10**9)
    return one


def test_ros_pairs_where_it_is_there_and_the_project_elsewhere():
    expected = MessageFiltersPairer if has_message_filters() else ApproximateTimePairer
    assert isinstance(make_pairer(SLOP_SECONDS, QUEUE_SIZE), expected)


@needs_message_filters
@settings(max_examples=50, deadline=None)
@given(arrivals)
def test_message_filters_gives_the_same_pairs_and_counts(arrivals):
    ros, ours = (kind(SLOP_SECONDS, QUEUE_SIZE) for kind in (MessageFiltersPairer, ApproximateTimePairer))
    for is_source, milliseconds in arrivals:
        stamp = 10**12 + milliseconds * MILLISECOND
        one = message(stamp)
        results = [
            pairer.add_source(stamp, one) if is_source else pairer.add_guide(stamp, one)
            for pairer in (ros, ours)
        ]
        assert results[0] == results[1]
        assert ros.counts.pairs == ours.counts.pairs
        assert ros.counts.dropped_sources == ours.counts.dropped_sources
        assert ros.counts.dropped_guides == ours.counts.dropped_guides


@needs_message_filters
def test_a_reset_drops_what_waits_in_message_filters_too():
    pairer = MessageFiltersPairer(SLOP_SECONDS, QUEUE_SIZE)
    pairer.add_source(0, message(0))
    pairer.reset()
    assert pairer.add_guide(0, message(0)) is None
    assert pairer.counts.dropped_sources == 1
