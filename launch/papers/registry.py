"""The papers by name."""

from launch.papers import landscape, meta_ticket, mgaug, network_pruning

PAPERS = {
    module.PAPER.name: module.PAPER for module in (landscape, meta_ticket, mgaug, network_pruning)
}
