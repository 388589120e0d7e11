"""Sources, guides and results as files."""

import io

import cv2
import numpy as np
import pytest
import tifffile

from robself.errors import InputError, OutputError
from robself.image_files import check_png, read_guide, read_source, write_colour, write_values

MILLIMETRES = np.array([[0, 1, 255, 256], [1234, 40000, 65534, 65535]], np.uint16)
METRES = np.array([[np.nan, 0.25, 1.5], [-1.0, 3.14159, 100.0]], np.float32)
EXTENSIONS = [".png", ".npy", ".tif", ".tiff", ".pfm"]


def encoded(extension, pixels):
    """A file's bytes, written by the format's own library and not by the product."""
    buffer = io.BytesIO()
    if extension == ".npy":
        np.save(buffer, pixels)
    elif extension in (".tif", ".tiff"):
        tifffile.imwrite(buffer, pixels, photometric="minisblack")
    else:
        buffer.write(cv2.imencode(extension, pixels)[1].tobytes())
    return buffer.getvalue()


def file(folder, name, data):
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("extension", [".png", ".npy", ".tif", ".TIFF"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_sources_keep_type_and_values(tmp_path, extension, dtype):
    pixels = (MILLIMETRES % 256 if dtype == np.uint8 else MILLIMETRES).astype(dtype)
    read = read_source(file(tmp_path, f"source{extension}", encoded(extension.lower(), pixels)))
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("extension", [".npy", ".tif", ".pfm"])
def test_float_sources_keep_values_and_holes(tmp_path, extension):
    read = read_source(file(tmp_path, f"source{extension}", encoded(extension, METRES)))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, METRES)


def test_a_pfm_of_the_other_byte_order_is_read(tmp_path):
    rows = METRES[::-1].astype(">f4").tobytes()  # bottom row first; a positive scale means big-endian
    np.testing.assert_array_equal(read_source(file(tmp_path, "s.pfm", b"Pf\n3 2\n1.0\n" + rows)), METRES)


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.int64, np.uint32])
def test_other_numbers_become_float32(tmp_path, dtype):
    pixels = np.array([[0, 1, 2], [3, 500, 6]], dtype)
    read = read_source(file(tmp_path, "s.npy", encoded(".npy", pixels)))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, pixels)


def test_a_guide_is_rgb_whatever_the_file_has(tmp_path):
    bgr = np.zeros((2, 3, 3), np.uint8)
    bgr[..., 0], bgr[..., 2] = 10, 200
    rgba = np.dstack([bgr, np.full((2, 3), 128, np.uint8)])
    for name, pixels in {"plain": bgr, "alpha": rgba, "deep": bgr.astype(np.uint16) * 257}.items():
        guide = read_guide(file(tmp_path, f"{name}.png", encoded(".png", pixels)))
        assert (guide.shape, guide.dtype) == ((2, 3, 3), np.uint8)
        assert guide[0, 0].tolist() == [200, 0, 10], name
    grey = read_guide(file(tmp_path, "grey.png", encoded(".png", bgr[..., 2])))
    assert grey[0, 0].tolist() == [200, 200, 200]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_results_come_back_as_they_were_written(tmp_path, extension):
    values = np.array([[np.nan, 0.2, 17.0], [1234.4, 1234.6, 65535.0]], np.float32)
    write_values(tmp_path / f"sr{extension}", values)
    back = read_source(tmp_path / f"sr{extension}")
    if extension == ".png":
        assert back.dtype == np.uint16
        assert back.tolist() == [[0, 0, 17], [1234, 1235, 65535]]
    else:
        assert back.dtype == np.float32
        np.testing.assert_array_equal(back, values)


def test_a_png_holds_values_times_its_scale_and_clips(tmp_path):
    write_values(tmp_path / "sr.png", np.array([[1.2344, 1.2346, 70.0, -1.0, np.nan]], np.float32), 1000)
    assert read_source(tmp_path / "sr.png").tolist() == [[1234, 1235, 65535, 0, 0]]


def test_metres_are_refused_for_a_png_with_the_way_out():
    with pytest.raises(InputError, match=r"sr\.png.* 4 levels .* 3\.5.*\.tiff.*--png-scale"):
        check_png("sr.png", np.array([[0.5, 3.5, np.nan]], np.float32))
    check_png("sr.png", np.array([[0.5, 3.5, np.nan]], np.float32), 1000)


