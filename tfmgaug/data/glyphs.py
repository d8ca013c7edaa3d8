"""The built-in data set: characters of many scripts, in the fonts that matplotlib ships."""

import functools
import os
import unicodedata
from collections.abc import Iterator

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageFont

IMAGES_PER_CLASS = 20
IMAGE_SIZE = 28

# The beginnings of the characters' Unicode names. Where two characters look alike the first one
# in this order is kept, so that no shape of a training script is met again in a test script.
TRAIN_SCRIPTS = (
    "LATIN",
    "GREEK",
    "CYRILLIC",
    "ARABIC",
    "CANADIAN SYLLABICS",
    "NKO",
    "LISU",
    "OGHAM",
    "COPTIC",
    "OLD ITALIC",
)
VALIDATION_SCRIPTS = ("GEORGIAN", "HEBREW")
TEST_SCRIPTS = ("ARMENIAN", "LAO", "TIFINAGH")

_FACES = tuple(
    f"DejaVu{family}{style}.ttf"
    for family, slanted in (("Sans", "Oblique"), ("Serif", "Italic"), ("SansMono", "Oblique"))
    for style in ("", "-Bold", f"-{slanted}", f"-Bold{slanted}")
)
_REGULAR, _BOLD = 0, 1  # the sans face has all the scripts in these two styles
_FONT_SIZE = 56  # pixels; twice the size of the images, which are averaged down
_CANVAS = 2 * IMAGE_SIZE
_ALIKE = 0.93  # cosine of two blurred, centered drawings of the same size

# The jitter, uniform between minus and plus these values.
_ROTATION = np.deg2rad(20)
_LOG_SCALE = 0.2
_SHEAR = 0.25
_SHIFT = 3.0  # canvas pixels
_WARP = 3.0  # canvas pixels that each corner of the mesh moves by
_CELLS = 3  # of the mesh, on a side
_BODY = 38  # canvas pixels of the longer side before the jitter


