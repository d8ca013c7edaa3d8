"""The runs behind the figures of the MGAug paper, and what is drawn of them."""

from launch.papers.mgaug.experiments import (
    STARTS,
    longer_baseline,
    never_mutually_exclusive,
    recipe,
    started,
)
from launch.papers.paper import Figure, Panel


def _fomaml(data, backbone, row=None):
    return recipe(2, "fomaml", data, 1, backbone, row)


def _curves(data):
    return {
        "FoMAML": _fomaml(data, "resnet10"),
        "+ Aug": _fomaml(data, "resnet10", "aug"),
        "+ MGAug": _fomaml(data, "resnet10", "cp"),
    }


_CP = {"MGAug-CP": _fomaml("cub", "resnet10", "cp")}

FIGURES = (
    Figure(1, "The four steps of a meta-update", "A drawing: it shows no data."),
    Figure(
        2,
        "MMCA distribution of the last layer in Conv-4, at a pruning rate of 20 %",
        "The paper names neither learner nor data: FOMAML with MGAug-CP on CUB, 1-shot.",
        (
            Panel(
                "figure2",
                "importance",
                {"MGAug-CP": _fomaml("cub", "conv4", "cp")},
                ("--rates=0.2",),
            ),
        ),
    ),
    Figure(
        3,
        "Loss and accuracy of FoMAML, Aug and MGAug, ResNet-10, mini-ImageNet and CUB",
        "The paper doesn't name the shots: 1-shot.",
        (
            Panel("figure3_mini_imagenet", "curves", _curves("mini_imagenet")),
            Panel("figure3_cub", "curves", _curves("cub")),
        ),
    ),
    Figure(
        4,
        "Hat graphs of the accuracy on 100 tasks: WP, PP, CP, and CP on NME tasks; CUB, ResNet-10",
        "The paper doesn't name the shots: 1-shot. Width has rates of its own, at which at least "
        "one channel goes: 2 to 25 %. (d) is on tasks of the training classes: others have no "
        "label that could be known by heart.",
        (
            Panel(
                "figure4_a",
                "hat",
                {"MGAug-WP": _fomaml("cub", "resnet10", "wp")},
                # At the rates of the others, no channel of 64 goes. At these 1, 3, 8 and 16 go.
                ("--episodes=100", "--rates=0.02,0.05,0.125,0.25"),
            ),
            Panel(
                "figure4_bc",
                "hat",
                {f"MGAug-{row.upper()}": _fomaml("cub", "resnet10", row) for row in ("pp", "cp")},
                ("--episodes=100",),
            ),
            Panel(
                "figure4_d",
                "hat",
                {"MGAug-CP NME": never_mutually_exclusive()},
                ("--episodes=100", "--test_classes=train"),
            ),
        ),
    ),
    Figure(
        5,
        "Fine-tuning with and without catfish pruning, and from a random initialization",
        "The paper names no data: as in Figure 4, CUB 1-shot, ResNet-10.",
        (Panel("figure5", "finetuning", _CP, ("--episodes=100",)),),
    ),
    Figure(
        6,
        "Accuracy of training with catfish pruning from epochs 0, 400, 800 and 1200 on",
        "ProtoNet, CUB 5-shot. The paper doesn't name the backbone: Conv-4. 1600 epochs, by its "
        "text: twice those of Table 1. Curves are of training tasks, and of 100 tasks of test "
        "classes after each epoch of the paper.",
        (
            Panel(
                "figure6",
                "curves",
                {
                    "+ Aug": longer_baseline(),
                    **{f"MGAug from {epoch}": started(epoch) for epoch in STARTS},
                },
            ),
        ),
    ),
    Figure(
        7,
        "Grad-CAM of the full network and of pruned ones",
        "The paper doesn't say of which run: CUB 1-shot, ResNet-10, MGAug-CP.",
        (Panel("figure7", "attention", _CP),),
    ),
)