def test_what_rounding_does_not_destroy_is_no_matter_for_a_png():
    check_png("sr.png", np.array([[np.nan, 812.5, 4000.25]], np.float32))  # millimetres
    check_png("sr.png", np.array([[3, 17, np.inf]], np.float32))  # whole numbers
    check_png("sr.png", MILLIMETRES)


def test_values_beyond_a_png_are_refused():
    with pytest.raises(InputError, match=r"up to 70000, but a 16-bit PNG ends at 65535"):
        check_png("sr.png", np.array([[70000.0]], np.float32))


def test_colours_are_written_as_rgb(tmp_path):
    rgb = np.zeros((4, 5, 3), np.uint8)
    rgb[..., 0] = 250
    write_colour(tmp_path / "guide.png", rgb)
    np.testing.assert_array_equal(read_guide(tmp_path / "guide.png"), rgb)


UNUSABLE = [
    ("missing.png", None, "cannot be read: No such file"),
    ("empty.png", b"", "damaged or of another kind"),
    ("garbage.png", b"no image", "damaged or of another kind"),
    (
        "cut.png",
        encoded(".png", np.random.default_rng(0).integers(0, 9999, (50, 50)).astype("u2"))[:900],
        "",
    ),
    ("cut.pfm", encoded(".pfm", np.zeros((50, 50), np.float32))[:900], "damaged or of another kind"),
    ("cut.npy", encoded(".npy", np.zeros((50, 50)))[:900], "damaged or of another kind"),
    ("cut.tif", encoded(".tif", np.zeros((50, 50)))[:900], "damaged or of another kind"),
    ("garbage.tif", b"no image", "damaged or of another kind"),
    (
        "colour.png",
        encoded(".png", np.zeros((4, 5, 3), np.uint8)),
        r"shape \(4, 5, 3\), expected one image",
    ),
    (
        "pages.tif",
        encoded(".tif", np.zeros((4, 9, 8), np.float32)),
        r"shape \(4, 9, 8\), expected one image",
    ),
    ("empty.npy", encoded(".npy", np.zeros((0, 6), np.float32)), r"shape \(0, 6\)"),
    ("mask.npy", encoded(".npy", np.zeros((4, 6), bool)), "type bool, expected integers or floats"),
    ("objects.npy", encoded(".npy", np.array([{}])), "damaged or of another kind: .*allow_pickle"),
    ("source.jpg", b"", r"expected \.png, \.npy"),
]


@pytest.mark.parametrize(("name", "data", "complaint"), UNUSABLE, ids=[case[0] for case in UNUSABLE])
def test_an_unusable_source_is_told_by_file_and_fault(tmp_path, capfd, name, data, complaint):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=rf"{name}: .*{complaint}") as raised:
        read_source(path)
    assert "\n" not in str(raised.value)
    if hasattr(cv2.utils, "logging"):  # Ubuntu's OpenCV cannot be silenced
        assert capfd.readouterr().err == ""  # libraries have nothing to add


def test_an_unusable_guide_is_told(tmp_path):
    with pytest.raises(InputError, match=r"guide\.png: damaged"):
        read_guide(file(tmp_path, "guide.png", b"no image"))


@pytest.mark.parametrize(("write", "name"), [(write_values, "sr.jpg"), (write_colour, "guide.npy")])
def test_an_unknown_extension_is_told_before_anything_is_written(tmp_path, write, name):
    with pytest.raises(OutputError, match=rf"{name}: extension .*expected \.png"):
        write(tmp_path / name, np.zeros((4, 5, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_cannot_be_written_leaves_the_old_one_and_nothing_else(tmp_path):
    old = file(tmp_path, "sr.npy", b"old")
    (tmp_path / "taken.npy").mkdir()
    with pytest.raises(OutputError, match=r"taken\.npy: cannot be written"):
        write_values(tmp_path / "taken.npy", METRES)
    with pytest.raises(OutputError, match=r"nowhere/sr\.npy: cannot be written"):
        write_values(tmp_path / "nowhere" / "sr.npy", METRES)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sr.npy", "taken.npy"]
    assert old.read_bytes() == b"old"
    write_values(old, METRES)
    np.testing.assert_array_equal(np.load(old), METRES)
