"""The techniques are told apart: on white paper, by colour-blind readers, and without colour."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from results.figures.palette import FAINT, INK, LAYER_PALETTE, PALETTE, WARNING
from wire.techniques import SLUGS

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
VISION = {
    "full": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def linear(color: str) -> NDArray[np.float64]:
    part = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def contrast_on_white(color: str) -> float:
    return float(1.05 / (linear(color) @ [0.2126, 0.7152, 0.0722] + 0.05))


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def test_one_colour_and_marker_for_each_technique() -> None:
    assert tuple(PALETTE) == SLUGS
    assert len({color for color, _ in PALETTE.values()}) == len(SLUGS)
    assert len({marker for _, marker in PALETTE.values()}) == len(SLUGS)


@pytest.mark.parametrize("slug", SLUGS)
def test_marks_stand_out_on_white(slug: str) -> None:
    assert contrast_on_white(PALETTE[slug][0]) >= 3


@pytest.mark.parametrize("ink", [INK, FAINT, WARNING])
def test_text_is_readable_on_white(ink: str) -> None:
    assert contrast_on_white(ink) >= 4.5


@pytest.mark.parametrize("vision", VISION)
def test_colours_differ_for_every_eye(vision: str) -> None:
    seen = {slug: lab(VISION[vision] @ linear(PALETTE[slug][0])) for slug in SLUGS}
    for a, b in combinations(SLUGS, 2):
        assert np.linalg.norm(seen[a] - seen[b]) > 14, (a, b)


def test_layers_differ_in_grey() -> None:
    light = sorted(contrast_on_white(color) for color, _ in LAYER_PALETTE.values())
    assert all(b / a > 1.2 for a, b in pairwise(light))
    assert len({hatch for _, hatch in LAYER_PALETTE.values()}) == len(LAYER_PALETTE)
