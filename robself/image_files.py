"""Sources, guides and results as image files; a value keeps its unit, whichever the file has.

| file | read | written | holes |
|---|---|---|---|
| .png | 8 or 16 bit, one channel | 16 bit, rounded to nearest, clipped to 0..65535 | 0 |
| .npy | any integers or floats (h, w) | float32 | NaN |
| .tif, .tiff | one page, one channel: integers or floats | float32 | NaN |
| .pfm | one channel | float32 | NaN |
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from robself.array_files import check_npy
from robself.errors import InputError, OutputError
from robself.file_writing import write_file
from robself.image_size import check_array_size, check_size

TIFF = (".tif", ".tiff")
SOURCE_FILES = (".png", ".npy", *TIFF, ".pfm")
HIGHEST = np.iinfo(np.uint16).max
FEWEST_LEVELS = 256  # of a float source that is rounded to the integers of a PNG
TIFF_MARKS = (b"II*\0", b"MM\0*")
PORTABLE_FLOATS = re.compile(rb"P[fF]\s+(\d+)\s+(\d+)\s")  # a PFM's header: its size
SILENT = 0  # the log level of OpenCV


def read_source(path: str | Path) -> np.ndarray:
    """A depth or NIR image.

    Returns:
        (h, w) uint8 or uint16 as in the file, else float32.

    Raises:
        InputError: a file that is missing, damaged, of another kind, too large (`check_size`), or not one channel
            of numbers.
    """
    path = Path(path)
    decoders = {".npy": _decode_npy, ".png": _decode_opencv, ".pfm": _decode_opencv}
    decoder = decoders | dict.fromkeys(TIFF, _decode_tiff)
    kind = path.suffix.lower()
    if kind not in decoder:
        raise InputError(f"{path}: not a source's file, expected {', '.join(SOURCE_FILES)}")
    image = _decoded(path, decoder[kind])
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[..., 0]
    if image.ndim != 2 or image.size == 0:
        raise InputError(f"{path}: shape {image.shape}, expected one image of one channel")
    if image.dtype.kind not in "fiu":
        raise InputError(f"{path}: type {image.dtype}, expected integers or floats")
    if image.dtype in (np.uint8, np.uint16):
        return image
    with np.errstate(over="ignore"):  # beyond float32 is infinite, and so invalid
        return image.astype(np.float32)


def read_guide(path: str | Path) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB; an alpha channel is dropped, 16 bit become 8.

    Any that OpenCV reads, but for those that do not tell their size before they are decoded (.hdr, .pic, .pam).

    Raises:
        InputError: a file that is missing, damaged, of another kind or too large (`check_size`).
    """
    return cv2.cvtColor(
        _decoded(Path(path), lambda data: _decode_opencv(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB
    )


def check_png(path: str | Path, source: np.ndarray, png_scale: float = 1.0) -> None:
    """Whether results of this source survive in a 16-bit PNG, to be asked before long work.

    Args:
        png_scale: the PNG holds values times this.

    Raises:
        InputError: a float source that rounding would leave few levels of, or values that do not fit.
    """
    values = source[np.isfinite(source)].astype(np.float64) * png_scale
    highest = values.max(initial=0)
    advice = "write .tiff, .npy or .pfm instead, or give --png-scale (1000 turns metres into millimetres)"
    if highest > HIGHEST:
        raise InputError(f"{path}: values up to {highest:g}, but a 16-bit PNG ends at {HIGHEST}: {advice}")
    if highest < FEWEST_LEVELS and (values != np.rint(values)).any():
        raise InputError(
            f"{path}: a 16-bit PNG holds whole numbers, which would leave {int(highest) + 1} levels of the "
            f"source's values up to {highest:g}: {advice}"
        )


def write_values(path: str | Path, values: np.ndarray, png_scale: float = 1.0) -> None:
    """Writes (H, W) float32, NaN in holes, as its extension says (see the table above).

    Args:
        values: into `.npy` also of any other shape.

    Raises:
        OutputError: another extension, or a place that cannot be written to.
    """
    kind = check_extension(path, SOURCE_FILES)
    values = np.asarray(values, np.float32)
    if kind == ".png":
        counts = np.nan_to_num(values.astype(np.float64) * png_scale, nan=0.0)
        values = np.rint(np.clip(counts, 0, HIGHEST)).astype(np.uint16)
    write_file(path, _encoded(kind, values))


def write_colour(path: str | Path, rgb: np.ndarray) -> None:
    """Writes (H, W, 3) uint8 as any colour image that OpenCV writes.

    Raises:
        OutputError: another extension, or a place that cannot be written to.
    """
    kind = check_colour_extension(path)
    write_file(path, cv2.imencode(kind, cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))[1].tobytes())


def check_extension(path: str | Path, expected: tuple[str, ...]) -> str:
    """The extension in lower case; raises OutputError if it is none of the expected."""
    kind = Path(path).suffix.lower()
    if kind not in expected:
        raise OutputError(f"{path}: extension {kind!r}, expected {', '.join(expected)}")
    return kind


def check_colour_extension(path: str | Path) -> str:
    """As `check_extension`, for what OpenCV can write colours to."""
    return check_extension(path, (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"))


def _encoded(kind: str, pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    if kind == ".npy":
        np.save(buffer, pixels)
    elif kind in TIFF:
        import tifffile

        tifffile.imwrite(buffer, pixels)
    else:
        buffer.write(cv2.imencode(kind, pixels)[1].tobytes())
    return buffer.getvalue()


def _decoded(path: Path, decode: Callable[[bytes], np.ndarray]) -> np.ndarray:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return decode(data)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except Exception as error:  # whatever a parser of foreign files comes upon
        raise InputError(f"{path}: damaged or of another kind: {_reason(error)}") from error


def _decode_opencv(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    check_size(*_size(data), "image")
    logging = getattr(
        cv2.utils, "logging", cv2
    )  # OpenCV 4.5 and 4.6, Ubuntu's, have the same two functions there
    level = logging.getLogLevel()
    logging.setLogLevel(SILENT)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    finally:
        logging.setLogLevel(level)
    if image is None:
        raise ValueError("OpenCV cannot decode it")
    return image


def _size(data: bytes) -> tuple[int, int]:
    """(width, height) that a file tells of itself, which OpenCV would take memory for."""
    if portable := PORTABLE_FLOATS.match(data):  # Pillow before 10.3 knows none
        return int(portable[1]), int(portable[2])
    if data.startswith(TIFF_MARKS):  # of which Pillow knows fewer kinds
        import tifffile

        with tifffile.TiffFile(io.BytesIO(data)) as file:
            return file.pages[0].imagewidth, file.pages[0].imagelength
    from PIL import Image, UnidentifiedImageError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(data)) as image:
                return image.size
        except Image.DecompressionBombError as error:  # far above the limit
            raise InputError(str(error)) from None
        except UnidentifiedImageError:
            raise ValueError("no image whose size can be told") from None


def _decode_npy(data: bytes) -> np.ndarray:
    file = io.BytesIO(data)
    check_npy(file, "array")
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _decode_tiff(data: bytes) -> np.ndarray:
    import tifffile

    with tifffile.TiffFile(io.BytesIO(data)) as file:
        series = file.series[0]
        check_array_size(series.shape, series.dtype.itemsize, "image")
        return file.asarray()


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
