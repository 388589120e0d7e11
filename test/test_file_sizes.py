"""Files that tell of images too large are refused before memory is taken for them."""

import io
import struct
import zipfile
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from robself.datasets.opening import open_dataset
from robself.errors import RobSelfError
from robself.image_files import read_guide, read_source
from robself.image_size import MOST_PIXELS
from robself.methods import Settings
from robself.methods.predictions import predictions_method
from robself.peak_memory import PeakMemory

SIDE = 12_000  # of 144 megapixels
BOMB = 30_000  # which Pillow refuses itself
MOST_GROWTH = 100 * 2**20  # bytes, where one such image takes 144 MB and more


@pytest.fixture(autouse=True)
def little_memory():
    with PeakMemory() as memory:
        yield
    assert memory.bytes < MOST_GROWTH


def png(side):
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(side + 1))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def npy(shape=(SIDE, SIDE), dtype="|u1"):
    """Its header alone."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": dtype, "fortran_order": False, "shape": shape})
    return file.getvalue()


def tiff():
    """An empty one, whose size was small."""
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((8, 8), np.uint8))
    data = bytearray(file.getvalue())
    (at,) = struct.unpack_from("<I", data, 4)
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        if struct.unpack_from("<H", data, entry)[0] in (256, 257):  # width and height
            struct.pack_into("<HII", data, entry + 2, 4, 1, SIDE)
    return bytes(data)


def bmp():
    data = bytearray(cv2.imencode(".bmp", np.zeros((8, 8, 3), np.uint8))[1].tobytes())
    struct.pack_into("<ii", data, 18, SIDE, SIDE)
    return bytes(data)


FILES = {
    "x.png": lambda: png(SIDE),
    "x.npy": npy,
    "x.tif": tiff,
    "x.pfm": lambda: b"Pf\n%d %d\n-1.0\n" % (SIDE, SIDE),
}


@pytest.mark.parametrize("name", FILES)
def test_a_source_too_large_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(FILES[name]())
    assert refused(lambda: read_source(tmp_path / name)) == (
        f"{tmp_path / name}: {'array' if name == 'x.npy' else 'image'}: size {SIDE}x{SIDE}, "
        f"expected both > 0 and at most {MOST_PIXELS} pixels"
    )


@pytest.mark.parametrize(("name", "made"), [("x.png", lambda: png(SIDE)), ("x.tif", tiff), ("x.bmp", bmp)])
def test_a_guide_too_large_is_refused(tmp_path, name, made):
    (tmp_path / name).write_bytes(made())
    assert f"image: size {SIDE}x{SIDE}, expected" in refused(lambda: read_guide(tmp_path / name))


def test_an_array_of_many_dimensions_is_refused_by_its_bytes(tmp_path):
    (tmp_path / "x.npy").write_bytes(npy((2, 2, 10**9)))
    told = refused(lambda: read_source(tmp_path / "x.npy"))
    assert "shape (2, 2, 1000000000) of 1 bytes each, expected at most" in told


def test_a_bomb_is_refused(tmp_path):
    (tmp_path / "x.png").write_bytes(png(BOMB))
    assert f"({BOMB**2} pixels) exceeds limit" in refused(lambda: read_guide(tmp_path / "x.png"))


def archive(folder, name, content):
    with zipfile.ZipFile(folder / "x.npz", "w") as file:
        file.writestr(name, content)
    return folder


def test_an_archive_of_an_array_too_large_is_refused(tmp_path):
    dataset = open_dataset(archive(tmp_path, "guide.npy", npy((SIDE, SIDE, 3))))
    assert f"x.npz: cannot be read: guide.npy: size {SIDE}x{SIDE}" in refused(lambda: dataset.load("x"))


def test_an_archive_of_anything_too_large_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("robself.image_size.MOST_BYTES", 100)
    dataset = open_dataset(archive(tmp_path, "unit.txt", bytes(101)))
    assert "x.npz: cannot be read: unit.txt: shape (101,)" in refused(lambda: dataset.load("x"))


@pytest.mark.parametrize("name", ["sr.npy", "sr"])  # NumPy reads both
def test_a_prediction_too_large_is_refused(tmp_path, name):
    method = predictions_method("theirs", archive(tmp_path, name, npy(dtype="<f4")))
    assert f"x.npz: damaged or of another kind: {name}: size {SIDE}x{SIDE}" in refused(
        lambda: method.run(None, Settings(case="x"))
    )


def refused(read):
    with pytest.raises(RobSelfError) as raised:
        read()
    assert "\n" not in str(raised.value)
    return str(raised.value)
