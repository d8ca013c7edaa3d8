"""The request that `launch.reproduce` is given: tables, sizes and where they go."""

from __future__ import annotations

import dataclasses
from typing import Literal


@dataclasses.dataclass(frozen=True)
class Request:
    """What is to be reproduced, and where.

    Args:
        list: name all cells and figures, with their recipes.
        paper: which paper.
        table: int >= 0, number of a table; 0: the numbers that a paper's text gives.
        figure: int >= 1, number of a figure.
        cells: which cells of the table: words of their labels, as cub/1-shot/cp. All by default.
        seeds: list of ints >= 0, seeds, each of which is a run.
        size: the small form, for any machine, or the full form, which is the paper's.
        jobs: int >= 1, runs that are trained at the same time, each on a GPU of its own, or where
            there is none on a share of the CPU cores.
        runs_dir: where the runs are.
        folders: folders of data sets that are not in --data_dir:
            cub:/birds,mini_imagenet:/mini.
        dry_run: print the commands and an estimate only.
        output: JSON file for the table.
        overwrite: replace --output if it exists.
    """

    list: bool = False
    paper: str | None = None
    table: int | None = None
    figure: int | None = None
    cells: list[str] = ()
    seeds: list[int] = (0,)
    size: Literal["small", "full"] = "small"
    jobs: int = 1
    runs_dir: str = "runs/reproduce"
    folders: list[str] = ()
    dry_run: bool = False
    output: str | None = None
    overwrite: bool = False
