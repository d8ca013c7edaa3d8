"""Objects that Keras saves by the arguments of their constructors."""

import inspect


class Configured:
    """Has each argument of its constructor as an attribute of that name."""

    def get_config(self):
        """Returns the constructor's arguments, serializable."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    @classmethod
    def from_config(cls, config):
        """Builds the object from `get_config`'s result."""
        return cls(**config)
