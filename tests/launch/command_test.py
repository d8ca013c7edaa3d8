"""Help and wrong flags of all commands, which are answered without TensorFlow."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
COMMANDS = ("train", "evaluate", "analyze", "export", "reproduce", "benchmark")
SCRIPT = """
import runpy, sys
sys.argv = sys.argv[1:]
code = 0
try:
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
except SystemExit as end:
    code = end.code
print("ENDED WITH", code, sorted({"tensorflow", "keras", "tfmgaug"} & set(sys.modules)))
"""


def run(command, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, f"launch.{command}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    printed, _, ended = done.stdout.partition("ENDED WITH ")
    assert ended, done.stderr
    assert ended.strip().endswith("[]"), f"imported: {ended}"
    return printed, ended.strip().removesuffix(" []")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train --learnr=maml", "Unknown command line flag 'learnr'"),
        ("train --learner=mamal", "should be one of <anil|boil|"),
        ("train --way=one", "--way=one"),
        ("train --mask_rates=0.1,a", "each must be a number from 0 to 1, not 'a'"),
        ("train --schedule_epochs=1", "each must be an integer of at least 2, not '1'"),
        ("train extra", "Expected flags only. Received: extra"),
        ("train --mask=none --subnetworks=2", "belongs to --mask=catfish, parameter or width"),
        ("train --strided", "Error: --strided is called --pooling=strided now."),
        ("train --catfish_score=query_loss", "--catfish_score is called --mask_score now."),
        ("train --recipe=quickstrat", "There is no such recipe. Nearest are quickstart"),
        (
            "train --recipe=mgaug/table1/cub/1-shot/conv4/protonet --shot=1 --momentum=0.9",
            "belongs to --optimizer=sgd. Received: --momentum with --optimizer=adam",
        ),
        ("evaluate --runs=a --statistics=batch", "--statistics must be of transductive, support"),
        ("evaluate --runs=a --overwrite", "belongs to --output. Received: --overwrite"),
        ("evaluate --runs=a --datasets=cub --data=cub", "leave away --data"),
        ("evaluate --runs=a --datasets=glyphs:/photos", "glyphs has no files"),
        ("evaluate --runs=a --datasets=cub --split=background", "belongs to --data=omniglot"),
        ("evaluate --runs=a --train_classes=5", "belongs to --test_classes=train"),
        ("evaluate --way=5", "Flag --runs must have a value"),
        ("analyze hats --runs=a", "Expected one of attention, "),
        ("analyze hat --runs=a --units=3", "--units has no meaning for `hat`"),
        ("export --run=a --path=b --format=ticket --statistics=support", "--format=saved_model"),
        ("reproduce", "Expected --list, or --paper"),
        ("reproduce --list --table=1", "belongs to --nolist. Received: --table with --list"),
        ("reproduce --paper=mgaug --figure=3 --cells=cub", "are for tables"),
        ("reproduce --paper=mgaug --table=1 --dry_run --output=a", "of which --dry_run has none"),
        ("reproduce --paper=mgaug --table=1 --dry_run --head=svm", "--learner=metaoptnet"),
        ("reproduce --paper=mgaug --table=1 --seeds=0,0", "--seeds must be different"),
        ("reproduce --paper=mgaug --table=1 --dry_run --folders=cars:/cars", "--folders"),
        ("benchmark --workloads=Z", "--workloads must be among"),
        ("benchmark --overwrite", "belongs to --output"),
    ],
)
def test_a_wrong_flag_is_answered_without_tensorflow(arguments, message):
    _, code = run(*arguments.split())
    assert message in code
    assert code.startswith("Error: ")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_opens_with_few_flags_in_groups_and_ends_well(command):
    printed, code = run(command, "--help")
    assert code == "0"
    shown = [line for line in printed.splitlines() if line.startswith("  --")]
    assert 5 <= len(shown) <= 11
    assert "--helpshort" in printed.splitlines()[-1]
    groups = [line for line in printed.splitlines() if line.endswith(":") and line[0] != " "]
    assert groups


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("train", ("way", "inner_optimizer", "pruning_rates", "iterand_every", "pooling")),
        ("evaluate", ("data", "way", "runs", "output")),
        ("analyze", ("data", "runs", "units")),
        ("reproduce", ("data_dir", "learner", "paper")),
        ("benchmark", ("workloads", "overwrite")),
    ],
)
def test_the_short_help_lists_the_flags_of_all_families(command, names):
    printed, code = run(command, "--helpshort")
    assert code == "0"
    for name in names:
        assert f"\n  --{name}:" in printed.replace("--[no]", "--"), name
