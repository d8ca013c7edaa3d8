"""The implementations that are compared, and their forms."""

import dataclasses
import itertools

OURS = "tfmgaug"

# glibc gives freed memory back to the system and fetches it again zeroed, page by page, at every
# step. These keep what was once fetched.
_TUNED = {
    "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 34),
    "MALLOC_TOP_PAD_": str(1 << 26),
}


@dataclasses.dataclass(frozen=True)
class Implementation:
    """One way to take the step, run in a process of its own.

    Attributes:
        name: its name in the table.
        module: has `build(workload, problem, dtype, **options)`, which returns an object with
            `step(fixed_masks=None)` and `measure(result)`.
        options: keyword arguments of `build`.
        environment: variables set in the process.
        learners: which learners it has; None: all.
        images_only: whether it is skipped for MLPs, of which it would measure nothing new.
    """

    name: str
    module: str
    options: dict = dataclasses.field(default_factory=dict)
    environment: dict = dataclasses.field(default_factory=dict)
    learners: tuple[str, ...] | None = None
    images_only: bool = False

    def does(self, workload):
        """Whether it takes part in a workload."""
        return (self.learners is None or workload.learner in self.learners) and not (
            self.images_only and workload.hidden
        )


def _forms(name, module, learners=None, tuned=True):
    """The forms of a PyTorch peer: memory layouts, and allocators."""
    for last, allocator in itertools.product((False, True), (False, True) if tuned else (False,)):
        yield Implementation(
            name + " channels-last" * last + " tuned-malloc" * allocator,
            f"launch.benchmarks.{module}",
            {"channels_last": True} if last else {},
            _TUNED if allocator else {},
            learners,
            images_only=last,
        )


# Without inner steps, nothing is cloned or patched, and the first two would be the third.
_ADAPTING = ("fomaml", "maml")

IMPLEMENTATIONS = (
    Implementation(OURS, "launch.benchmarks.ours"),
    # The package itself does not build on today's Python.
    *_forms("learn2learn's rule (rewritten)", "torch_learn2learn", _ADAPTING),
    *_forms("higher", "torch_higher", _ADAPTING),
    *_forms("torch.func loop", "torch_functional"),
    *_forms("torch.func vmap", "torch_vectorized"),
    Implementation("JAX loop", "launch.benchmarks.jax_peer"),
    Implementation("JAX vmap", "launch.benchmarks.jax_peer", {"vectorized": True}),
)

CONVOLUTIONS = tuple(
    Implementation(
        f"convolution in {framework}",
        "launch.benchmarks.convolution_rate",
        {"framework": framework},
    )
    for framework in ("tensorflow", "torch")
)


def choose(names):
    """Chooses implementations; ours is always among them, as all are compared with it.

    Args:
        names: list of names, or parts of names; empty: all.

    Returns:
        A list of `Implementation`, ours first, each once.

    Raises:
        ValueError: a name fits none.
    """
    known = [implementation.name for implementation in IMPLEMENTATIONS]
    chosen = {OURS} if names else set(known)
    for name in names:
        fitting = [implementation for implementation in known if implementation == name] or [
            implementation for implementation in known if name in implementation
        ]
        if not fitting:
            raise ValueError(
                f"--implementations must be among: {'; '.join(known)}. Received: {name!r}."
            )
        chosen.update(fitting)
    return [implementation for implementation in IMPLEMENTATIONS if implementation.name in chosen]
