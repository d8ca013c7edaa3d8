import itertools
import re

import numpy as np
import pytest
import scipy.stats
from PIL import Image

from tfmgaug.data import (
    EpisodeSampler,
    ImageClasses,
    RotatedClasses,
    count_duplicates,
    from_arrays,
    from_folder,
    image_groups,
)
from tfmgaug.data.enough import lacking


def grouped(*sizes, shuffled=True):
    """Images whose first two pixels are their row; one class for each list of sizes of groups."""
    counts = [sum(of_class) for of_class in sizes]
    rows = np.arange(sum(counts))
    images = np.zeros([len(rows), 2, 2, 1], np.uint8)
    images[:, 0, 0, 0], images[:, 0, 1, 0], images[:, 1] = rows // 256, rows % 256, 200
    draws = np.random.default_rng(0)
    groups = [np.repeat(np.arange(len(of_class)), of_class) for of_class in sizes]
    groups = np.concatenate([draws.permutation(g) if shuffled else g for g in groups])
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return ImageClasses(images, offsets, range(len(sizes)), groups=groups)


def rows_of(images):
    return np.asarray(images, int)[..., 0, 0, 0] * 256 + np.asarray(images, int)[..., 0, 1, 0]


def drawn(sampler, episodes):
    batches = list(sampler.dataset(episodes=episodes))
    support = np.concatenate([inputs["support_x"] for inputs, _ in batches])
    return rows_of(support), rows_of(np.concatenate([inputs["query_x"] for inputs, _ in batches]))


UNEVEN = grouped([10, 10], [1] * 20, [5] * 4, [2] * 9 + [7], [3] * 10, [1, 2, 3, 4, 5, 6])


@pytest.mark.parametrize("shot", [1, 2, 5])
@pytest.mark.parametrize("options", [{}, {"task_augmentation": RotatedClasses()}])
def test_no_group_is_on_both_sides_of_an_episode(shot, options):
    sampler = EpisodeSampler(UNEVEN, way=5, shot=shot, query=8, tasks=20, **options)
    plain = EpisodeSampler(UNEVEN, way=5, shot=shot, query=8, tasks=20)
    for support, query in zip(*drawn(plain, 400)):
        assert len({*support, *query}) == 5 * (shot + 8)
        classes = [np.searchsorted(UNEVEN.offsets, r, "right") - 1 for r in (support, query)]
        sides = [set(zip(c, UNEVEN.groups[r])) for c, r in zip(classes, (support, query))]
        assert not sides[0] & sides[1]
    assert sampler.episode(3).support_x.shape[0] == 5 * shot


def test_images_that_are_their_own_groups_are_drawn_as_without_groups():
    single = grouped([1] * 30, [1] * 22, [1] * 25)
    plain = ImageClasses(single.images, single.offsets, single.class_names)
    for shot in (1, 5):
        shape = {"way": 3, "shot": shot, "query": 15, "seed": 3}
        found, expected = (drawn(EpisodeSampler(c, **shape), 40) for c in (single, plain))
        for side, plain_side in zip(found, expected):
            np.testing.assert_array_equal(side, plain_side)


def test_an_episode_with_groups_depends_on_its_index_alone():
    four, one = (EpisodeSampler(UNEVEN, query=8, tasks=tasks) for tasks in (4, 1))
    for side, other in zip(drawn(four, 24), drawn(one, 24)):
        np.testing.assert_array_equal(side, other)
    np.testing.assert_array_equal(rows_of(four.episode(9).query_x), drawn(four, 24)[1][9])


def test_pairs_of_support_and_query_are_equally_likely_where_groups_allow_them():
    classes = grouped([2, 2, 2], [2, 2, 2])
    support, query = drawn(EpisodeSampler(classes, way=2, shot=1, query=1, tasks=50), 4000)
    first = np.bincount(6 * support[support < 6] + query[query < 6], minlength=36)
    groups = classes.groups[:6]
    first = first[(groups[:, np.newaxis] != groups).ravel()]
    assert len(first) == 24
    assert scipy.stats.chisquare(first).pvalue > 0.01


def brute_force(sizes, shot, query):
    """Whether every order of groups leaves a full support set and enough queries."""
    for order in itertools.permutations(sizes):
        together = np.cumsum(order)
        support = together[together <= sum(sizes) - query]
        if not len(support) or support[-1] < shot:
            return False
    return True


def test_classes_that_may_fail_are_exactly_those_found_lacking():
    draws = np.random.default_rng(1)
    cases = [draws.integers(1, 7, draws.integers(1, 6)).tolist() for _ in range(60)]
    for shot, query in [(1, 2), (2, 3), (4, 4), (5, 8)]:
        expected = [c for c, sizes in enumerate(cases) if not brute_force(sizes, shot, query)]
        assert lacking(grouped(*cases), shot, query).tolist() == expected
        assert 0 < len(expected) < 60