def render_glyphs(seed: int = 0) -> tuple[list[np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Draws the glyph set: 20 images of each character, white (255) on black.

    A class is a character. Each of its images takes one of the DejaVu faces that have the
    character (sans, serif, mono; regular, bold, oblique), scales it to a common size, and
    distorts it by a random affine map and by moving the corners of a mesh, which bends the
    strokes. Left out are characters composed of others, such as letters with accents, and
    characters that look like an earlier one, such as the Greek capital alpha.

    Args:
        seed: integer of at least 0. The set of classes does not depend on it.

    Returns:
        The images of each class, `[20, 28, 28, 1]` uint8; the classes' names, which are the
        Unicode names of the characters; and the classes' scripts, each one of `TRAIN_SCRIPTS`,
        `VALIDATION_SCRIPTS` or `TEST_SCRIPTS`.

    Raises:
        TypeError: if the seed is not an integer.
        ValueError: if the seed is negative.

    Example:
    >>> images, names, scripts = render_glyphs(seed=0)
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool):
        raise TypeError(f"`seed` must be an integer. Received: {seed!r}")
    if seed < 0:
        raise ValueError(f"`seed` must be at least 0. Received: seed={seed}")
    characters = _distinct_characters()
    images = [_draw_class(character, seed) for character, _ in characters]
    names = tuple(unicodedata.name(character) for character, _ in characters)
    return images, names, tuple(script for _, script in characters)


def _distinct_characters() -> list[tuple[str, str]]:
    """The characters and their scripts, without those that look like an earlier one."""
    candidates = [
        (character, script)
        for script in TRAIN_SCRIPTS + VALIDATION_SCRIPTS + TEST_SCRIPTS
        for character in _letters(script)
    ]
    # Strokes become bolder where a small capital is enlarged: compare across weights as well.
    weights = [
        np.stack([_shape(face, character) for character, _ in candidates])
        for face in (_REGULAR, _BOLD)
    ]
    alike = sum(glyph @ other.T > _ALIKE for glyph in weights for other in weights)
    kept = []
    for index in range(len(candidates)):
        if not alike[index, kept].any():
            kept.append(index)
    return [candidates[index] for index in kept]


def _letters(script: str) -> Iterator[str]:
    """Letters and digits of a script that a face has, in the order of their code points."""
    for code in sorted(set().union(*(codes for _, codes in _faces()))):
        character = chr(code)
        if (
            unicodedata.name(character, "").startswith(script + " ")
            and unicodedata.category(character) in ("Lu", "Ll", "Lo", "Nd")
            and not unicodedata.decomposition(character)
            and _glyph(_REGULAR, character) is not None
            and _glyph(_BOLD, character) is not None
        ):
            yield character


@functools.cache
def _faces() -> tuple[tuple[ImageFont.FreeTypeFont, frozenset[int]], ...]:
    """The fonts and the code points that each has."""
    folder = os.path.join(matplotlib.get_data_path(), "fonts", "ttf")
    paths = [os.path.join(folder, name) for name in _FACES]
    return tuple(
        # The basic layout draws the same whether or not Pillow was built with Raqm.
        (
            ImageFont.truetype(path, _FONT_SIZE, layout_engine=ImageFont.Layout.BASIC),
            frozenset(FT2Font(path).get_charmap()),
        )
        for path in paths
    )


def _glyph(face: int, character: str) -> Image.Image | None:
    """The character's ink in one face, cut to its bounding box; None if there is none."""
    font, codes = _faces()[face]
    if ord(character) not in codes:
        return None
    mask = font.getmask(character, mode="L")
    if 0 in mask.size or mask.getbbox() is None:
        return None
    ink = Image.frombytes("L", mask.size, bytes(mask))
    return ink.crop(ink.getbbox())


def _shape(face: int, character: str) -> np.ndarray:
    """What the character looks like without jitter: a blurred drawing as a unit vector."""
    moves = np.zeros([1, _CELLS + 1, _CELLS + 1, 2])
    (drawing,) = _draw([_glyph(face, character)], np.eye(2)[np.newaxis], moves)
    pixels = np.asarray(drawing.reduce(2), np.float64).ravel()
    pixels -= pixels.mean()
    return pixels / np.linalg.norm(pixels)


def _draw_class(character: str, seed: int) -> np.ndarray:
    """`[20, 28, 28, 1]` uint8, from a random generator of the character's own."""
    random = np.random.default_rng([seed, ord(character)])
    glyphs = [_glyph(face, character) for face in range(len(_faces()))]
    glyphs = [glyph for glyph in glyphs if glyph is not None]
    chosen = [glyphs[face] for face in random.integers(len(glyphs), size=IMAGES_PER_CLASS)]
    drawings = _draw(chosen, _random_matrices(random), _random_moves(random))
    return np.stack([np.asarray(drawing) for drawing in drawings])[..., np.newaxis]


def _random_matrices(random: np.random.Generator) -> np.ndarray:
    """`[20, 2, 2]`, from the canvas to the glyph: rotation, then shear, then scales."""
    angle, shear, x_scale, y_scale = random.uniform(-1, 1, size=[4, IMAGES_PER_CLASS])
    cosine, sine = np.cos(_ROTATION * angle), np.sin(_ROTATION * angle)
    rotated = np.array([[cosine, -sine], [sine, cosine]])
    sheared = np.array([rotated[0] + _SHEAR * shear * rotated[1], rotated[1]])
    scaled = sheared * np.exp(_LOG_SCALE * np.array([x_scale, y_scale]))[:, np.newaxis]
    return np.moveaxis(scaled, 2, 0)


def _random_moves(random: np.random.Generator) -> np.ndarray:
    """By how much the corners of the mesh move, `[20, 4, 4, 2]`: all together, and each."""
    together = random.uniform(-_SHIFT, _SHIFT, size=[IMAGES_PER_CLASS, 1, 1, 2])
    corners = [IMAGES_PER_CLASS, _CELLS + 1, _CELLS + 1, 2]
    return together + random.uniform(-_WARP, _WARP, size=corners)


def _draw(glyphs: list[Image.Image], matrices: np.ndarray, moves: np.ndarray) -> list[Image.Image]:
    """The glyphs on a canvas each, through a matrix and the moved corners of a mesh."""
    edges = np.rint(np.linspace(0, _CANVAS, _CELLS + 1)).astype(int)
    corners = np.stack(np.meshgrid(edges, edges), axis=-1)  # [row, column, (x, y)]
    sizes = np.array([glyph.size for glyph in glyphs])[:, np.newaxis, np.newaxis]
    sources = np.einsum("nij,nrcj->nrci", matrices, corners - _CANVAS / 2 + moves)
    sources = sources * (sizes.max(axis=-1, keepdims=True) / _BODY) + sizes / 2

    # Pillow maps boxes of the canvas to quadrilaterals of the glyph.
    boxes = np.concatenate([corners[:-1, :-1], corners[1:, 1:]], axis=-1).reshape(-1, 4).tolist()
    upper, lower = sources[:, :-1], sources[:, 1:]
    quads = [upper[:, :, :-1], lower[:, :, :-1], lower[:, :, 1:], upper[:, :, 1:]]
    quads = np.concatenate(quads, axis=-1).reshape(len(glyphs), -1, 8).tolist()
    size = (_CANVAS, _CANVAS)
    return [
        glyph.transform(
            size, Image.Transform.MESH, list(zip(boxes, quad)), Image.Resampling.BILINEAR
        ).reduce(2)
        for glyph, quad in zip(glyphs, quads)
    ]
