import hashlib

import numpy as np
import pytest

from tfmgaug.data import glyphs


@pytest.fixture(scope="module")
def rendered():
    return glyphs.render_glyphs(seed=0)


def test_a_class_is_twenty_white_drawings_on_black(rendered):
    images, names, scripts = rendered
    assert len(images) == len(names) == len(scripts) == len(set(names))
    pixels = np.stack(images)
    assert pixels.shape[1:] == (20, 28, 28, 1)
    assert pixels.dtype == np.uint8
    assert 0.03 < (pixels > 127).mean() < 0.3
    assert (pixels.max(axis=(2, 3, 4)) > 127).all()


def test_scripts_are_disjoint_and_large_enough(rendered):
    _, _, scripts = rendered
    splits = (glyphs.TRAIN_SCRIPTS, glyphs.VALIDATION_SCRIPTS, glyphs.TEST_SCRIPTS)
    assert len(set().union(*splits)) == sum(map(len, splits))
    assert set(scripts) == set().union(*splits)
    counts = [sum(script in split for script in scripts) for split in splits]
    assert counts[0] >= 500
    assert counts[1] >= 40
    assert counts[2] >= 60


def test_the_seed_determines_the_bytes(rendered):
    _, names, _ = rendered
    for character in "AЖש":
        first = glyphs._draw_class(character, 0)
        np.testing.assert_array_equal(first, glyphs._draw_class(character, 0))
        assert (first != glyphs._draw_class(character, 1)).any(axis=(1, 2, 3)).all()
    position = names.index("HEBREW LETTER SHIN")
    np.testing.assert_array_equal(rendered[0][position], glyphs._draw_class("ש", 0))


def test_no_two_images_are_the_same(rendered):
    digests = {hashlib.sha256(image.tobytes()).digest() for image in np.concatenate(rendered[0])}
    assert len(digests) == 20 * len(rendered[0])


@pytest.mark.parametrize(
    "alike",
    [
        {"GREEK CAPITAL LETTER ALPHA", "CYRILLIC CAPITAL LETTER A", "LATIN CAPITAL LETTER A"},
        {"LATIN SMALL LETTER O", "LATIN CAPITAL LETTER O", "ARMENIAN CAPITAL LETTER OH"},
        {"LATIN CAPITAL LETTER S", "LATIN SMALL LETTER S", "CYRILLIC CAPITAL LETTER DZE"},
    ],
)
def test_one_of_several_that_look_alike_is_kept(rendered, alike):
    assert len(alike & set(rendered[1])) == 1


def test_composed_characters_are_left_out(rendered):
    assert "LATIN SMALL LETTER E WITH ACUTE" not in rendered[1]
    assert "LATIN SMALL LETTER E" in rendered[1]


def test_nearest_raw_pixels_do_not_solve_the_test_scripts(rendered):
    images, _, scripts = rendered
    test = [x for x, script in zip(images, scripts) if script in glyphs.TEST_SCRIPTS]
    pixels = np.stack(test).reshape(len(test), 20, -1) / 255.0
    random, right = np.random.default_rng(0), []
    for _ in range(300):
        support, query = np.split(pixels[random.choice(len(test), 5, replace=False)], [1], axis=1)
        distances = ((query[:, :, np.newaxis] - support[:, 0]) ** 2).sum(axis=-1)
        right.append((distances.argmin(axis=-1) == np.arange(5)[:, np.newaxis]).mean())
    assert 0.35 < np.mean(right) < 0.65


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (0.5, TypeError)])
def test_a_bad_seed_is_refused(seed, error):
    with pytest.raises(error, match="`seed`"):
        glyphs.render_glyphs(seed)
