"""The papers that can be reproduced, by name."""

from launch.reproduction import landscape, mgaug

PAPERS = {
    "landscape": landscape.PAPER,
    "mgaug": mgaug.PAPER,
}
