"""The papers that can be reproduced, by name."""

from launch.reproduction import landscape, mgaug, network_pruning

PAPERS = {
    "landscape": landscape.PAPER,
    "mgaug": mgaug.PAPER,
    "network_pruning": network_pruning.PAPER,
}
