"""What the site does to its pages once they are HTML."""

import re

_CELL = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)


def on_page_content(html, **_):
    """Keeps what is one number in a table, as 76.54 ± 0.78, on one line."""
    return _CELL.sub(lambda cell: _unbroken(cell.group()), html)


def _unbroken(cell):
    cell = re.sub(r"(?<=\d) (±|→|×) (?=[\d−])", "\u00a0\\1\u00a0", cell)
    return re.sub(r"(?<=\d) (?=(?:s|MB|%)(?:\W|$))", "\u00a0", cell)
