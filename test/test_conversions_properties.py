"""Whatever a message says of itself, it becomes an array of the size that it announces, or a typed error."""

from array import array

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import Image

from robself.errors import InputError
from robself.image_encoding import LAYOUTS, Rejected
from robself_ros.conversions import check_image, guide_encodings, guide_of, source_encodings, source_of

ENCODINGS = st.one_of(st.sampled_from(sorted(LAYOUTS)), st.text(max_size=8))
SIDES = st.one_of(st.integers(0, 6), st.sampled_from([40_000, 100_000, 2**32 - 1]))
CAUSES = {"encoding", "size", "is_bigendian", "step", "data"}


@st.composite
def images(draw):
    """Half of them true of their data in all but what is drawn wrong."""
    encoding, height, width = draw(ENCODINGS), draw(SIDES), draw(SIDES)
    row = LAYOUTS[encoding].row(width) if encoding in LAYOUTS else width
    step = draw(st.one_of(st.integers(row, row + 3), st.integers(0, 30))) % 2**32
    honest = min(step * height, 500)
    size = draw(st.one_of(st.just(honest), st.integers(max(0, honest - 4), honest + 4), st.integers(0, 200)))
    return Image(
        encoding=encoding,
        height=height,
        width=width,
        step=step,
        is_bigendian=draw(st.sampled_from([0, 0, 1, 1, 2, 255])),
        data=array("B", draw(st.binary(min_size=size, max_size=size))),
    )


@given(images(), st.sampled_from(["depth", "nir"]))
def test_a_source_is_an_array_of_its_size_or_an_error_of_one_line(image, modality):
    try:
        check_image(image, source_encodings(modality))
    except Rejected as error:
        assert error.cause in CAUSES and "\n" not in str(error)
        return
    values = source_of(image, modality, 0.1, 20.0)
    assert (values.shape, values.dtype) == ((image.height, image.width), np.float32)
    assert not np.isinf(values).any()


@given(images())
def test_a_guide_is_an_array_of_its_size_or_an_error_of_one_line(image):
    try:
        check_image(image, guide_encodings())
        rgb = guide_of(image)
    except InputError as error:  # by its pattern, too
        assert "\n" not in str(error)
        return
    assert (rgb.shape, rgb.dtype) == ((image.height, image.width, 3), np.uint8)


@given(
    st.sampled_from(sorted(source_encodings("depth"))),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
    st.data(),
)
def test_depth_in_range_is_read_as_it_was_written_in_either_byte_order(encoding, height, width, big, data):
    floating = encoding == "32FC1"
    number = st.floats(0.125, 16, width=32) if floating else st.integers(101, 20_000)
    numbers = data.draw(st.lists(number, min_size=height * width, max_size=height * width))
    pixels = np.array(numbers, np.float32 if floating else np.uint16).reshape(height, width)
    octets = pixels.astype(pixels.dtype.newbyteorder("><"[not big])).tobytes()
    image = Image(
        encoding=encoding, height=height, width=width, is_bigendian=int(big), data=array("B", octets)
    )
    image.step = len(octets) // height
    check_image(image, source_encodings("depth"))
    metres = source_of(image, "depth", 0.1, 20.0)
    np.testing.assert_allclose(metres, pixels if floating else pixels / 1000.0, rtol=1e-6)
