import subprocess
import sys
import types

import numpy as np
import pytest
import scipy.interpolate
import scipy.stats
import tensorflow as tf

from tfmgaug.data.draws import TaskDraw
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.data.rotated_classes import RotatedClasses
from tfmgaug.data.transforms import Augment, CenterCrop


def numbered(counts, shape=(2, 3, 1)):
    """Images whose first two pixels are their row, and uneven classes of them."""
    rows = np.arange(sum(counts))
    images = np.zeros([len(rows), *shape], np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0] = rows // 256, rows % 256
    return types.SimpleNamespace(
        images=images,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        counts=np.array(counts),
        class_names=tuple(f"class {c}" for c in range(len(counts))),
        name="numbered/train",
    )


def rows_of(images):
    images = np.asarray(images, np.int64)
    return images[..., 0, 0, 0] * 256 + images[..., 0, 1, 0]


def class_of(classes, images):
    return np.searchsorted(classes.offsets, rows_of(images), side="right") - 1


def collect(sampler, **arguments):
    """All episodes of a finite dataset as a dictionary of numpy arrays."""
    batches = list(sampler.dataset(**arguments))
    inputs = {key: np.concatenate([x[key] for x, _ in batches]) for key in batches[0][0]}
    return {**inputs, "query_y": np.concatenate([y for _, y in batches])}


def assert_same(first, second):
    for key in first:
        np.testing.assert_array_equal(first[key], second[key], err_msg=key)


def p_value(draws, categories):
    return scipy.stats.chisquare(np.bincount(draws.ravel(), minlength=categories)).pvalue


UNEVEN = numbered([7, 30, 9, 12, 8, 20, 7, 11, 16])


@pytest.mark.parametrize("mutually_exclusive", [True, False])
def test_an_episode_repeats_no_class_and_no_image(mutually_exclusive):
    sampler = EpisodeSampler(UNEVEN, 4, 2, 5, mutually_exclusive=mutually_exclusive)
    drawn = collect(sampler, episodes=100)
    for task in range(100):
        support, query = drawn["support_x"][task], drawn["query_x"][task]
        assert len(set(rows_of(support)) | set(rows_of(query))) == 4 * (2 + 5)
        assert len(set(class_of(UNEVEN, support))) == 4


def test_labels_match_classes_in_support_and_query():
    drawn = collect(EpisodeSampler(UNEVEN, 3, 2, 4), episodes=50)
    for task in range(50):
        support = class_of(UNEVEN, drawn["support_x"][task])
        query = class_of(UNEVEN, drawn["query_x"][task])
        class_of_label = dict(zip(drawn["support_y"][task], support))
        assert [class_of_label[label] for label in drawn["support_y"][task]] == list(support)
        assert [class_of_label[label] for label in drawn["query_y"][task]] == list(query)
        np.testing.assert_array_equal(np.bincount(drawn["support_y"][task]), [2, 2, 2])


def test_shapes_and_types_are_static():
    sampler = EpisodeSampler(UNEVEN, way=3, shot=2, query=4, tasks=5)
    for dataset in (sampler.dataset(), sampler.dataset(episodes=10)):
        inputs, query_y = dataset.element_spec
        assert inputs["support_x"] == tf.TensorSpec([5, 6, 2, 3, 1], tf.uint8)
        assert inputs["support_y"] == tf.TensorSpec([5, 6], tf.int32)
        assert inputs["query_x"] == tf.TensorSpec([5, 12, 2, 3, 1], tf.uint8)
        assert inputs["index"] == tf.TensorSpec([5], tf.int64)
        assert query_y == tf.TensorSpec([5, 12], tf.int32)
    assert sampler.dataset().cardinality() == tf.data.INFINITE_CARDINALITY
    assert sampler.dataset(episodes=10).cardinality() == 2


def test_every_class_and_image_is_equally_likely():
    classes = numbered([6] * 7)
    drawn = collect(EpisodeSampler(classes, 2, 1, 2, tasks=50, seed=3), episodes=3000)
    assert p_value(class_of(classes, drawn["support_x"]), 7) > 0.01
    assert p_value(rows_of(drawn["support_x"]), 42) > 0.01
    assert p_value(rows_of(drawn["query_x"]), 42) > 0.01


