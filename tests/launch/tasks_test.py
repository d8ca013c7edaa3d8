import dataclasses
import pickle

import numpy as np
import pytest
from PIL import Image

from launch import settings as flag_table
from launch import tasks
from launch.experiment import Data, Training
from tests.launch.experiments import make
from tfmgaug.data import (
    Augment,
    CenterCrop,
    EpisodeSampler,
    PaddedCrop,
    RotatedClasses,
    SinusoidSampler,
    class_lists,
)

SIDE = 23  # of the images in conftest


def labels_by_image(sampler, episodes=200):
    """For each query image seen, the labels it had."""
    found = {}
    for inputs, query_y in sampler.dataset(episodes=episodes):
        for images, labels in zip(inputs["query_x"].numpy(), query_y.numpy()):
            for image, label in zip(images, labels):
                found.setdefault(image.tobytes(), set()).add(int(label))
    return found


def test_every_field_of_data_and_training_is_a_flag():
    from absl import flags

    if "learner" not in flags.FLAGS:  # another test's command may have defined them
        flag_table.define()
    fields = [*dataclasses.fields(Data), *dataclasses.fields(Training)]
    assert {field.name for field in fields} <= set(flags.FLAGS)


def test_fewer_training_classes_are_the_same_for_all_seeds(options):
    few = [tasks.build(options(train_classes=4, seed=seed)) for seed in (0, 1)]
    whole = tasks.build(options())
    assert len(few[0].train.classes) == 4
    assert few[0].train.classes.class_names == few[1].train.classes.class_names
    assert set(few[0].train.classes.class_names) < set(whole.train.classes.class_names)
    assert few[0].test.classes.class_names == whole.test.classes.class_names


@pytest.mark.parametrize("number", [2, 11])
def test_training_classes_that_do_not_suffice_are_refused(number, options):
    with pytest.raises(ValueError, match=f"from 3 .--way. to 10, .*Received: {number}"):
        tasks.build(options(train_classes=number, way=3))


def test_only_training_classes_are_rotated(options):
    job = tasks.build(options(task_augmentation="rotate"))
    augmentation = job.train.task_augmentation
    assert (augmentation.probability, augmentation.ramp) == (0.75, 0)
    assert job.validation.task_augmentation is None
    assert job.test.task_augmentation is None
    ramped = tasks.build(
        options(task_augmentation="rotate", rotation_probability=0.25, rotation_ramp=80_000)
    ).train.task_augmentation
    assert isinstance(ramped, RotatedClasses)
    assert (ramped.probability, ramped.ramp) == (0.25, 80_000)


def test_training_tasks_have_fixed_labels_and_test_tasks_ordinary_ones(options):
    job = tasks.build(options(mutually_exclusive=False))
    assert {len(labels) for labels in labels_by_image(job.train).values()} == {1}
    assert {len(labels) for labels in labels_by_image(job.test).values()} == {2}
    assert {len(labels) for labels in labels_by_image(job.validation).values()} == {2}


def test_tests_of_training_classes_ask_for_the_labels_of_training(options):
    trained = tasks.build(options(mutually_exclusive=False, seed=5)).train
    tested = tasks.test_sampler(
        options(test_classes="train", test_mutually_exclusive=False, seed=6)
    )
    assert tested.classes.name.endswith("/train with fixed labels")
    known, asked = labels_by_image(trained), labels_by_image(tested)
    assert len(set(known) & set(asked)) > 20
    assert all(asked[image] == known[image] for image in set(known) & set(asked))


