"""Ticket files: a Meta-ticket as its seed and its masks, a bit for each weight."""

import io
import json
import os
import pathlib
import struct
import zlib

import keras
import numpy as np

from tfmgaug.files import write_bytes
from tfmgaug.learners.meta_ticket import MetaTicket
from tfmgaug.learners.part_learned import without

VERSION = 1
_MAGIC = b"TFMGAUG-TICKET\n"
# Version and checksum of what follows: NumPy arrays as `savez_compressed` writes them.
_HEAD = struct.Struct("<II")
# In place of the number of a draw: the weight itself is stored.
_STORED = np.iinfo(np.uint16).max


def save(learner: keras.Model, path: str | os.PathLike) -> pathlib.Path:
    """Writes a Meta-ticket so that it predicts the same, bit for bit, when it is loaded.

    Random weights are left out: their seed gives them again. Of every matrix the file holds the
    mask, a bit for each weight, and, where `IteRand` has drawn weights anew, which draw each weight
    that is kept came from; weights that came from none are stored. Biases, normalization,
    thresholds and all else are stored as they are. Scores and pruned weights are left out: neither
    adaptation nor predictions depend on them.

    Args:
        learner: a `MetaTicket`.
        path: the file to write; a ticket that is there is replaced. It appears there whole, or not
            at all.

    Returns:
        The path.

    Raises:
        FileExistsError: there is something at `path` that is not a ticket.
        OSError: `path` cannot be written; the text says why, and what to do.
        TypeError: `learner` is not a `MetaTicket`.

    Example:
        >>> tfmgaug.tickets.save(learner, "learner.ticket")
        >>> tfmgaug.tickets.load("learner.ticket").adapt(support_x, support_y).predict(query_x)
    """
    if not isinstance(learner, MetaTicket):
        raise TypeError(
            "Expected a MetaTicket: a ticket is a mask on random weights. "
            f"Received: {type(learner).__name__}."
        )
    _check_replaceable(pathlib.Path(path))
    arrays, checksums = {}, {}
    for name, mask in _masks(learner).items():
        values = _values(learner.network.variables[name])
        checksums[_place(learner, name)] = _checksum(values[mask])
        arrays[f"mask {_place(learner, name)}"] = np.packbits(mask)
        arrays.update(_origins(learner, name, mask, values[mask]))
    for number, variable in enumerate(_others(learner)):
        arrays[f"other {number}"] = _storable(_values(variable))
    learner = {**keras.saving.serialize_keras_object(learner), "compile_config": None}
    header = json.dumps({"learner": learner, "checksums": checksums})
    arrays["header"] = np.frombuffer(header.encode(), np.uint8)
    _write(path, arrays)
    return pathlib.Path(path)


def load(path: str | os.PathLike) -> MetaTicket:
    """Reads a Meta-ticket from its file.

    Its scores hold no more than the mask: all scores of a layer are equally far from the threshold,
    above it or below it. Pruned weights have the values of the first draw. There is no optimizer:
    compile the learner to continue its training.

    Args:
        path: where `save` wrote.

    Returns:
        A `MetaTicket`, not compiled.

    Raises:
        FileNotFoundError: there is no file at `path`.
        ValueError: the file is not a ticket, or damaged, or of another version, or its seed draws
            other weights on this machine than on the one that wrote it.
    """
    arrays = _read(path)
    header = json.loads(arrays["header"].tobytes())
    learner = keras.saving.deserialize_keras_object(header["learner"])
    for number, variable in enumerate(_others(learner)):
        variable.assign(arrays[f"other {number}"].astype(variable.dtype))
    masks = {name: _unpacked(learner, arrays, name) for name in _masks(learner)}
    for name, mask in masks.items():
        values = _drawn(learner, arrays, name, mask)
        if _checksum(values[mask]) != header["checksums"][str(_place(learner, name))]:
            raise ValueError(
                f"{path} holds the seed of its weights, which draws other weights here than on the "
                "machine that wrote it: save the learner there with `learner.save`. Received: "
                f"another checksum of {name!r}."
            )
        learner.network.variables[name].assign(values)
    learner.score_mask.set_masks(masks)
    return learner


