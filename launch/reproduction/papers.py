"""The papers that can be reproduced, by name."""

from launch.reproduction import mgaug, network_pruning

PAPERS = {"mgaug": mgaug.PAPER, "network_pruning": network_pruning.PAPER}
