"""Learners of all kinds, with two inner steps where they take any."""

import functools

from tfmgaug.learners import ANIL, BOIL, FOMAML, MAML, MetaOptNet, MetaTicket, ProtoNet, Reptile


def two_steps(kind, **options):
    return functools.partial(kind, inner_steps=2, inner_learning_rate=0.3, **options)


GRADIENT_BASED = {
    "MAML": two_steps(MAML),
    "MAML that recomputes": two_steps(MAML, recompute_inner_steps=True),
    "FOMAML": two_steps(FOMAML),
    "ANIL": two_steps(ANIL),
    "BOIL": two_steps(BOIL),
    "MetaTicket": two_steps(MetaTicket),
    "Reptile": two_steps(Reptile),
}
LEARNERS = {**GRADIENT_BASED, "ProtoNet": ProtoNet, "MetaOptNet": MetaOptNet}
