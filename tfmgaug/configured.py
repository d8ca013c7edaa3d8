"""Objects that are saved by the arguments of their constructors."""

import functools
import inspect
from typing import Any, Self

_FOREIGN = ("builtins", "keras", "tensorflow")


class Settled:
    """Refuses changes of its settings once it is part of a learner, whose graphs depend on them.

    Settings are the arguments of the constructor.
    """

    def __setattr__(self, name, value):
        if self.__dict__.get("_settled_in") and name in settings_of(type(self)):
            kind = type(self).__name__
            raise ValueError(
                f"`{name}` of {kind} can't be changed: {self._settled_in} was built with it. "
                f"Build another {kind}, and another learner with it. Received: {name}={value!r}."
            )
        super().__setattr__(name, value)


class Configured(Settled):
    """Has each argument of its constructor as an attribute of that name."""

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the object from `get_config`'s result."""
        return cls(**config)


@functools.cache
def settings_of(kind: type) -> frozenset[str]:
    """Returns the names of the arguments that a class and its bases are built with."""
    ours = [base for base in kind.__mro__ if base.__module__.split(".")[0] not in _FOREIGN]
    taken = [inspect.signature(vars(base)["__init__"]) for base in ours if "__init__" in vars(base)]
    named = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = {n for signature in taken for n, p in signature.parameters.items() if p.kind in named}
    return frozenset(names - {"self", "name"})


def settle(value: Any, owner: str) -> None:
    """Makes an object, and those that it holds, part of a learner.

    Args:
        value: anything; only a `Settled` or a list of them is changed.
        owner: str, the learner's class.
    """
    if isinstance(value, (list, tuple)):
        for part in value:
            settle(part, owner)
    elif isinstance(value, Settled) and "_settled_in" not in value.__dict__:
        for part in list(vars(value).values()):
            settle(part, owner)
        object.__setattr__(value, "_settled_in", owner)
