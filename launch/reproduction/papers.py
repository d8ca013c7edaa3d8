"""The papers that can be reproduced, by name."""

from launch.reproduction import mgaug

PAPERS = {"mgaug": mgaug.PAPER}
