"""The papers that can be reproduced, by name."""

from launch.reproduction import meta_ticket, mgaug

PAPERS = {paper.name: paper for paper in (mgaug.PAPER, meta_ticket.PAPER)}
