"""The workloads, which all implementations are timed on."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Workload:
    """One outer step: the meta-gradient of a batch of tasks, nothing applied.

    Attributes:
        name: letter, and variant where there are several.
        title: what it is, in a line.
        learner: "fomaml", "maml" (second order) or "protonet".
        image_shape: (height, width, channels).
        shot: labeled images of each class.
        inner_steps: number of inner steps; 0 for ProtoNet.
        tasks: tasks in the batch.
        way: classes of a task.
        query: query images of each class.
        filters: channels of each block of Conv-4.
        hidden: sizes of the hidden layers, if the backbone is an MLP.
        blocks: channels of the residual blocks, if the backbone is a ResNet-12; with neither it is
            Conv-4.
        inner_learning_rate: of the inner steps.
        score: which gradient scores the masks of MGAug: "query_loss", at the weights before
            adaptation (the paper), or "meta_gradient", the full network's (the authors' code);
            None: no MGAug.
        rates: share of every convolution kernel that each sub-network is pruned by.
    """

    name: str
    title: str
    learner: str
    image_shape: tuple[int, int, int]
    shot: int
    inner_steps: int
    tasks: int = 4
    way: int = 5
    query: int = 15
    filters: int = 64
    hidden: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()
    inner_learning_rate: float = 0.01
    score: str | None = None
    rates: tuple[float, ...] = ()

    @property
    def second_order(self):
        """Whether the meta-gradient flows through the inner gradients."""
        return self.learner == "maml"

    @property
    def head(self):
        """Whether a dense layer makes logits; ProtoNet compares embeddings instead."""
        return self.learner != "protonet"

    def smaller(self):
        """Returns a small form that takes a moment: fewer tasks, smaller images and networks."""
        return dataclasses.replace(
            self,
            title=f"tiny form of: {self.title}",
            image_shape=(20, 20, self.image_shape[-1]),  # 20, 10, 5, 2: an odd size among them
            inner_steps=min(self.inner_steps, 2),
            tasks=min(self.tasks, 2),
            way=3,
            query=3,
            filters=8,
            hidden=(16, 8) if self.hidden else (),
            blocks=(4, 6, 8) if self.blocks else (),
            rates=self.rates[:2],
        )


_A = Workload("A", "FOMAML, 84x84x3, 1-shot, 5 steps", "fomaml", (84, 84, 3), 1, 5)
_B = Workload("B", "MAML second order, 28x28x1, 1-shot, 5 steps", "maml", (28, 28, 1), 1, 5)
_C1 = Workload("C1", "ProtoNet, 84x84x3, 5-shot, 1 episode", "protonet", (84, 84, 3), 5, 0, tasks=1)
_D = {"rates": (0.02, 0.01, 0.01)}

WORKLOADS = (
    _A,
    _B,
    _C1,
    dataclasses.replace(_C1, name="C4", title="ProtoNet, 84x84x3, 5-shot, 4 episodes", tasks=4),
    dataclasses.replace(
        _A,
        name="D-paper",
        title="A with MGAug, 3 catfish sub-networks, scored by the query loss before adaptation",
        score="query_loss",
        **_D,
    ),
    dataclasses.replace(
        _A,
        name="D-authors",
        title="A with MGAug, 3 catfish sub-networks, scored by the full network's meta-gradient",
        score="meta_gradient",
        **_D,
    ),
    Workload(
        "E",
        "MAML second order, MLP 256-128-64-64, 28x28x1, 5-shot, 3 steps",
        "maml",
        (28, 28, 1),
        5,
        3,
        hidden=(256, 128, 64, 64),
    ),
    Workload("F", "MAML second order, 84x84x3, 1-shot, 5 steps", "maml", (84, 84, 3), 1, 5),
    # At full width, 64-160-320-640, the products alone are a minute's work of two cores.
    dataclasses.replace(
        _A,
        name="G",
        title="A with ResNet-12 at half its width, 32-80-160-320",
        blocks=(32, 80, 160, 320),
    ),
)


def choose(names):
    """Chooses workloads by name.

    Args:
        names: list of names; "C" and "D" stand for all that begin so. Empty: all.

    Returns:
        A list of `Workload`, in the table's order, each once.

    Raises:
        ValueError: a name is unknown.
    """
    known = [workload.name for workload in WORKLOADS]
    unknown = [n for n in names if not any(_is_called(w, n) for w in WORKLOADS)]
    if unknown:
        raise ValueError(f"--workloads must be among {', '.join(known)}. Received: {unknown}.")
    return [w for w in WORKLOADS if not names or any(_is_called(w, name) for name in names)]


def _is_called(workload, name):
    family = workload.name[0] if workload.name[0] in "CD" else workload.name
    return name.upper() in (workload.name.upper(), family)
