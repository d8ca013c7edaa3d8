"""The papers that can be reproduced, by name."""

from launch.reproduction import landscape, meta_ticket, mgaug, network_pruning

PAPERS = {
    paper.name: paper
    for paper in (landscape.PAPER, meta_ticket.PAPER, mgaug.PAPER, network_pruning.PAPER)
}
