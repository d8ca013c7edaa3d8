import numpy as np
import pytest
import scipy.stats

from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.data.image_classes import ImageClasses
from tfmgaug.data.rotated_classes import RotatedClasses


def random_classes(number=6, images=4, shape=(5, 5, 3)):
    pixels = np.random.default_rng(0).integers(0, 256, [number * images, *shape], np.uint8)
    return ImageClasses(pixels, images * np.arange(number + 1), range(number))


CLASSES = random_classes()
TURNED = CLASSES.with_rotations()
# An independent account of the 24 classes, from the image back to its class.
CLASS_OF = {image.tobytes(): c for c in range(len(TURNED)) for image in TURNED.of_class(c)}


def sampler(probability=0.75, ramp=0, classes=CLASSES, **options):
    augmentation = RotatedClasses(probability, ramp)
    options = {"way": 3, "shot": 1, "query": 2, "tasks": 50, **options}
    return EpisodeSampler(classes, task_augmentation=augmentation, **options)


def drawn(sampler, start=0, episodes=2000):
    """Classes of the support images `[episodes, way]`, those of the queries, and the labels."""
    found = [[], []]
    for inputs, _ in sampler.dataset(start, episodes):
        for part, images in zip(found, (inputs["support_x"], inputs["query_x"])):
            part.append([[CLASS_OF[x.tobytes()] for x in task] for task in images.numpy()])
    return np.concatenate(found[0]), np.concatenate(found[1])


def test_support_and_query_are_rotated_as_their_class_is():
    support, query = drawn(sampler(), episodes=200)
    np.testing.assert_array_equal(np.repeat(support, 2, axis=1), query)
    assert all(len(set(task)) == 3 for task in support)


def test_turns_are_counterclockwise():
    images, turns = CLASSES.images[:8], np.arange(8) % 4
    found = RotatedClasses().rotate(images, turns)
    expected = [np.rot90(image, turn) for image, turn in zip(images, turns)]
    np.testing.assert_array_equal(found, expected)


def test_by_default_every_class_is_equally_likely():
    support, _ = drawn(sampler())
    assert scipy.stats.chisquare(np.bincount(support.ravel(), minlength=24)).pvalue > 0.01


@pytest.mark.parametrize(("probability", "share"), [(0.0, 0), (0.25, 0.25), (1.0, 1)])
def test_a_class_is_a_new_one_with_the_probability(probability, share):
    support, _ = drawn(sampler(probability), episodes=1000)
    new = int((support >= 6).sum())
    assert scipy.stats.binomtest(new, support.size, share).pvalue > 0.01


def test_without_new_classes_episodes_are_those_of_the_plain_sampler():
    plain = EpisodeSampler(CLASSES, way=3, query=2)
    for index in (0, 7):
        for expected, found in zip(plain.episode(index), sampler(0.0).episode(index)):
            np.testing.assert_array_equal(expected, found)


def test_the_probability_rises_along_the_ramp_and_stays():
    ramped = sampler(0.8, ramp=4000)
    for start, share in [(0, 0.1), (1000, 0.3), (3000, 0.7), (9000, 0.8)]:
        support, _ = drawn(ramped, start, episodes=1000)
        new = int((support >= 6).sum())
        assert scipy.stats.binomtest(new, support.size, share).pvalue > 0.01


def test_the_first_episode_of_a_ramp_has_original_classes_alone():
    assert RotatedClasses(1.0, ramp=10).probability_at(np.arange(3)).numpy().tolist() == [
        *(0.0, np.float32(0.1), np.float32(0.2))
    ]


def test_a_new_class_has_one_label_where_tasks_are_not_mutually_exclusive():
    support, _ = drawn(sampler(mutually_exclusive=False))
    pairs = {(c, label) for task in support for label, c in enumerate(task)}
    assert sorted(c for c, _ in pairs) == list(range(24))
    np.testing.assert_array_equal(np.bincount([label for _, label in pairs]), [8, 8, 8])


def test_batching_does_not_change_episodes():
    expected, _ = drawn(sampler(ramp=20), episodes=48)
    found, _ = drawn(sampler(ramp=20, tasks=3), episodes=48)
    np.testing.assert_array_equal(expected, found)


def test_images_that_are_not_square_are_refused_with_the_reason():
    with pytest.raises(ValueError, match="not square has another shape.*Received: 5 x 4"):
        sampler(classes=random_classes(shape=(5, 4, 1)))


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("probability", 1.1, ValueError),
        ("probability", "often", TypeError),
        ("ramp", -1, ValueError),
        ("ramp", 0.5, TypeError),
    ],
)
def test_nonsense_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        RotatedClasses(**{name: value})
