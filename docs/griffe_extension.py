"""The reader of docstrings and names for the reference pages."""

import griffe


class Reading(griffe.Extension):
    """Shows `Example:` as code."""

    def on_package(self, *, pkg, **_):
        """Rewrites a package that has been read."""
        for item in list(everything_in(pkg)):
            if item.docstring is not None:
                item.docstring.value = with_examples(item.docstring.value)


def everything_in(item):
    """Yields a module, class or function, and whatever is defined in it."""
    yield item
    for member in list(item.members.values()):
        if not member.is_alias:
            yield from everything_in(member)


def with_examples(text):
    """Makes `Example:` the section that is rendered as code.

    Args:
        text: a docstring, in which the example ends at a blank line.

    Returns:
        The docstring with the section `Examples:`, indented.
    """
    lines, inside = [], False
    for line in text.splitlines():
        if line.strip() == "Example:":
            inside = True
            line = line.replace("Example:", "Examples:")
        elif not line.strip():
            inside = False
        elif inside and not line.startswith("    "):
            line = f"    {line}"
        lines.append(line)
    return "\n".join(lines)