def test_every_pair_of_support_and_query_image_is_equally_likely():
    classes = numbered([4, 4])
    drawn = collect(EpisodeSampler(classes, 2, 1, 1, tasks=50), episodes=3000)
    support, query = rows_of(drawn["support_x"]) % 4, rows_of(drawn["query_x"]) % 4
    counts = np.bincount((4 * support + query).ravel(), minlength=16).reshape(4, 4)
    assert not np.diag(counts).any()
    assert scipy.stats.chisquare(counts[~np.eye(4, dtype=bool)]).pvalue > 0.01


def test_mutually_exclusive_tasks_give_a_class_every_label():
    classes = numbered([3] * 5)
    drawn = collect(EpisodeSampler(classes, 5, 1, 1, tasks=50), episodes=2000)
    labelled = 5 * class_of(classes, drawn["support_x"]) + drawn["support_y"]
    assert p_value(labelled, 25) > 0.01


def test_other_tasks_give_a_class_one_label():
    classes = numbered([3] * 11)
    sampler = EpisodeSampler(classes, 4, 1, 1, tasks=50, mutually_exclusive=False)
    drawn = collect(sampler, episodes=2000)
    pairs = np.stack([class_of(classes, drawn["support_x"]), drawn["support_y"]], -1)
    label_of = dict(np.unique(pairs.reshape(-1, 2), axis=0))
    assert sorted(label_of) == list(range(11))
    assert len(np.unique(pairs.reshape(-1, 2), axis=0)) == 11
    for label in range(4):
        group = pairs[pairs[..., 1] == label][:, 0]
        assert np.unique(group).size in (2, 3)
        assert scipy.stats.chisquare(np.unique(group, return_counts=True)[1]).pvalue > 0.01