def test_photos_are_loaded_larger_and_tested_on_their_center(options):
    job = tasks.build(options(test_crop=True, image_size=20))
    assert job.test.classes.image_shape == (SIDE, SIDE, 3)  # 1.15 times 20
    assert job.example_shape == job.test.image_shape == job.validation.image_shape == (20, 20, 3)
    plain = tasks.build(options(image_size=SIDE))
    np.testing.assert_array_equal(
        job.test.episode(3).query_x, plain.test.episode(3).query_x[:, 1:21, 1:21]
    )
    assert isinstance(job.train.transform, CenterCrop)
    augmented = tasks.build(options(test_crop=True, image_size=20, augment_images=True))
    assert isinstance(augmented.train.transform, Augment)
    assert augmented.train.episode(0).support_x.shape == (2, 20, 20, 3)


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A folder of 12 classes of photos of 40 x 80 pixels, each with a disk in the middle."""
    root = tmp_path_factory.mktemp("wide")
    rows, columns = np.mgrid[:40, :80]
    disk = (rows - 19.5) ** 2 + (columns - 39.5) ** 2 < 15**2
    for c in range(12):
        (root / f"c{c:02d}").mkdir()
        for i in range(4):
            pixels = np.where(disk[..., None], 255, [c, i, 0]).astype(np.uint8)
            Image.fromarray(pixels).save(root / f"c{c:02d}" / f"{i}.png")
    return root


def test_crops_of_photos_keep_the_aspect_ratio_and_tests_do_not(wide, options):
    changes = {"data_dir": str(wide), "image_size": 32, "test_crop": True, "augment_images": True}
    job = tasks.build(options(**changes, image_crop="photo"))
    assert job.train.classes.image_shape == (40, 80, 3)  # smaller than 2.5 times 32
    assert (job.train.classes.sizes == [40, 80]).all()
    assert job.test.classes.image_shape == (36, 36, 3)
    whole = Augment((1, 1), 0, False, (1, 1), image_size=32)  # the central square
    images = EpisodeSampler(job.train.classes, 2, 1, 1, transform=whole)
    found = images.episode(0).support_x[0, :, :, 2] > 127
    assert found.any(axis=0).sum() == found.any(axis=1).sum() == 24
    squashed = job.test.episode(0).support_x[0, :, :, 2] > 127
    assert squashed.any(axis=0).sum() < 0.7 * squashed.any(axis=1).sum()
    assert job.train.episode(0).support_x.shape == job.test.episode(0).support_x.shape


def test_photos_are_cropped_to_their_centers_in_training_and_in_tests(wide, options):
    job = tasks.build(options(data_dir=str(wide), image_size=32, image_fit="center_crop"))
    for sampler in (job.train, job.validation, job.test):
        disk = sampler.episode(0).support_x[0, :, :, 2] > 127
        # 30 of 40 rows are 36 of 48, of which 32 are seen.
        assert disk.any(axis=0).sum() == disk.any(axis=1).sum() == 32


def test_mini_imagenet_is_read_from_pickles(options, tmp_path):
    for split, names in class_lists("mini_imagenet").items():
        content = {
            "image_data": np.zeros([2 * len(names), 8, 8, 3], np.uint8),
            "class_dict": {name: [2 * i, 2 * i + 1] for i, name in enumerate(names)},
        }
        short = "val" if split == "validation" else split
        (tmp_path / f"mini-imagenet-cache-{short}.pkl").write_bytes(pickle.dumps(content))
    changes = {"data": "mini_imagenet", "data_dir": str(tmp_path), "image_size": 8}
    with pytest.warns(UserWarning, match="as published has 600 images.*Received: 2"):
        job = tasks.build(options(**changes, query=1, train_query=1))
    assert [len(one.classes) for one in (job.train, job.validation, job.test)] == [64, 16, 20]
    assert job.example_shape == (8, 8, 3)


def test_the_crop_of_training_images_is_the_one_that_was_chosen(options):
    padded = tasks.build(options(augment_images=True, image_crop="padded"))
    assert isinstance(padded.train.transform, PaddedCrop)
    assert padded.train.classes is padded.seen.classes
    assert padded.test.transform is None


def test_training_tasks_are_scaled_at_random_and_others_are_not(options):
    job = tasks.build(options(train_resolutions=["20", "16"]))
    sides = {inputs["support_x"].shape[2] for inputs, _ in job.train.dataset(episodes=80)}
    assert sides == {20, 16}
    assert job.example_shape == (SIDE, SIDE, 3)
    assert job.test.resolutions is None


def test_sizes_that_are_larger_than_images_are_refused(options):
    with pytest.raises(ValueError, match="`resolutions`.*23 x 23"):
        tasks.build(options(train_resolutions=["24"]))


def test_evaluation_has_no_training_classes_to_limit(options):
    with pytest.raises(ValueError, match="--train_classes needs --test_classes=train"):
        tasks.test_sampler(options(train_classes=5))
    assert len(tasks.test_sampler(options(train_classes=5, test_classes="train")).classes) == 5


def test_training_may_have_other_shots_and_seen_classes_are_tested_as_new_ones_are(options):
    built = tasks.build(options(train_shot=2, query=1))
    assert (built.train.shot, built.validation.shot, built.test.shot) == (2, 1, 1)
    shape = ("way", "shot", "query", "tasks")
    assert all(getattr(built.seen, name) == getattr(built.test, name) for name in shape)
    assert built.seen.classes is built.train.classes
    assert built.seen.seed != built.train.seed


def test_the_fine_tuning_baseline_trains_on_labeled_images_and_is_tested_on_tasks(options):
    found = tasks.build(options(learner="fine_tuning", batch_size=3, seed=7))
    images, labels = next(iter(found.train.dataset()))
    assert (len(images), found.train.seed) == (3, 7)
    assert labels.shape == (3,)
    assert found.example_shape == found.train.image_shape
    assert found.test.way == 2


def test_ranges_of_sine_curves_are_those_of_the_flags_or_the_sampler_s():
    built = tasks.build(make(data="sinusoids", test_amplitude=["4", "6"], train_phase=["1"]))
    assert (built.train.amplitude, built.train.phase) == ((0.1, 3.0), (1.0, 1.0))
    assert (built.validation.amplitude, built.validation.phase) == ((0.1, 3.0), (1.0, 1.0))
    test_phase = SinusoidSampler.TEST_RANGES["phase"]
    assert (built.test.amplitude, built.test.phase) == ((4.0, 6.0), test_phase)
