"""Depth and NIR between ROS encodings and the core's units (REP 117, REP 118)."""

import numpy as np
import pytest

from robself.depth_encoding import from_intensity, from_metric, to_intensity, to_metric
from robself.errors import InputError


@pytest.mark.parametrize("encoding", ["16UC1", "mono16"])
def test_every_millimetre_survives_the_round_trip(encoding):
    codes = np.arange(2**16, dtype=np.uint16).reshape(256, 256)
    assert np.array_equal(from_metric(to_metric(codes, encoding), encoding), codes)


def test_millimetres_become_metres_and_zero_becomes_nan():
    metres = to_metric(np.array([[0, 1, 1500]], np.uint16), "16UC1")
    assert metres.dtype == np.float32
    np.testing.assert_allclose(metres, [[np.nan, 0.001, 1.5]], rtol=1e-6)


def test_float_depth_without_a_measurement_becomes_nan():
    raw = np.array([[np.nan, -np.inf, np.inf, 0.0, -1.0, 2.5]], np.float32)
    np.testing.assert_array_equal(to_metric(raw, "32FC1"), np.float32([[np.nan] * 5 + [2.5]]))


def test_the_range_is_closed_at_both_ends():
    raw = np.array([[0.499, 0.5, 3.0, 3.001]], np.float32)
    metres = to_metric(raw, "32FC1", minimum=0.5, maximum=3.0)
    np.testing.assert_array_equal(np.isfinite(metres), [[False, True, True, False]])


def test_the_input_is_left_alone():
    raw = np.array([[np.inf, 1.0]], np.float32)
    to_metric(raw, "32FC1")[...] = 7
    np.testing.assert_array_equal(raw, np.float32([[np.inf, 1.0]]))


def test_metres_round_to_the_nearest_millimetre():
    metres = np.array([[1.0004, 1.0006, 0.0004]])
    np.testing.assert_array_equal(from_metric(metres, "16UC1"), [[1000, 1001, 0]])


def test_16_bits_hold_what_multiplying_and_rounding_in_steps_makes_of_every_depth():
    halves = (np.arange(140_000) / 2000).astype(np.float32)  # m, up to 70, halves of millimetres too
    either_side = [np.nextafter(halves, np.float32(end)) for end in (0, np.inf)]
    metres = np.stack([halves, *either_side, np.random.default_rng(0).uniform(-1, 70, halves.size)])
    metres = metres.astype(np.float32)
    expected = np.rint(metres * np.float32(1000))
    expected[(metres <= 0) | (metres > np.float32(65.535))] = 0
    np.testing.assert_array_equal(from_metric(metres, "16UC1"), expected)


def test_depths_that_16_bit_cannot_hold_become_zero():
    metres = np.array([[np.nan, np.inf, -np.inf, -1.0, 0.0, 65.535, 65.536, 65.6, 1e9]])
    np.testing.assert_array_equal(from_metric(metres, "16UC1"), [[0, 0, 0, 0, 0, 65535, 0, 0, 0]])


def test_float_depth_keeps_its_value_and_says_nan_for_no_measurement():
    metres = np.array([[1.23456, np.inf, 0.0, 0.4]], np.float32)
    np.testing.assert_array_equal(from_metric(metres, "32FC1"), np.float32([[1.23456, np.nan, np.nan, 0.4]]))


@pytest.mark.parametrize(
    ("encoding", "dtype"),
    [("mono8", np.uint8), ("8UC1", np.uint8), ("mono16", np.uint16), ("16UC1", np.uint16)],
)
def test_every_intensity_survives_the_round_trip(encoding, dtype):
    counts = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(16, -1)
    intensity = to_intensity(counts, encoding)
    assert intensity.dtype == np.float32
    assert intensity[0, 0] == 0, "a black pixel is a measurement"
    np.testing.assert_array_equal(from_intensity(intensity, encoding), counts)


def test_intensities_out_of_range_are_clipped_not_wrapped():
    intensity = np.array([[-3.0, 254.6, 300.0, np.inf, -np.inf, np.nan]])
    np.testing.assert_array_equal(from_intensity(intensity, "mono8"), [[0, 255, 255, 255, 0, 0]])


def test_big_endian_arrays_are_refused_rather_than_misread():
    with pytest.raises(InputError, match="expected uint16"):
        to_metric(np.ones((2, 2), ">u2"), "16UC1")


@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (to_metric, "depth"),
        (from_metric, "depth"),
        (to_intensity, "intensity"),
        (from_intensity, "intensity"),
    ],
)
def test_an_unknown_encoding_names_itself_and_what_is_accepted(convert, kind):
    with pytest.raises(InputError, match=rf"^{kind} encoding 'rgb8' is not supported, expected .*mono16"):
        convert(np.ones((2, 2), np.uint8), "rgb8")


def test_an_array_that_does_not_fit_its_encoding_is_refused():
    with pytest.raises(InputError, match=r"float64 of shape \(2, 2\), expected float32"):
        to_metric(np.ones((2, 2)), "32FC1")
    with pytest.raises(InputError, match=r"shape \(2, 2, 1\)"):
        to_metric(np.ones((2, 2, 1), np.float32), "32FC1")
