"""One camera: what `sensor_msgs/CameraInfo` says, rays to pixels and back."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import cv2
import numpy as np

from robself.errors import InputError

# sensor_msgs/distortion_models.hpp; OpenCV's pinhole models take 4 to 14 coefficients, its fisheye 4.
COEFFICIENTS = {"plumb_bob": (0, 4, 5), "rational_polynomial": (0, 8, 12, 14), "equidistant": (0, 4)}


@dataclass(frozen=True, eq=False)
class CameraModel:
    """What `sensor_msgs/CameraInfo` says about one camera.

    Attributes:
        width, height: px, of the full sensor.
        K: (3, 3) intrinsics of the unrectified image, px. Pixel centres have integer coordinates.
        D: distortion coefficients, none for an ideal lens. model: how to read them.
        R: (3, 3) rectification. P: (3, 4) projection of the rectified image, px.
        binning: (x, y), 1 for none. roi: (x, y, width, height) of the delivered part of the sensor,
            unbinned px; None for all of it.

    Raises:
        InputError: sizes or focal lengths <= 0, non-finite values, an unknown model, a wrong number of
            coefficients, a region outside the sensor.
    """

    width: int
    height: int
    K: np.ndarray
    D: tuple[float, ...] = ()
    model: str = "plumb_bob"
    R: np.ndarray = field(default_factory=lambda: np.eye(3))
    P: np.ndarray | None = None
    frame_id: str = ""
    binning: tuple[int, int] = (1, 1)
    roi: tuple[int, int, int, int] | None = None

    def __post_init__(self) -> None:
        where = f"camera_info of {self.frame_id!r}"
        self._take_matrix("K", (3, 3))
        self._take_matrix("R", (3, 3))
        if self.P is None:
            object.__setattr__(self, "P", np.c_[self.K, np.zeros(3)])
        self._take_matrix("P", (3, 4))
        object.__setattr__(self, "D", tuple(float(d) for d in self.D))
        if self.width <= 0 or self.height <= 0:
            raise InputError(f"{where}: size {self.width}x{self.height}, expected both > 0")
        if self.K[0, 0] <= 0 or self.K[1, 1] <= 0:
            raise InputError(
                f"{where}: focal lengths {self.K[0, 0]:g}, {self.K[1, 1]:g}, expected > 0 (is it calibrated?)"
            )
        if self.model not in COEFFICIENTS:
            raise InputError(f"{where}: model {self.model!r}, expected one of {', '.join(COEFFICIENTS)}")
        if len(self.D) not in COEFFICIENTS[self.model] or not np.isfinite(self.D).all():
            raise InputError(
                f"{where}: D is {self.D}, expected {COEFFICIENTS[self.model]} finite numbers for {self.model}"
            )
        if min(self.binning) < 1:
            raise InputError(f"{where}: binning {self.binning}, expected >= 1")
        x, y, width, height = self.region
        if min(x, y) < 0 or min(width, height) < 1 or x + width > self.width or y + height > self.height:
            raise InputError(f"{where}: roi {self.roi} leaves the sensor's {self.width}x{self.height}")

    def _take_matrix(self, name: str, shape: tuple[int, int]) -> None:
        array = np.asarray(getattr(self, name), np.float64)
        if array.size != shape[0] * shape[1] or not np.isfinite(array).all():
            raise InputError(
                f"camera_info of {self.frame_id!r}: {name} is {array.tolist()}, expected {shape} finite numbers"
            )
        object.__setattr__(self, name, array.reshape(shape))

    @classmethod
    def from_camera_info(cls, info: Any) -> CameraModel:
        """From a `sensor_msgs/CameraInfo` of rclpy, of `rosbags`, or of ROS 1 (K, D, R, P in capitals).

        Binning 0 means 1 and an empty region means the whole sensor, as the message defines.

        Raises:
            InputError: an uncalibrated or contradictory message.
        """

        def entry(name: str) -> Any:
            return getattr(info, name) if hasattr(info, name) else getattr(info, name.upper())

        P, R = np.asarray(entry("p"), np.float64), np.asarray(entry("r"), np.float64)
        roi = info.roi
        D = tuple(entry("d"))
        return cls(
            width=int(info.width),
            height=int(info.height),
            K=np.asarray(entry("k"), np.float64),
            # Drivers of ideal cameras say so by zeros, in whatever number and often without a model.
            D=D if np.any(D) else (),
            model=info.distortion_model or "plumb_bob",
            R=R if R.any() else np.eye(3),
            P=P if P.any() else None,
            frame_id=info.header.frame_id,
            binning=(max(1, int(info.binning_x)), max(1, int(info.binning_y))),
            roi=(roi.x_offset, roi.y_offset, roi.width, roi.height) if roi.width and roi.height else None,
        )

    def camera_info_fields(self) -> dict[str, Any]:
        """The fields of a `sensor_msgs/msg/CameraInfo`, all but its header; `roi` as a dict of its own."""
        x, y, width, height = self.roi or (0, 0, 0, 0)
        return {
            "height": self.height,
            "width": self.width,
            "distortion_model": self.model,
            "d": list(self.D) or [0.0] * COEFFICIENTS[self.model][-1 if self.model == "plumb_bob" else 1],
            "k": self.K.ravel().tolist(),
            "r": self.R.ravel().tolist(),
            "p": self.P.ravel().tolist(),
            "binning_x": self.binning[0],
            "binning_y": self.binning[1],
            "roi": {"x_offset": x, "y_offset": y, "height": height, "width": width, "do_rectify": False},
        }

    def __eq__(self, other: object) -> bool:
        """Alike in every number, so that a registration computed for one holds for the other."""
        return isinstance(other, CameraModel) and self._numbers() == other._numbers()

    def __hash__(self) -> int:
        return hash(self._numbers())

    def _numbers(self) -> tuple:
        return tuple(
            value.tobytes() if isinstance(value, np.ndarray) else value
            for value in (getattr(self, f.name) for f in fields(self))
        )

    @property
    def region(self) -> tuple[int, int, int, int]:
        """(x, y, width, height) of the delivered part of the sensor, unbinned px."""
        return self.roi or (0, 0, self.width, self.height)

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width) of the delivered image, after region and binning."""
        _, _, width, height = self.region
        return height // self.binning[1], width // self.binning[0]

    def misfit(self, image_size: tuple[int, int]) -> str | None:
        """Why this is not the camera of images of that size (height, width), in words; None if it may be."""
        if self.image_size == image_size:
            return None
        (height, width), (image_height, image_width) = self.image_size, image_size
        return f"it is of {width}x{height} images, these are {image_width}x{image_height}"

    def scaled(self, width: int, height: int) -> CameraModel:
        """The same camera delivering `width` x `height` images.

        Pixel centres are kept: fx' = s fx, cx' = s (cx + 0.5) - 0.5, exact when the smaller image is an
        average pooling of the larger one. The region scales, binning, D and R stay.

        Raises:
            InputError: a size <= 0.
        """
        if width <= 0 or height <= 0:
            raise InputError(f"size {width}x{height} to scale a camera to, expected both > 0")
        old_height, old_width = self.image_size
        sx, sy = width / old_width, height / old_height
        scale = np.array([[sx, 0, 0.5 * sx - 0.5], [0, sy, 0.5 * sy - 0.5], [0, 0, 1]])
        roi = self.roi and tuple(round(s * v) for s, v in zip((sx, sy, sx, sy), self.roi, strict=True))
        return replace(
            self,
            width=round(sx * self.width),
            height=round(sy * self.height),
            K=scale @ self.K,
            P=scale @ self.P,
            roi=roi,
        )

    def delivered(self) -> CameraModel:
        """The camera of the delivered image alone: region and binning worked into K and P."""
        x, y, width, height = self.region
        offset = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1]], np.float64)
        unbinned = replace(
            self, width=width, height=height, K=offset @ self.K, P=offset @ self.P, roi=None, binning=(1, 1)
        )
        binned_height, binned_width = self.image_size
        return unbinned.scaled(binned_width, binned_height)

    def rectified(self) -> CameraModel:
        """The ideal camera of the rectified image (topics `image_rect`): K from P, no distortion."""
        return replace(self, K=self.P[:, :3], D=(), R=np.eye(3), P=self.P)

    def rays(self, pixels: np.ndarray) -> np.ndarray:
        """Viewing rays of pixels of the unrectified image.

        Args:
            pixels: (n, 2) float, (x, y).

        Returns:
            (n, 3) float64 with z = 1; NaN where the lens model has no ray for the pixel.
        """
        points = np.ascontiguousarray(pixels, np.float64).reshape(1, -1, 2)
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 100, 1e-12)  # fisheye's own suffice
        D = np.array(self.D)
        if not self.D:
            ideal = cv2.undistortPoints(points, self.K, None)
        elif self.model == "equidistant":
            ideal = cv2.fisheye.undistortPoints(points, self.K, D)
        elif hasattr(cv2, "undistortPointsIter"):  # OpenCV 4, whose undistortPoints takes no criteria
            ideal = cv2.undistortPointsIter(points, self.K, D, np.eye(3), np.eye(3), criteria)
        else:
            ideal = cv2.undistortPoints(points, self.K, D, criteria=criteria)
        rays = np.c_[ideal.reshape(-1, 2), np.ones(points.shape[1])]
        # The inverse is iterative: where it does not lead back to the pixel, there is no ray.
        with np.errstate(invalid="ignore"):
            lost = ~(np.abs(self.pixels(rays) - points[0]).max(axis=1) < 0.1)
        rays[lost] = np.nan
        return rays

    def pixels(self, rays: np.ndarray) -> np.ndarray:
        """Where rays meet the unrectified image.

        Args:
            rays: (n, 3) float, any length.

        Returns:
            (n, 2) float64, (x, y); NaN for rays from behind and for those so far out that the lens
            polynomial folds back into the image.
        """
        rays = np.asarray(rays, np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = rays[:, 2] > 0
            radius = np.hypot(rays[:, 0], rays[:, 1]) / rays[:, 2]
            seen &= radius <= self._radius_of_fold
        pixels = np.full((len(rays), 2), np.nan)
        if not seen.any():
            return pixels
        points, still = np.ascontiguousarray(rays[seen]).reshape(-1, 1, 3), np.zeros(3)
        if self.D and self.model == "equidistant":
            projected, _ = cv2.fisheye.projectPoints(points, still, still, self.K, np.array(self.D))
        else:
            projected, _ = cv2.projectPoints(points, still, still, self.K, np.array(self.D))
        pixels[seen] = projected.reshape(-1, 2)
        return pixels

    @property
    def _radius_of_fold(self) -> float:
        """tan of the angle up to which the radial distortion grows with the angle, at most 89 degrees."""
        angle = np.linspace(0, np.deg2rad(89), 2000)
        if not self.D:
            return float(np.tan(angle[-1]))
        if self.model == "equidistant":
            distorted = angle * np.polyval([*self.D[::-1], 1], angle**2)
        else:
            k1, k2, _, _, k3, k4, k5, k6 = (self.D + (0,) * 8)[:8]
            r2 = np.tan(angle) ** 2
            distorted = np.tan(angle) * np.polyval([k3, k2, k1, 1], r2) / np.polyval([k6, k5, k4, 1], r2)
        folded = np.flatnonzero(np.diff(distorted) <= 0)
        return float(np.tan(angle[folded[0] if folded.size else -1]))


def is_rectified(topic: str) -> bool:
    """Whether an image topic promises rectified images by its name: `image_rect*`, or ZED's `rect/image`."""
    return any(part == "rect" or part.startswith("image_rect") for part in topic.split("/")[-2:])
