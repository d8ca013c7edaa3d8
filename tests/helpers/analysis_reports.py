"""Reports of networks and sub-networks with known numbers."""

import numpy as np

from tfmgaug.analysis import LayerReport, Network, SubnetworkReport


def report(accuracy, loss=None, rates=(0.02,), others=(), **settings):
    """A report from accuracies `[tasks, networks, steps + 1]`."""
    networks = [Network("full network", 0.0, 0.0)]
    networks += [Network(f"{100 * rate:.4g} % pruned", rate, rate) for rate in rates]
    networks += [Network(name, 0.0, 0.0) for name in others]
    return SubnetworkReport(
        **{
            "name": "FOMAML",
            "networks": tuple(networks),
            "mask": "CatfishMask",
            "reads_query_labels": True,
            "statistics": "transductive",
            "dataset": "toy/test",
            "way": 5,
            "shot": 1,
            "query": 15,
            "seed": 0,
            "mutually_exclusive": True,
            "fingerprint": "f",
            "loss": 1 - np.asarray(accuracy) if loss is None else np.asarray(loss),
            "accuracy": None if accuracy is None else np.asarray(accuracy),
            **settings,
        }
    )


def layer_report(values, name="MAML", layers=("stage1", "stage2")):
    """A report of layers from values `[tasks, layers]` by measure."""
    return LayerReport(
        name=name,
        layers=tuple(layers),
        values={measure: np.asarray(numbers) for measure, numbers in values.items()},
        dataset="toy/test",
        way=5,
        shot=1,
        query=15,
        seed=0,
        mutually_exclusive=True,
        fingerprint="f",
        statistics="transductive",
    )