def test_a_class_without_enough_outside_its_groups_is_named_with_a_remedy():
    classes = grouped([10, 3], [5, 5, 5])
    message = (
        r"query=5 images outside of the groups of any shot=1 .*'images'. Received: 13 images in 2 "
        r"groups, the largest of 10, in class '0' \(1 of 2 .*--skip_small_classes.*smaller groups"
    )
    with pytest.raises(ValueError, match=message):
        EpisodeSampler(classes, way=2, shot=1, query=5)
    assert classes.with_enough(1, 5).class_names == ("1",)
    EpisodeSampler(classes, way=2, shot=1, query=3)


def test_groups_follow_their_images():
    images = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2) + 10
    classes = from_arrays(images, ["b", "a", "b", "a", "b"], groups=["x", "y", "x", "z", "y"])
    assert classes.groups.tolist() == [1, 2, 0, 0, 1]
    assert classes.subset(["b"]).groups.tolist() == [0, 0, 1]
    turned = classes.with_rotations().subset(["b@180"]).groups
    assert turned[0] == turned[1] != turned[2]


@pytest.mark.parametrize("groups", [[1, 2], [1.5] * 3, [[1], [2], [3]]])
def test_groups_that_are_not_one_for_each_image_are_refused(groups):
    with pytest.raises(ValueError, match="`groups` must be one integer or name for each of 3"):
        from_arrays([np.full([3, 2, 2], 9, np.uint8)], groups=groups)


@pytest.fixture
def birds(tmp_path):
    """Two species of three birds, three photos each, one more photo of no bird in particular."""
    for c, b, n in itertools.product(range(2), range(3), range(3)):
        path = tmp_path / "birds" / f"c{c}" / f"bird{b}" / f"{c}_bird{b}_{n}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(
            np.random.default_rng(9 * c + 3 * b + n).integers(0, 256, [6, 6, 3], "u1")
        ).save(path)
    Image.new("RGB", (6, 6), "red").save(tmp_path / "birds" / "c0" / "alone.png")
    return tmp_path / "birds"


def partition(groups):
    return [[int(i) for i in np.flatnonzero(groups == g)] for g in np.unique(groups)]


EXPECTED = [[0], [1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12], [13, 14, 15], [16, 17, 18]]


@pytest.mark.parametrize(
    "groups",
    [
        "folder",
        lambda path: None if "alone" in path else path.rsplit("_", 1)[0],
        image_groups.by_pattern(r"(\d_bird\d)|alone"),
    ],
)
def test_groups_come_from_folders_or_from_names(groups, birds, tmp_path):
    options = {"fractions": (0, 0, 1), "cache_dir": tmp_path / "cache"}
    test = from_folder(birds, groups=groups, **options).test
    assert partition(test.groups) == EXPECTED
    assert from_folder(birds, **options).test.groups is None
    assert count_duplicates(test).identical.tolist() == [0, 0]


def test_groups_stay_with_their_images_when_classes_are_split_and_images_are_lost(birds, tmp_path):
    (birds / "c2").symlink_to(birds / "c1")
    (birds / "c1" / "bird0" / "1_bird0_1.png").write_bytes(b"")
    lists = {"train": ["c1"], "validation": ["c2"], "test": ["c0"]}
    with pytest.warns(UserWarning, match="unreadable|two splits"):
        train, _, test = from_folder(
            birds, groups="folder", splits=lists, skip_unreadable=True, cache_dir=tmp_path / "cache"
        )
    assert partition(train.groups) == [[0, 1], [2, 3, 4], [5, 6, 7]]
    assert partition(test.groups) == EXPECTED[:4]


def test_groups_lie_one_folder_deeper_in_a_folder_that_is_split(birds, tmp_path):
    (birds / "test").mkdir()
    for c in ("c0", "c1"):
        (birds / c).rename(birds / "test" / c)
    test = from_folder(birds, groups="folder", cache_dir=tmp_path / "cache").test
    assert partition(test.groups) == EXPECTED


@pytest.mark.parametrize(
    ("groups", "error", "message"),
    [
        (lambda path: path, None, ""),
        ("file", TypeError, "'folder', a function"),
        (image_groups.by_pattern("(bird.)"), ValueError, "every path but 'c0/alone.png'"),
    ],
)
def test_groups_that_say_nothing_of_an_image_are_refused(groups, error, message, birds, tmp_path):
    options = {"fractions": (0, 0, 1), "cache_dir": tmp_path / "cache"}
    if error is None:
        assert len(partition(from_folder(birds, groups=groups, **options).test.groups)) == 19
        return
    with pytest.raises(error, match=re.escape(message)):
        from_folder(birds, groups=groups, **options)


def test_folders_of_groups_must_be_there(tmp_path):
    for c in range(3):
        (tmp_path / "flat" / f"c{c}").mkdir(parents=True)
        Image.new("RGB", (4, 4), (c, 50, 50)).save(tmp_path / "flat" / f"c{c}" / "0.png")
    with pytest.raises(ValueError, match="class/group/image.jpg.*Received: none"):
        from_folder(tmp_path / "flat", groups="folder", cache_dir=tmp_path / "cache")


@pytest.mark.parametrize(("pattern", "message"), [("bird", "Received: 0"), ("(", "no regular")])
def test_a_pattern_needs_one_group(pattern, message):
    with pytest.raises(ValueError, match=message):
        image_groups.by_pattern(pattern)
