"""Objects that are saved by the arguments of their constructors."""

import functools
import inspect
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, Self

import keras

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
        """Returns the constructor's arguments, serializable.

        Raises:
            ValueError: an argument is kept nowhere.
        """
        return arguments_of(self, Configured)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the object from `get_config`'s result."""
        return cls(**keras.saving.deserialize_keras_object(config))


def arguments_of(
    instance: Any,
    base: Any,
    kept_as: Mapping[str, str] = MappingProxyType({}),
    without: Collection[str] = (),
) -> dict[str, Any]:
    """Collects what an object was built with from its attributes.

    Args:
        instance: the object.
        base: the class whose `get_config` asks; a class with its own may add what is kept nowhere.
        kept_as: arguments, and the attributes that keep them where these are called otherwise.
        without: names of arguments to leave out.

    Returns:
        A dictionary from the names of the constructor's arguments to what Keras can save.

    Raises:
        ValueError: there is no attribute of an argument's name.
    """
    kind: Any = type(instance)
    names = sorted(settings_of(kind).difference(without))
    missing = [name for name in names if not hasattr(instance, kept_as.get(name, name))]
    if missing and kind.get_config is base.get_config:
        raise ValueError(
            f"{kind.__name__} can't be saved: expected each argument of its constructor as an "
            "attribute of the same name, or a `get_config` that adds it. "
            f"Received: no attribute {', '.join(missing)}."
        )
    kept = {n: getattr(instance, kept_as.get(n, n)) for n in names if n not in missing}
    return {name: _serialized(value) for name, value in kept.items()}


def _serialized(value: Any) -> Any:
    # Lists, which JSON keeps; a tuple would become a dictionary that names its class.
    value = list(value) if isinstance(value, tuple) else value
    return keras.saving.serialize_keras_object(value)


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
