"""The flags --help, which shows what most people need, and --helpshort, which lists all."""

import sys
import textwrap

from absl import app, flags

_WIDTH = 100


class _Help(flags.BooleanFlag):
    """A flag that prints help and ends the command with status 0."""

    def __init__(self, name, show, text, short_name=None):
        super().__init__(name, False, text, short_name=short_name, allow_override=True)
        self._show = show

    def parse(self, arg):
        if self._parse(arg):
            self._show()
            sys.exit(0)


def define(groups):
    """Defines --help, --helpshort and --helpfull.

    Args:
        groups: dictionary from headings to the names of the flags that --help shows below each.
    """
    app.define_help_flags()  # which ours take the place of
    for flag in (
        _Help("help", lambda: print(text(groups)), "Show the flags that most people need.", "?"),
        _Help(
            "helpshort",
            lambda: app.usage(shorthelp=True, writeto_stdout=True),
            "Show all flags of the command.",
        ),
        _Help(
            "helpfull",
            lambda: app.usage(writeto_stdout=True),
            "Show all flags, those of libraries as well.",
        ),
    ):
        flags.DEFINE_flag(flag)


def text(groups):
    """Formats the flags of groups.

    Args:
        groups: dictionary from headings to names of flags.

    Returns:
        Lines of text: what the command does, then the flags with their defaults.
    """
    lines = [(sys.modules["__main__"].__doc__ or "").strip(), ""]
    for heading, names in groups.items():
        lines += [f"{heading}:", *(_described(flags.FLAGS[name]) for name in names), ""]
    return "\n".join([*lines, "All flags: --helpshort; those of libraries as well: --helpfull."])


def _described(flag):
    name = f"--[no]{flag.name}" if flag.boolean else f"--{flag.name}"
    default = "" if flag.default in (None, False, []) else f" (default: {flag.default})"
    described = f"{name}  {flag.help}{default}".replace("|", " | ")  # lists of values may wrap
    return textwrap.fill(
        described,
        _WIDTH,
        initial_indent="  ",
        subsequent_indent="      ",
        break_on_hyphens=False,
    )
