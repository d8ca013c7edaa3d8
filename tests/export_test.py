import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.full_disk import limited
from tests.helpers.toys import toy_classes
from tfmgaug.backbones import conv4, mlp
from tfmgaug.data.episodes import EpisodeSampler
from tfmgaug.learners import FOMAML, MAML, ProtoNet
from tfmgaug.saved_model import export

SHAPE = (16, 16, 1)

# Runs in an environment where neither the package nor Keras can be imported.
ALONE = """
import sys
for name in ("tfmgaug", "keras", "tf_keras"):
    sys.modules[name] = None
import numpy as np
import tensorflow as tf
data = np.load(sys.argv[2])
signatures = tf.saved_model.load(sys.argv[1]).signatures
x, y, q = (tf.constant(data[name]) for name in ("support_x", "support_y", "query_x"))
state = signatures["adapt"](support_x=x, support_y=y)
two = signatures["predict"](query_x=q, **state)["probabilities"]
one = signatures["adapt_and_predict"](support_x=x, support_y=y, query_x=q)["probabilities"]
np.savez(sys.argv[3], one=one, two=two)
"""


def fomaml(**options):
    backbone = conv4(way=3, image_shape=SHAPE, filters=8)
    return FOMAML(backbone, inner_steps=2, inner_learning_rate=0.1, **options)


def protonet():
    return ProtoNet(conv4(way=None, image_shape=SHAPE, filters=8))


