"""The classes of a folder that are trained on, and those that are tested."""

import json
import warnings

import pytest
from PIL import Image

from launch import images, tasks, ways

CLASSES = 15


@pytest.fixture
def run(tmp_path):
    """Makes what a run leaves behind."""

    def make(name="run", **flags):
        (tmp_path / name).mkdir()
        saved = {"data": "folder", "data_dir": "/elsewhere", "data_seed": 0, "fractions": None}
        saved |= {"split": "vinyals"}
        (tmp_path / name / "flags.json").write_text(json.dumps(saved | flags))
        (tmp_path / name / "learner.keras").write_bytes(b"")
        return tmp_path / name

    return make


def test_all_classes_of_a_foreign_folder_are_test_classes(options, run):
    sampler = tasks.test_sampler(options(way=5), [run(), run("other", data="glyphs")])
    assert len(sampler.classes) == CLASSES
    assert sampler.classes.name.endswith(f"(all {CLASSES} classes)")


def test_the_folder_of_training_keeps_its_split(options, run, pictures, tmp_path):
    own = tasks.build(options()).test.classes.class_names
    (tmp_path / "link").symlink_to(pictures)
    for name, path in (("real", pictures), ("linked", tmp_path / "link")):
        runs = [run(name, data_dir=str(path)), run(f"beside {name}")]
        found = tasks.test_sampler(options(), [runs[0] / "learner.keras", runs[1]]).classes
        assert found.class_names == own
        assert found.name.endswith("/test")


def test_a_learner_without_flags_beside_it_keeps_the_split(options, tmp_path):
    (tmp_path / "learner.keras").write_bytes(b"")
    assert len(tasks.test_sampler(options(), [tmp_path / "learner.keras"]).classes) == 3


@pytest.mark.parametrize(
    ("changes", "classes"),
    [({"test_classes": "train"}, 10), ({"fractions": ["0.4", "0.2", "0.4"]}, 6)],
)
def test_flags_that_ask_for_other_classes_are_heeded(changes, classes, options, run):
    assert len(tasks.test_sampler(options(**changes), [run()]).classes) == classes


def test_a_split_that_would_test_on_training_classes_is_refused(
    options,
    run,
    pictures,
):
    trained = run(data_dir=str(pictures), fractions=["0.5", "0.2", "0.3"], data_seed=4)
    with pytest.raises(ValueError, match="--fractions=0.5,0.2,0.3 --data_seed=4.*Pass the same"):
        tasks.test_sampler(options(), [trained])
    same = options(fractions=["0.5", "0.2", "0.3"], data_seed=4)
    assert len(tasks.test_sampler(same, [trained]).classes) == 4
    omniglot = run("omniglot", data="omniglot", split="background")
    with pytest.raises(ValueError, match="--split=background"):
        images.is_foreign(options(data="omniglot"), [omniglot])


def test_a_folder_with_test_alone_is_enough_to_test_on(options, run, tmp_path):
    for number in range(12):
        folder = tmp_path / "mine" / "test" / f"c{number // 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (6, 6), (20 * number, 9, 99)).save(folder / f"{number}.png")
    found = tasks.test_sampler(options(data_dir=str(tmp_path / "mine")), [run()])
    assert (len(found.classes), found.classes.name) == (4, "mine/test")
    message = "2 classes for training.*0 in mine/train, 0 in.*more classes into the folders"
    with pytest.raises(ValueError, match=message):
        tasks.build(options(data_dir=str(tmp_path / "mine")))


def test_too_few_classes_of_a_split_are_said_with_shares_that_do(options):
    with pytest.raises(ValueError, match="at least 4 classes for training, 4 for val") as error:
        tasks.build(options(way=4))
    assert "10 in pictures" in str(error.value)
    assert "2 in pictures" in str(error.value)
    (advice,) = [word for word in str(error.value).split() if word.startswith("--fractions=")]
    shares = advice.removeprefix("--fractions=").rstrip(",").split(",")
    built = tasks.build(options(way=4, fractions=shares))
    assert [len(s.classes) for s in (built.train, built.validation, built.test)] == [7, 4, 4]


@pytest.mark.parametrize("classes", [15, 16, 23, 24, 31, 50, 99, 101, 400])
def test_advised_shares_always_suffice(classes):
    from tfmgaug.data.splitting import draw_groups

    shares = [float(share) for share in ways._shares(classes, (5, 5, 5)).split(",")]
    sizes = [len(group) for group in draw_groups([str(c) for c in range(classes)], shares)]
    assert min(sizes) >= 5
    assert sum(sizes) == classes


def test_too_few_classes_for_any_split_name_the_largest_way(options):
    with pytest.raises(
        ValueError, match="15 classes are too few for such a split, 18 are enough.*--way=5 or"
    ):
        tasks.build(options(way=6))


def test_groups_are_a_folder_or_a_pattern_and_of_folders_alone(options):
    built = tasks.build(options(groups=r"/(\d)\.png|zzz", query=1))
    assert len(set(built.test.classes.groups)) == len(built.test.classes.images)
    with pytest.raises(ValueError, match="Expected one group in parentheses"):
        tasks.build(options(groups="bird"))
    with pytest.raises(
        ValueError, match="to --data=folder. Received: .*--groups.* with --data=glyphs"
    ):
        tasks.build(options(data="glyphs", data_dir=None, groups="folder"))


def test_small_classes_are_skipped_on_request(options):
    with pytest.raises(ValueError, match="--skip_small_classes"):
        tasks.build(options(query=5))
    with (
        pytest.warns(UserWarning, match="15 of 15 classes with fewer than 6 images"),
        pytest.raises(ValueError, match="0 in pictures"),
    ):
        tasks.build(options(query=5, skip_small_classes=True))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(tasks.build(options(skip_small_classes=True)).train.classes) == 10


def test_shares_that_are_no_three_numbers_are_refused(options):
    for shares in (["0.5", "0.5"], ["a", "b", "c"]):
        with pytest.raises(ValueError, match="three shares.*Received"):
            tasks.build(options(fractions=shares))
