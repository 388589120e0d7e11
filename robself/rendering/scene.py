"""The built-in scene: a furnished corner of a room, x right, y down, z into the room, metres.

Most edges of colour are edges of depth; the poster, the floor, the labels and the shadows have edges of
colour alone. The stems and the lamp's bar are finer than a pixel of the depth camera.
In the near infrared leaves are bright, print pales, and a dark dye may be the brighter one.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from robself.rendering.shapes import Box, Cylinder, Ellipsoid, Plane, Shape, rotation
from robself.rendering.textures import bricks, checks, mottled, parcel, planks, poster, stripes

FLOOR, LEAVES = 0.75, 9
BLACK, STEEL = (
    mottled((0.015, 0.015, 0.018), (0.03, 0.03, 0.03)),
    mottled((0.35, 0.36, 0.38), (0.5, 0.5, 0.52)),
)
LEAF_INFRARED = (0.2, 0.3, 0.0, 0.5)
DYE_INFRARED = (-0.35, 0.0, 0.0, 0.6)
WOOD = planks((0.30, 0.16, 0.07), (0.46, 0.27, 0.13), width=0.09, length=3.0)


@lru_cache(maxsize=2)
def build_scene(seed: int = 0) -> tuple[Shape, ...]:
    """All shapes; the seed arranges the leaves of the plant."""
    return (*_room(), *_table(), *_on_the_table(), *_lattice(), *_around(), *_plant(seed))


def rolling_ball(index: float) -> Shape:
    """What moves on its own, for scenes that want it: across the floor, 40 mm a frame."""
    return Ellipsoid(
        (-0.55 + 0.04 * index, 0.55, 1.45),
        checks((0.75, 0.55, 0.08), (0.10, 0.12, 0.35), 0.12),
        rotation(z=23 * index),
        half=(0.2, 0.2, 0.2),
        infrared=DYE_INFRARED,
    )


def _room() -> list[Shape]:
    plaster = mottled((0.52, 0.54, 0.55), (0.62, 0.63, 0.62), 0.5)
    back = poster(0.72, 0.52, plaster)
    floor = planks((0.24, 0.15, 0.09), (0.40, 0.27, 0.17))
    wall = bricks((0.36, 0.13, 0.08), (0.45, 0.43, 0.40))
    skirting = mottled((0.7, 0.7, 0.68), (0.75, 0.75, 0.72))
    centre, turn = np.array([0.42, -0.42, 2.95]), rotation(y=-8)
    along_the_floor = tuple(centre + turn @ np.array([0, FLOOR - 0.045 - centre[1], 0]))
    return [
        Plane(tuple(centre), back, turn, casts_shadow=False),
        Plane((0.0, FLOOR, 2.0), floor, rotation(x=-90), casts_shadow=False),
        Plane((0.0, -1.6, 2.0), plaster, rotation(x=90), casts_shadow=False),
        Plane((1.55, 0.0, 2.0), wall, rotation(y=78), casts_shadow=False),
        Plane((-2.1, 0.0, 2.0), plaster, rotation(y=-90), casts_shadow=False),
        Box(along_the_floor, skirting, turn, half=(3, 0.045, 0.014)),
    ]


def _table() -> list[Shape]:
    top = Box((0.10, 0.30, 1.55), WOOD, rotation(y=12), half=(0.62, 0.018, 0.30))
    legs = [
        Cylinder((0.10 + x, 0.53, 1.55 + z), STEEL, height=0.22, top=0.016, bottom=0.012)
        for x, z in ((-0.50, -0.14), (0.54, -0.36), (-0.40, 0.34), (0.62, 0.12))
    ]
    return [top, *legs]


def _on_the_table() -> list[Shape]:
    return [
        Box(
            (0.42, 0.182, 1.52),
            parcel((0.42, 0.28, 0.16), (0.60, 0.50, 0.34), (0.85, 0.85, 0.82)),
            rotation(y=-24),
            half=(0.13, 0.10, 0.09),
        ),
        Box(
            (0.46, 0.045, 1.56),
            stripes((0.05, 0.16, 0.36), (0.75, 0.75, 0.72), 0.035, axis=1),
            rotation(y=9),
            half=(0.07, 0.037, 0.06),
            infrared=DYE_INFRARED,
        ),
        Ellipsoid(
            (0.13, 0.182, 1.38),
            stripes((0.70, 0.09, 0.05), (0.85, 0.80, 0.70), 0.105, 0.5),
            rotation(x=25, z=-20),
            half=(0.1, 0.1, 0.1),
        ),
        Cylinder(
            (-0.10, 0.217, 1.50),
            stripes((0.80, 0.55, 0.06), (0.12, 0.10, 0.09), 0.05, 0.75, axis=1),
            height=0.065,
            top=0.042,
            bottom=0.038,
        ),
        # A lamp: foot, a bar of 12 mm, a shade.
        Cylinder((0.22, 0.273, 1.72), BLACK, height=0.009, top=0.07, bottom=0.075, reflects_infrared=False),
        Cylinder((0.22, 0.02, 1.72), STEEL, height=0.26, top=0.006, bottom=0.006),
        Cylinder(
            (0.22, -0.26, 1.72),
            mottled((0.65, 0.60, 0.45), (0.75, 0.70, 0.55)),
            height=0.07,
            top=0.06,
            bottom=0.12,
        ),
    ]


def _lattice() -> list[Shape]:
    """A rack on the left: bars of 36 mm, six pixels of the SR image, one and a half of the source."""
    paint = mottled((0.07, 0.22, 0.25), (0.10, 0.28, 0.30))
    turn = rotation(y=28)
    middle = np.array([-0.78, 0.10, 1.95])

    def place(x: float, y: float) -> tuple[float, float, float]:
        return tuple(middle + turn @ np.array([x, y, 0.0]))

    posts = [Box(place(x, 0), paint, turn, half=(0.018, 0.62, 0.018)) for x in (-0.36, -0.12, 0.12, 0.36)]
    rails = [Box(place(0, y), paint, turn, half=(0.378, 0.018, 0.02)) for y in (-0.6, 0.0, 0.6)]
    return [*posts, *rails]


def _around() -> list[Shape]:
    return [
        # A board that leans against the brick wall, a crate and a ball on the floor.
        Box(
            (0.98, 0.22, 2.02),
            checks((0.10, 0.13, 0.30), (0.62, 0.60, 0.52), 0.09),
            rotation(x=-14, y=36, z=9),
            half=(0.17, 0.5, 0.012),
            infrared=DYE_INFRARED,
        ),
        Box(
            (-0.42, 0.60, 2.30),
            planks((0.38, 0.26, 0.14), (0.55, 0.40, 0.24), 0.075, 2.0),
            rotation(y=33),
            half=(0.20, 0.15, 0.16),
        ),
        Box(
            (-0.40, 0.36, 2.32),
            parcel((0.45, 0.31, 0.18), (0.58, 0.47, 0.3), (0.8, 0.8, 0.78)),
            rotation(y=12),
            half=(0.13, 0.09, 0.11),
        ),
        Ellipsoid(
            (-0.50, 0.60, 1.62),
            checks((0.82, 0.80, 0.75), (0.10, 0.28, 0.12), 0.09),
            rotation(x=30, z=25),
            half=(0.15, 0.15, 0.15),
        ),
        Cylinder((0.62, 0.50, 2.45), BLACK, height=0.25, top=0.13, bottom=0.11, reflects_infrared=False),
    ]


def _plant(seed: int) -> list[Shape]:
    """A pot at the front of the table and leaves on curved stems."""
    draw = np.random.default_rng(seed)
    foot = np.array([-0.26, 0.17, 1.42])
    pot = Cylinder(
        (foot[0], 0.212, foot[2]),
        mottled((0.42, 0.16, 0.08), (0.55, 0.24, 0.12)),
        height=0.07,
        top=0.075,
        bottom=0.052,
    )
    shapes: list[Shape] = [pot]
    for index in range(LEAVES):
        heading = 360 * index / LEAVES + draw.uniform(-12, 12)
        lean, length = draw.uniform(15, 48), draw.uniform(0.14, 0.27)
        turn = rotation(y=heading) @ rotation(x=lean)
        tip = foot + turn @ np.array([0, -length, 0])
        shapes.append(
            Cylinder(
                tuple((foot + tip) / 2),
                mottled((0.10, 0.20, 0.05), (0.16, 0.28, 0.08)),
                turn,
                height=length / 2,
                top=0.003,
                bottom=0.004,
            )
        )
        green = draw.uniform(0.75, 1.25)
        leaf = stripes(
            (0.05 * green, 0.22 * green, 0.05), (0.10 * green, 0.34 * green, 0.08), 0.035, 0.75, axis=1
        )
        droop = turn @ rotation(x=draw.uniform(15, 50))
        shapes.append(
            Ellipsoid(
                tuple(tip + droop @ np.array([0, -0.07, 0])),
                leaf,
                droop,
                half=(0.045, 0.1, 0.006),
                infrared=LEAF_INFRARED,
            )
        )
    return shapes
