"""Settings of a learner, which may change after it is built or are refused."""

import functools
from collections.abc import Callable
from typing import Any, Self

import keras

from tfmgaug.configured import arguments_of, settings_of, settle

# Arguments of constructors, and the attributes that keep them where these are called otherwise.
_KEPT_AS = {"loss": "loss_fn", "evaluation_steps": "_evaluation_steps"}
# What Keras shows of a file that it can't load, first of all: it imports nothing itself.
_TO_LOAD = {"to_load": "import tfmgaug"}


class Settings(keras.Model):
    """Watches over the constructor's arguments of a learner that is built.

    `learner.inner_steps = 10` is checked as the constructor would, and drops every graph that was
    traced with another value, Keras's too: what comes next equals a learner built with 10. What
    can't change so (the backbone, the loss, regularizers, masks) is refused by name, and so is a
    layer of the backbone that was frozen or thawed since.
    """

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _settling(cls.__init__)

    @property
    def changeable(self) -> dict[str, Callable]:
        """The settings that may change: a dictionary from names to functions that check a value."""
        return {}

    def setting_changed(self, name: str) -> None:
        """Makes anew what was made of a setting, after it has changed."""

    def __setattr__(self, name, value):
        if not self.__dict__.get("_settled") or not self._is_setting(name, value):
            super().__setattr__(name, value)
            return
        if name not in self.changeable:
            raise ValueError(
                f"`{name}` of {type(self).__name__} can't change after it was built; "
                f"{', '.join(sorted(self.changeable))} can. Build another learner, and take over "
                "what this one has learned by `set_weights(learner.get_weights())`. "
                f"Received: {name}={value!r}."
            )
        super().__setattr__(name, self.changeable[name](value))
        self.setting_changed(name)
        self._drop_graphs()

    def _is_setting(self, name, value):
        if name == "loss":  # an attribute of Keras's, which is None here
            return value is not None
        if name in settings_of(type(self)) or name == _KEPT_AS["loss"]:
            return True
        # What other learners have as a setting, and this one for good: `inner_steps` of a ProtoNet.
        return name in _fixed(type(self))

    def _settle(self):
        """Ends the construction: from here on, settings are watched over."""
        for name in settings_of(type(self)):
            settle(getattr(self, name, None), f"a {type(self).__name__}")
        self._layout = [id(variable) for variable in self.backbone.trainable_variables]
        object.__setattr__(self, "_changes", 0)
        object.__setattr__(self, "_settled", True)

    # Files.

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments, serializable.

        A learner of one's own that keeps each argument of its constructor as an attribute of the
        same name has nothing to add.

        Raises:
            ValueError: an argument is kept nowhere.
        """
        arguments = arguments_of(self, Settings, _KEPT_AS, self.decided)
        return {**_TO_LOAD, **arguments, "name": self.name}

    @property
    def decided(self) -> frozenset[str]:
        """The arguments of its bases' constructors that this learner doesn't take."""
        return frozenset()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the learner from `get_config`'s result.

        Raises:
            ValueError: the configuration is of a file that only an earlier version can read.
        """
        _refuse_nested(config["backbone"])
        arguments = {name: value for name, value in config.items() if name not in _TO_LOAD}
        return cls(**keras.saving.deserialize_keras_object(arguments))

    # Graphs.

    @property
    def graph_key(self) -> int:
        """What tells graphs traced now from those traced before a setting changed.

        Raises:
            ValueError: a layer of the backbone was frozen or thawed since the learner was built.
        """
        self.refuse_other_layers()
        return self.__dict__.get("_changes", 0)

    def refuse_other_layers(self) -> None:
        """Refuses a backbone whose trainable weights are no longer those of the constructor.

        Raises:
            ValueError: they aren't; the error names them.
        """
        now = self.backbone.trainable_variables
        if not self.__dict__.get("_settled") or [id(v) for v in now] == self._layout:
            return
        before = set(self._layout)
        present = {id(variable) for variable in now}
        differing = [
            variable.path
            for variable in self.backbone.variables
            if (id(variable) in present) != (id(variable) in before)
        ]
        raise ValueError(
            "Layers can't be frozen or thawed under a learner: build another with its backbone, "
            f"`{type(self).__name__}(learner.backbone, ...)`. "
            f"Received: other trainable weights, {', '.join(differing)}."
        )

    def _drop_graphs(self):
        object.__setattr__(self, "_changes", self._changes + 1)
        self._functions = {}
        # Remade at once where Keras has them: `fit` may be running, and looks them up each step.
        for kind in ("train", "test", "predict"):
            if getattr(self, f"{kind}_function") is not None:
                getattr(self, f"make_{kind}_function")(force=True)

    def make_train_function(self, force: bool = False) -> Any:
        self.refuse_other_layers()
        return super().make_train_function(force)

    def make_test_function(self, force: bool = False) -> Any:
        self.refuse_other_layers()
        return super().make_test_function(force)

    def make_predict_function(self, force: bool = False) -> Any:
        self.refuse_other_layers()
        return super().make_predict_function(force)


def _settling(init):
    @functools.wraps(init)
    def wrapped(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if type(self).__init__ is wrapped:  # the constructors of all bases are done
            self._settle()

    return wrapped


def _refuse_nested(backbone):
    layers = backbone["config"].get("layers", []) if isinstance(backbone, dict) else []
    models = [layer["config"]["name"] for layer in layers if "layers" in layer["config"]]
    if models:
        raise ValueError(
            "The file was saved by tfmgaug 0.1, which kept models inside of a backbone: their "
            "weights lie elsewhere now. Load it with 0.1, and take its weights over by "
            "`new.set_weights(old.get_weights())`. "
            f"Received: a backbone that holds {', '.join(map(repr, models))}."
        )


@functools.cache
def _fixed(kind):
    """What a learner says of itself and no constructor takes."""
    ours = (base for base in kind.__mro__ if base.__module__.split(".")[0] == "tfmgaug")
    names = {name for base in ours for name in vars(base) if not name.startswith("_")}
    plain = {name for name in names if not callable(getattr(kind, name))}
    return frozenset(name for name in plain if not hasattr(keras.Model, name))


def positive(name: str, value: Any, optional: bool = False) -> int | None:
    """Returns a number of steps or examples, if it is an integer of at least 1 (or None)."""
    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(
            f"`{name}` must be an int >= 1{' or None' if optional else ''}. Received: {value!r}."
        )
    return value