def test_the_seed_chooses_the_partition():
    groups = [
        EpisodeSampler(numbered([3] * 20), 4, 1, 1, seed=seed, mutually_exclusive=False).groups
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(groups[0], groups[1])
    assert not np.array_equal(groups[0], groups[2])
    assert sorted(np.concatenate(groups[0])) == list(range(20))


def test_samplers_with_one_partition_give_a_class_one_label():
    classes = numbered([4] * 12)
    labels = []
    for seed in (1, 2):
        options = {"seed": seed, "mutually_exclusive": False, "partition_seed": 7}
        drawn = collect(EpisodeSampler(classes, 4, 1, 2, **options), episodes=60)
        shown = class_of(classes, drawn["query_x"]).ravel()
        labels.append(dict(zip(shown, drawn["query_y"].ravel())))
    assert labels[0] == labels[1]
    assert len(labels[0]) == 12
    assert (
        drawn["query_x"] != collect(EpisodeSampler(classes, 4, 1, 2), episodes=60)["query_x"]
    ).any()


def test_the_seed_and_the_index_determine_an_episode():
    drawn = collect(EpisodeSampler(UNEVEN, seed=5, shot=1, query=2), episodes=20)
    assert_same(drawn, collect(EpisodeSampler(UNEVEN, seed=5, shot=1, query=2), episodes=20))
    other = collect(EpisodeSampler(UNEVEN, seed=6, shot=1, query=2), episodes=20)
    assert (drawn["support_x"] != other["support_x"]).any(axis=(1, 2, 3, 4)).mean() > 0.9
    assert len(np.unique(rows_of(drawn["support_x"]), axis=0)) == 20


@pytest.mark.parametrize("tasks", [1, 3, 24])
def test_batching_does_not_change_episodes(tasks):
    four = collect(EpisodeSampler(UNEVEN, query=2, tasks=4), episodes=48)
    assert_same(four, collect(EpisodeSampler(UNEVEN, query=2, tasks=tasks), episodes=48))


@pytest.mark.parametrize("start", [3, 2**40])
def test_a_start_skips_episodes(start):
    sampler = EpisodeSampler(UNEVEN, query=2, tasks=4)
    later = collect(sampler, start=start + 5, episodes=8)
    whole = collect(sampler, start=start, episodes=13)
    assert_same({key: value[5:] for key, value in whole.items()}, later)
    np.testing.assert_array_equal(later["index"], np.arange(start + 5, start + 13))


def test_a_part_of_a_batch_ends_a_finite_dataset():
    sampler = EpisodeSampler(UNEVEN, query=2, tasks=4)
    sizes = [len(query_y) for _, query_y in sampler.dataset(start=1, episodes=10)]
    assert sizes == [4, 4, 2]
    assert sampler.dataset(episodes=10).element_spec[1].shape == [None, 10]


def test_episode_equals_the_dataset_at_its_index():
    sampler = EpisodeSampler(UNEVEN, query=2, transform=reverse_by_seed)
    episode = sampler.episode(6)
    drawn = collect(sampler, episodes=8)
    assert_same({key: drawn[key][6] for key in drawn}, episode._asdict())
    assert episode.support_y.shape == (5,)


def reverse_by_seed(images, seed):
    return tf.where(tf.random.stateless_uniform([], seed) < 0.5, 255 - images, images)


def test_a_transform_sees_each_set_with_a_seed_of_its_own():
    plain = collect(EpisodeSampler(UNEVEN, query=2), episodes=100)
    changed = collect(EpisodeSampler(UNEVEN, query=2, transform=reverse_by_seed), episodes=100)
    support, query = (
        (plain[name] != changed[name]).any(axis=(1, 2, 3, 4)) for name in ("support_x", "query_x")
    )
    table = np.bincount(2 * support + query, minlength=4)
    assert scipy.stats.chisquare(table).pvalue > 0.01


@pytest.mark.parametrize("channels", [1, 3])
def test_augmented_episodes_depend_on_the_seed_and_the_index_alone(channels):
    classes = numbered([8] * 6, shape=(8, 9, channels))
    classes.images = np.random.default_rng(0).integers(0, 256, classes.images.shape, np.uint8)
    four, one, plain = (
        EpisodeSampler(classes, query=3, tasks=tasks, transform=transform)
        for tasks, transform in ((4, Augment()), (1, Augment()), (4, None))
    )
    drawn = collect(four, episodes=8)
    assert_same(drawn, collect(one, episodes=8))
    assert_same({key: drawn[key][6] for key in drawn}, four.episode(6)._asdict())
    same = drawn["query_x"] == collect(plain, episodes=8)["query_x"]
    assert not same.all(axis=(2, 3, 4)).any()


def test_a_batch_is_drawn_without_a_loop_and_without_asking_the_device():
    options = {"transform": Augment(), "task_augmentation": RotatedClasses()}
    sampler = EpisodeSampler(numbered([8] * 6, shape=(8, 8, 3)), query=3, **options)
    batch = tf.function(sampler._batch).get_concrete_function(tf.TensorSpec([4], tf.int64))
    graph = batch.graph.as_graph_def()
    nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
    operations = {node.op for node in nodes}
    assert "StatelessRandomUniformFullIntV2" in operations
    assert not [op for op in operations if "While" in op or "StatelessRandomGet" in op]


def test_a_transform_may_declare_another_size():
    classes = numbered([8] * 6, shape=(6, 7, 3))
    drawn = {}
    for transform in (None, CenterCrop(4), Augment(image_size=(5, 4))):
        sampler = EpisodeSampler(classes, query=2, transform=transform)
        drawn[transform] = collect(sampler, episodes=8)["query_x"]
        assert sampler.dataset().element_spec[0]["query_x"].shape == [4, 10, *sampler.image_shape]
        assert drawn[transform].shape == (8, 10, *sampler.image_shape)
    plain, center, cropped = drawn.values()
    np.testing.assert_array_equal(center, plain[:, :, 1:5, 1:5])
    assert cropped.shape[2:] == (5, 4, 3)


def test_tasks_are_made_of_given_classes_turns_and_images():
    draws, classes = np.random.default_rng(0), pictures()
    tasks = TaskDraw(
        np.array([[4, 0, 2], [1, 5, 3]]),
        draws.integers(0, 4, (2, 3)),
        np.array([[draws.permutation(8)[:3] for _ in range(3)] for _ in range(2)]),
    )

    class Given(EpisodeSampler):
        def draw(self, index):
            return TaskDraw(*(tf.gather(part, index % 2) for part in tasks))

    drawn = collect(Given(classes, 3, 1, 2, task_augmentation=RotatedClasses()), episodes=2)
    rows = 8 * tasks.classes[..., None] + tasks.images
    for task, label in np.ndindex(2, 3):
        first, *others = np.rot90(
            classes.images[rows[task, label]], tasks.turns[task, label], axes=(1, 2)
        )
        np.testing.assert_array_equal(drawn["support_x"][task, label], first)
        np.testing.assert_array_equal(drawn["query_x"][task, 2 * label : 2 * label + 2], others)


# Resolutions


def pictures(side=9):
    classes = numbered([8] * 6, shape=(side, side, 3))
    classes.images = np.random.default_rng(0).integers(0, 256, classes.images.shape, np.uint8)
    return classes


def test_all_images_of_a_batch_are_reduced_to_one_of_the_resolutions():
    sampler = EpisodeSampler(pictures(), query=2, tasks=2, resolutions=[9, 6, 4])
    sides = []
    for inputs, _ in sampler.dataset(episodes=60):
        support, query = (inputs[part].shape for part in ("support_x", "query_x"))
        assert (support[:2], query[:2]) == ((2, 5), (2, 10))
        assert set(support[2:4]) == set(query[2:4])
        sides.append(support[2])
    assert set(sides) == {9, 6, 4}
    assert sampler.dataset().element_spec[0]["query_x"].shape.as_list() == [2, 10, None, None, 3]
    assert sampler.image_shape == (9, 9, 3)


def test_batches_have_given_resolutions():
    class Given(EpisodeSampler):
        def draw_resolution(self, index):
            return tf.gather([6, 9], tf.cast(index[0] // self.tasks % 2, tf.int32))

    sampler = Given(pictures(), query=2, tasks=2, resolutions=[9, 6, 4])
    sides = [inputs["query_x"].shape[2] for inputs, _ in sampler.dataset(episodes=8)]
    assert sides == [6, 9, 6, 9]


def test_images_are_reduced_bilinearly_with_aligned_corners():
    plain = collect(EpisodeSampler(pictures(), query=2), episodes=4)
    found = collect(EpisodeSampler(pictures(), query=2, resolutions=[5]), episodes=4)
    points = np.linspace(0, 8, 5)
    for part in ("support_x", "query_x"):
        rows = scipy.interpolate.interp1d(np.arange(9), plain[part].astype(float), axis=2)(points)
        expected = scipy.interpolate.interp1d(np.arange(9), rows, axis=3)(points)
        np.testing.assert_allclose(found[part], expected, atol=0.51)


def test_at_full_resolution_nothing_changes():
    plain = collect(EpisodeSampler(pictures(), query=2), episodes=8)
    assert_same(plain, collect(EpisodeSampler(pictures(), query=2, resolutions=[9]), episodes=8))


def test_an_episode_has_the_resolution_of_its_batch():
    sampler = EpisodeSampler(pictures(), query=2, tasks=2, resolutions=[9, 6, 4])
    for inputs, _ in sampler.dataset(start=4, episodes=8):
        for support_x, index in zip(inputs["support_x"], inputs["index"]):
            np.testing.assert_array_equal(support_x, sampler.episode(int(index)).support_x)
    with pytest.raises(ValueError, match="multiple of tasks=2. Received: start=3"):
        sampler.dataset(start=3)


@pytest.mark.parametrize("resolutions", [[10], [], [0], [4.0]])
def test_sides_that_images_cannot_be_reduced_to_are_refused(resolutions):
    with pytest.raises((TypeError, ValueError), match="`resolutions` must be"):
        EpisodeSampler(pictures(), query=2, resolutions=resolutions)


def test_only_square_images_have_resolutions():
    with pytest.raises(ValueError, match="square images.*8 x 9"):
        EpisodeSampler(numbered([8] * 6, shape=(8, 9, 3)), query=2, resolutions=[4])


# Bad input


def test_a_transform_that_changes_the_shape_is_refused():
    sampler = EpisodeSampler(UNEVEN, query=2, transform=lambda images, seed: images[:, :1])
    with pytest.raises(ValueError, match="shape"):
        sampler.dataset()


@pytest.mark.parametrize("first", [0, 3])
def test_memory_mapped_images_are_read_where_they_are(tmp_path, first):
    whole = numbered([8] * 12)
    np.save(tmp_path / "images.npy", whole.images)
    mapped = numbered([8] * (12 - first))
    mapped.images = np.load(tmp_path / "images.npy", mmap_mode="r")[8 * first :]
    copied = numbered([8] * (12 - first))
    copied.images = np.array(mapped.images)
    shared = EpisodeSampler(mapped, query=3)
    assert_same(collect(shared, episodes=9), collect(EpisodeSampler(copied, query=3), episodes=9))
    # The tensor is the file, not a copy of it.
    address = np.from_dlpack(Unversioned(shared._images)).ctypes.data
    assert address == mapped.images.ctypes.data - 8 * first * 6


class Unversioned:
    """A tensor whose `__dlpack__` takes the arguments that NumPy gives it."""

    def __init__(self, tensor):
        self._tensor = tensor

    def __dlpack__(self, **_):
        return self._tensor.__dlpack__()

    def __dlpack_device__(self):
        return self._tensor.__dlpack_device__()


def test_a_strided_view_is_read_correctly():
    every_other, dense = numbered([8] * 6), numbered([8] * 6)
    every_other.images = np.repeat(dense.images, 2, axis=0)[::2]
    assert_same(
        collect(EpisodeSampler(every_other, query=3), episodes=9),
        collect(EpisodeSampler(dense, query=3), episodes=9),
    )


def test_the_interpreter_exits_while_episodes_are_being_drawn():
    script = """
import numpy as np
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.data.image_classes import ImageClasses
classes = ImageClasses(np.zeros([2000, 28, 28, 1], "uint8"), np.arange(101) * 20, range(100))
batches = iter(EpisodeSampler(classes, tasks=16).dataset())
print(next(batches)[1].shape)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=90)
    assert run.returncode == 0
    assert run.stdout.strip() == b"(16, 75)"


def test_too_few_classes_are_named():
    with pytest.raises(ValueError, match=r"at least way=10 classes in 'numbered/train'.*: 9"):
        EpisodeSampler(UNEVEN, way=10, query=1)


def test_too_few_images_are_named():
    with pytest.raises(ValueError, match=r"at least 10 .*'numbered/train'.* 7 in class 'class 0'"):
        EpisodeSampler(UNEVEN, shot=2, query=8)
    with pytest.raises(ValueError, match=r"4 of 9 classes have too few"):
        EpisodeSampler(UNEVEN, shot=2, query=8)


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("way", 1, ValueError),
        ("shot", 0, ValueError),
        ("query", 0, ValueError),
        ("tasks", 0, ValueError),
        ("seed", -1, ValueError),
        ("seed", 2**63, ValueError),
        ("way", 5.0, TypeError),
        ("shot", True, TypeError),
        ("seed", None, TypeError),
        ("mutually_exclusive", 1, TypeError),
        ("transform", "flip", TypeError),
        ("partition_seed", -1, ValueError),
        ("partition_seed", 0.5, TypeError),
    ],
)
def test_nonsense_is_refused_by_name(name, value, error):
    with pytest.raises(error, match=f"`{name}`"):
        EpisodeSampler(UNEVEN, **{"query": 2, name: value})


def test_an_array_is_not_classes():
    with pytest.raises(TypeError, match="ImageClasses"):
        EpisodeSampler(UNEVEN.images)


@pytest.mark.parametrize("arguments", [{"start": -1}, {"episodes": 0}])
def test_a_dataset_refuses_nonsense(arguments):
    with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`"):
        EpisodeSampler(UNEVEN, query=2).dataset(**arguments)
