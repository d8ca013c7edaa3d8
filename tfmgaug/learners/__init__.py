"""Learners: Keras models that learn over tasks."""

from tfmgaug.learners.anil import ANIL
from tfmgaug.learners.boil import BOIL
from tfmgaug.learners.cavia import CAVIA
from tfmgaug.learners.closed_form import ClosedFormLearner
from tfmgaug.learners.fine_tuning import FineTuning
from tfmgaug.learners.fomaml import FOMAML
from tfmgaug.learners.maml import MAML
from tfmgaug.learners.meta_learner import MetaLearner
from tfmgaug.learners.meta_ticket import MetaTicket, MetaTicketBOIL
from tfmgaug.learners.metaoptnet import MetaOptNet
from tfmgaug.learners.protonet import ProtoNet
from tfmgaug.learners.reptile import Reptile

__all__ = [
    "ANIL",
    "BOIL",
    "CAVIA",
    "ClosedFormLearner",
    "FOMAML",
    "FineTuning",
    "MAML",
    "MetaLearner",
    "MetaOptNet",
    "MetaTicket",
    "MetaTicketBOIL",
    "ProtoNet",
    "Reptile",
]
