"""The list of everything that can be reproduced, with its recipes."""

from launch.papers.paper import IN_TEXT

_HOW = """\
A recipe is run by one command, with the folder of its data in --data_dir:
  python -m launch.train --recipe=<name> --seed=<number>
With /small behind its name it is made for two cores and needs no data. Flags beside --recipe take
precedence. Where a line ends in "on" a data set, the run is tested there, with the --way, --shot
and --query that it was trained with:
  python -m launch.evaluate --runs=<run> --datasets=<data set> --way=.. --shot=.. --query=..
This runs all of it and compares:
  python -m launch.reproduce --paper=<paper> --table=<number> --cells=<words> --size=small|full\
"""


def text(papers):
    """Lists the cells and figures of papers.

    Args:
        papers: list of `Paper`.

    Returns:
        Lines of text.
    """
    lines = []
    for paper in papers:
        lines += [f"{paper.name}: {paper.title}", ""]
        for table in paper.tables:
            title = table.title if table.number == IN_TEXT else f"table {table.number}"
            lines += [f"{paper.name} {title}: {table.caption}", *_cells(table), ""]
        for figure in paper.figures:
            lines += [
                f"{paper.name} figure {figure.number}: {figure.caption}",
                *_panels(figure),
                "",
            ]
        if paper.others:
            others = [f"  {_flag(recipe)}" for recipe in paper.others]
            lines += [f"{paper.name}, beside its tables and figures:", *others, ""]
    return "\n".join([*lines, _HOW])


def _cells(table):
    column = max(map(len, table.columns))
    row = max(map(len, table.rows))
    return [
        f"  {cell.column.ljust(column)}  {cell.row.ljust(row)}  {cell.published}  "
        f"{_flag(cell.recipe)}{_elsewhere(cell)}"
        for cell in sorted(table.cells, key=lambda cell: table.columns.index(cell.column))
    ]


def _panels(figure):
    lines = [f"  {figure.remark}"] if figure.remark else []
    for panel in figure.panels:
        lines.append(f"  launch.analyze {' '.join([panel.analysis, *panel.options])} of")
        lines += [f"    {label}: {_flag(recipe)}" for label, recipe in panel.labeled()]
    return lines


def _elsewhere(cell):
    return "" if cell.elsewhere is None else " ".join([f", on {cell.elsewhere}", *cell.options])


def _flag(recipe):
    steps = recipe.full["epochs"] * recipe.full["steps_per_epoch"]
    return f"--recipe={recipe.name} ({steps:,} outer steps)"
