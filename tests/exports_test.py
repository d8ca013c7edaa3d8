"""The public names of packages: those that each lists, and no others."""

import importlib
import pathlib
import pkgutil
import types

import pytest

import tfmgaug

PACKAGES = ["tfmgaug"] + [
    module.name for module in pkgutil.walk_packages(tfmgaug.__path__, "tfmgaug.") if module.ispkg
]


def modules_in(package):
    return {module.name for module in pkgutil.iter_modules(package.__path__)}


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lists_its_public_names_and_nothing_else_is_in_it(name):
    package = importlib.import_module(name)
    public = {key for key in vars(package) if not key.startswith("_")} - modules_in(package)
    listed = getattr(package, "__all__", [])  # without a list it gives nothing but its modules
    assert public == set(listed) - modules_in(package)
    assert len(set(listed)) == len(listed)
    assert all(hasattr(package, key) for key in listed)


@pytest.mark.parametrize("name", PACKAGES)
def test_no_module_is_hidden_by_a_function_of_its_name(name):
    package = importlib.import_module(name)
    for module in modules_in(package):
        found = importlib.import_module(f"{name}.{module}")
        assert isinstance(found, types.ModuleType)
        assert getattr(package, module) is found, f"{name}.{module} is {getattr(package, module)}"


def test_every_public_package_and_module_is_a_name_of_tfmgaug():
    private = {"configured", "custom_gradient", "drawing", "files", "keras_backend", "randomness"}
    private |= {"engine", "inner_loop", "inner_optimizers"}  # what learners are made of
    private |= {"episode", "saved_model", "types"}  # what is in them is exported by name
    assert modules_in(tfmgaug) - private <= set(tfmgaug.__all__)


def test_the_package_is_marked_as_typed():
    assert pathlib.Path(tfmgaug.__file__).with_name("py.typed").is_file()
