"""Changes to the site's pages after they are rendered."""

import re

from mkdocs.exceptions import PluginError

_FETCHED = re.compile(
    r"""<(?:script|img|iframe)\b[^>]*\ssrc="https?:[^>]*>"""
    r"""|<link\b[^>]*rel="(?:stylesheet|preconnect|preload)"[^>]*href="https?:[^>]*>"""
)
_DASH = re.compile(r'(<li class="doc-section-item field-body">)\s*–')
_CELL = re.compile(r"<td[^>]*>.*?</td>", re.DOTALL)


def on_page_content(html, **_):
    """Keeps what is one number in a table, as 76.54 ± 0.78, on one line.

    In the reference, results without a type of their own lose the dash that would follow it.
    """
    html = _DASH.sub(r"\1", html)
    return _CELL.sub(lambda cell: _unbroken(cell.group()), html)


def on_post_page(output, page, **_):
    """Refuses pages that fetch something from elsewhere: the site works offline."""
    fetched = _FETCHED.search(output)
    if fetched:
        raise PluginError(f"{page.file.src_uri} fetches from elsewhere: {fetched.group()}")


def _unbroken(cell):
    cell = re.sub(r"(?<=\d) (±|→|×) (?=[\d−])", "\u00a0\\1\u00a0", cell)
    return re.sub(r"(?<=\d) (?=(?:s|MB|%)(?:\W|$))", "\u00a0", cell)
