"""The flag --recipe, whose settings are laid under the flags that are given."""

import textwrap

from absl import flags

from launch import checks, constructor_flags, recipes, settings
from launch.given_flags import idle


class _Parser(flags.ArgumentParser):
    """Refuses names that no recipe has."""

    def parse(self, argument):
        recipes.settings(argument)
        return argument


def define():
    """Defines the flag, and adds to the help of others what the default recipe sets."""
    flags.DEFINE(
        _Parser(),
        "recipe",
        recipes.DEFAULT,
        "Settings that are used where no flag says otherwise: quickstart; photos, for a folder of "
        "your own (--data_dir); or the run of a paper, as "
        "mgaug/table1/cub/5-shot/conv4/protonet+cp, with /small behind it for a form that needs "
        "neither data nor time. python -m launch.reproduce --list names them all.",
        serializer=flags.ArgumentSerializer(),
    )
    for name, value in recipes.settings(recipes.DEFAULT).items():
        if value != flags.FLAGS[name].default:
            flags.FLAGS[name].help += f" In {recipes.DEFAULT}: {value}."


def lay_under(recipe):
    """Sets the flags that a recipe sets and that are not given.

    A constructor's argument is left out where flags that are given choose another constructor: with
    --learner=reptile the inner learning rate of a recipe of FOMAML is. So is what nothing reads:
    with --mask=none the number of sub-networks.

    Args:
        recipe: dictionary from flags to values.
    """
    laid = [name for name in recipe if not _takes_its_place(name, recipe)]
    for name in laid:
        _set(flags.FLAGS[name], recipe[name])
    _take_away(_of_other_constructors(laid, recipe), laid)
    while unread := sum(idle(flags.FLAGS, laid, settings.READ_WITH).values(), []):
        _take_away(unread, laid)


def _of_other_constructors(names, recipe):
    """Flags that other constructors read than those for which the recipe sets them."""
    flag_values = flags.FLAGS.flag_values_dict()
    defaults = {name: flags.FLAGS[name].default for name in settings.names()}
    return [
        name
        for name in names
        if _constructors(name, flag_values) != _constructors(name, {**defaults, **recipe})
    ]


def _constructors(name, choices):
    return [use.row.constructor for use in constructor_flags.readers_with(name, choices)]


def _take_away(names, laid):
    for name in names:
        flags.FLAGS[name].unparse()
        laid.remove(name)


def text(name):
    """Says what a recipe sets, after `lay_under`.

    Args:
        name: of the recipe.

    Returns:
        Lines of text: the flags that it sets, and those of its settings that nothing reads now.
    """
    recipe = recipes.settings(name)
    ungiven = [setting for setting in recipe if not flags.FLAGS[setting].present]
    used = [setting for setting in ungiven if not flags.FLAGS[setting].using_default_value]
    lines = [f"Recipe {name}: {_arguments(recipe, used)}"]
    unread = [setting for setting in ungiven if setting not in used]
    if unread:
        lines.append(f"Not used of it, with the flags given: {_arguments(recipe, unread)}")
    return "\n".join(_wrapped(line) for line in lines)


def _takes_its_place(name, recipe):
    """Whether the flag is given, or another that excludes it."""
    pairs = [pair for pair in checks.EXCLUSIVE if name in pair]
    others = [flags.FLAGS[other] for pair in pairs for other in pair if other != name]
    return flags.FLAGS[name].present or any(other.present for other in others)


def _set(flag, value):
    """Sets a flag as the command line would, but not as one that is given."""
    flag.unparse()
    # Lists are of texts where they are on the command line.
    listed = isinstance(value, list) and not isinstance(flag, flags.MultiFlag)
    flag.parse(",".join(map(str, value)) if listed else value)
    flag.present, flag.using_default_value = 0, False


def _arguments(recipe, names):
    return " ".join(_argument(name, recipe[name]) for name in names) or "none"


def _argument(name, value):
    if isinstance(value, bool):
        return f"--{name}" if value else f"--no{name}"
    if isinstance(value, list):
        value = ",".join(map(str, value))
    return f"--{name}={value}"


def _wrapped(line):
    return textwrap.fill(
        line, 100, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False
    )