def episode(way=3, shot=2, query=3, size=16, seed=0):
    classes = toy_classes(size=size, noise=120.0)
    drawn = EpisodeSampler(classes, way=way, shot=shot, query=query, seed=seed).episode(0)
    return drawn.support_x.astype(np.float32), drawn.support_y, drawn.query_x.astype(np.float32)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A learner and the path of its export."""
    learner = fomaml()
    return learner, export(learner, tmp_path_factory.mktemp("models") / "export")


def adapt_and_predict(path, support_x, support_y, query_x):
    function = tf.saved_model.load(str(path)).signatures["adapt_and_predict"]
    outputs = function(
        support_x=tf.constant(support_x),
        support_y=tf.constant(support_y),
        query_x=tf.constant(query_x),
    )
    return outputs["probabilities"].numpy()


@pytest.mark.parametrize(
    ("make", "statistics"),
    [
        (fomaml, "transductive"),
        (fomaml, "support"),
        (lambda: fomaml(statistics="running"), "running"),
        (protonet, "support"),
    ],
)
def test_results_equal_the_learners(make, statistics, tmp_path):
    learner, (x, y, q) = make(), episode()
    export(learner, tmp_path / "export", statistics=statistics)
    expected = learner.adapt(x, y, statistics=statistics).predict(q)
    np.testing.assert_allclose(adapt_and_predict(tmp_path / "export", x, y, q), expected, atol=1e-5)
    assert np.ptp(expected) > 0.1


def test_it_runs_without_the_package_and_without_keras(exported, tmp_path):
    learner, path = exported
    x, y, q = episode()
    np.savez(tmp_path / "in.npz", support_x=x, support_y=y, query_x=q)
    arguments = [str(path), str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    subprocess.run([sys.executable, "-c", ALONE, *arguments], check=True, cwd=tmp_path)
    found = np.load(tmp_path / "out.npz")
    expected = learner.adapt(x, y, statistics="support").predict(q)
    np.testing.assert_allclose(found["one"], expected, atol=1e-5)
    np.testing.assert_allclose(found["two"], expected, atol=1e-5)


def test_saved_model_cli_drives_it(exported, tmp_path):
    learner, path = exported
    x, y, q = episode()
    for name, value in {"support_x": x, "support_y": y, "query_x": q}.items():
        np.save(tmp_path / f"{name}.npy", value)
    inputs = ";".join(f"{n}={tmp_path / n}.npy" for n in ("support_x", "support_y", "query_x"))
    command = ["-m", "tensorflow.python.tools.saved_model_cli", "run", "--dir", str(path)]
    command += ["--tag_set", "serve", "--signature_def", "adapt_and_predict"]
    command += ["--inputs", inputs, "--outdir", str(tmp_path)]
    subprocess.run([sys.executable, *command], check=True, capture_output=True)
    expected = learner.adapt(x, y, statistics="support").predict(q)
    np.testing.assert_allclose(np.load(tmp_path / "probabilities.npy"), expected, atol=1e-5)


def test_support_and_queries_may_have_any_size(exported):
    learner, path = exported
    support_x, support_y, _ = episode(size=40)
    query_x = episode(size=24)[2]
    expected = learner.adapt(resized(support_x), support_y, "support").predict(resized(query_x))
    found = adapt_and_predict(path, support_x, support_y, query_x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def resized(images):
    return tf.image.resize(images, SHAPE[:2], antialias=True).numpy()


@pytest.mark.parametrize(("way", "shot", "query"), [(2, 1, 1), (3, 1, 5), (3, 4, 1)])
def test_shots_queries_and_classes_are_free(exported, way, shot, query):
    learner, path = exported
    x, y, q = episode(way, shot, query)
    found = adapt_and_predict(path, x, y, q)
    expected = learner.adapt(x, y, statistics="support").predict(q)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (found[:, way:] == 0).all()


def test_queries_are_judged_alone_by_default(exported):
    _, path = exported
    x, y, q = episode()
    alone = [adapt_and_predict(path, x, y, q[k : k + 1])[0] for k in (0, 4)]
    np.testing.assert_allclose(adapt_and_predict(path, x, y, q)[[0, 4]], alone, atol=1e-5)


@pytest.mark.parametrize("labels", [[0, 3], [-1, 0], [0, 1, 2]])
def test_impossible_labels_raise(exported, labels):
    _, path = exported
    x, _, q = episode()
    with pytest.raises(tf.errors.InvalidArgumentError, match="Expected .* support_y"):
        adapt_and_predict(path, x[:2], np.array(labels, np.int32), q)


def test_regression_takes_and_gives_values(tmp_path):
    learner = MAML(
        mlp(1, (1,), hidden=(8,)), loss="mean_squared_error", inner_steps=2, inner_learning_rate=0.1
    )
    x = np.linspace(-1, 1, 6, dtype=np.float32)[:, None]
    export(learner, tmp_path / "export")
    function = tf.saved_model.load(str(tmp_path / "export")).signatures["adapt_and_predict"]
    found = function(support_x=x, support_y=np.sin(x), query_x=x[:4])["values"]
    expected = learner.adapt(x, np.sin(x), statistics="support").predict(x[:4])
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_export_is_replaced_only_when_told(exported, tmp_path):
    learner, path = exported
    shutil.copytree(path, tmp_path / "export")
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export(learner, tmp_path / "export")
    other = fomaml(seed=1)
    export(other, tmp_path / "export", overwrite=True)
    x, y, q = episode()
    expected = other.adapt(x, y, statistics="support").predict(q)
    np.testing.assert_allclose(adapt_and_predict(tmp_path / "export", x, y, q), expected, atol=1e-5)
    assert [file.name for file in tmp_path.iterdir()] == ["export"]


@pytest.mark.parametrize("name", ["README.md", "variables/notes.txt", "assets.extra/request"])
def test_an_export_that_holds_other_files_is_not_replaced(name, exported, tmp_path):
    shutil.copytree(exported[1], tmp_path / "export")
    (tmp_path / "export" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "export" / name).touch()
    with pytest.raises(FileExistsError, match=f"no export wrote, and is not replaced: {name}"):
        export(exported[0], tmp_path / "export", overwrite=True)
    assert (tmp_path / "export" / name).exists()


def test_a_replacement_that_is_cut_off_is_brought_back(exported, tmp_path, monkeypatch):
    path = tmp_path / "export"
    shutil.copytree(exported[1], path)
    replace = os.replace

    def killed(source, target):
        if target == path:
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr("os.replace", killed)
    with pytest.raises(KeyboardInterrupt):
        export(exported[0], path, overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == [".export.previous"]
    monkeypatch.undo()
    with pytest.raises(FileExistsError, match="overwrite=True"):
        export(exported[0], path)
    assert [file.name for file in tmp_path.iterdir()] == ["export"]
    assert (path / "saved_model.pb").is_file()


def test_a_full_disk_leaves_the_earlier_export(exported, tmp_path):
    shutil.copytree(exported[1], tmp_path / "export")
    words = "export cannot be written: File too large .* free"
    with limited(20_000), pytest.raises(OSError, match=words):
        export(exported[0], tmp_path / "export", overwrite=True)
    assert [file.name for file in tmp_path.iterdir()] == ["export"]
    x, y, q = episode()
    expected = exported[0].adapt(x, y, statistics="support").predict(q)
    np.testing.assert_allclose(adapt_and_predict(tmp_path / "export", x, y, q), expected, atol=1e-5)


def test_a_folder_that_is_no_saved_model_is_never_removed(exported, tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match="is not a SavedModel"):
        export(exported[0], tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").exists()


def test_a_failing_export_leaves_nothing(exported, tmp_path, monkeypatch):
    def fail(module, path, signatures):
        tf.io.gfile.makedirs(path)
        raise OSError("disk full")

    monkeypatch.setattr(tf.saved_model, "save", fail)
    with pytest.raises(OSError, match="disk full"):
        export(exported[0], tmp_path / "export")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options", [{"statistics": "batch"}, {"image_shape": (16, 16, 3)}, {"image_shape": (16, 16)}]
)
def test_bad_options_are_refused(exported, tmp_path, options):
    with pytest.raises(ValueError, match="must"):
        export(exported[0], tmp_path / "export", **options)