def _masks(learner):
    """The masks of the random matrices, boolean, by the name of the weight."""
    masks = learner.score_mask.masks()
    return {
        name: np.asarray(masks[name]) == 1 if name in masks else np.ones(variable.shape, bool)
        for name, variable in learner.network.variables.items()
        if learner.is_drawn(variable)
    }


def _place(learner, name):
    """The position of a weight in the network, by which files name it."""
    return list(learner.network.variables).index(name)


def _others(learner):
    """The variables that are neither random matrices nor scores."""
    matrices = [v for v in learner.backbone.trainable_variables if learner.is_drawn(v)]
    return without(learner.weights, [*matrices, *learner.score_mask.scores.values()])


def _unpacked(learner, arrays, name):
    shape = learner.network.variables[name].shape
    bits = np.unpackbits(arrays[f"mask {_place(learner, name)}"], count=int(np.prod(shape)))
    return bits.astype(bool).reshape(shape)


# Where a weight came from.


def _origins(learner, name, mask, values):
    """Finds the draws that the kept `values` of a matrix came from; stores what is in none."""
    origins = np.full(values.shape, _STORED, np.uint16)
    for number in range(int(_values(learner.redraws)) + 1):
        missing = origins == _STORED
        if not missing.any():
            break
        drawn = _values(learner.draw_weight(name, number))[mask]
        origins[missing & (values == drawn)] = number
    stored, place = values[origins == _STORED], _place(learner, name)
    return {
        **({f"origins {place}": origins} if origins.any() else {}),
        **({f"stored {place}": _storable(stored)} if stored.size else {}),
    }


def _drawn(learner, arrays, name, mask):
    """Draws a matrix again: a new learner has first draws, `_origins` tells which to replace."""
    values = _values(learner.network.variables[name]).copy()
    place = _place(learner, name)
    if f"origins {place}" not in arrays:
        return values
    origins = np.zeros(values.shape, np.uint16)
    origins[mask] = arrays[f"origins {place}"]
    for number in np.unique(origins):
        chosen = origins == number
        if number == _STORED:
            values[chosen] = arrays[f"stored {place}"]
        elif number > 0:
            values[chosen] = _values(learner.draw_weight(name, int(number)))[chosen]
    return values


def _checksum(values):
    return zlib.crc32(np.ascontiguousarray(values).tobytes())


# The file.


def _values(tensor):
    return keras.ops.convert_to_numpy(tensor)


def _storable(values):
    # NumPy's files know no bfloat16, whose numbers float32 has too.
    return values.astype("float32") if values.dtype.name == "bfloat16" else values


def _check_replaceable(path):
    if not path.exists():
        return
    if path.is_file():
        with path.open("rb") as file:
            if file.read(len(_MAGIC)) == _MAGIC:
                return
    raise FileExistsError(f"{path} is not a ticket and is not replaced. Choose another path.")


def _write(path, arrays):
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    content = content.getvalue()
    write_bytes(path, _MAGIC + _HEAD.pack(VERSION, zlib.crc32(content)) + content)


def _read(path):
    data = pathlib.Path(path).read_bytes()
    start = len(_MAGIC) + _HEAD.size
    if not data.startswith(_MAGIC) or len(data) < start:
        raise ValueError(f"{path} is not a ticket.")
    version, checksum = _HEAD.unpack(data[len(_MAGIC) : start])
    if version != VERSION:
        raise ValueError(f"Expected a ticket of version {VERSION}. Received: {path}, {version}.")
    if zlib.crc32(data[start:]) != checksum:
        raise ValueError(f"{path} is damaged: it was cut off or changed since it was written.")
    with np.load(io.BytesIO(data[start:]), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}
