import time

from robself_ros.rate_limit import RateLimit


def test_a_thing_is_allowed_once_and_others_beside_it():
    rate = RateLimit()
    assert [rate.allows(thing) for thing in ("a", "a", "b", "a", "b")] == [True, False, True, False, False]


def test_a_thing_is_allowed_again_after_a_while():
    rate = RateLimit(quiet_seconds=0.02)
    assert rate.allows("a")
    time.sleep(0.03)
    assert rate.allows("a")
