"""Pickles of arrays and plain containers, read without running what they may name."""

import collections
import pathlib
import pickle
from typing import Any

import numpy as np
from numpy._core import multiarray, numeric

_NUMPY: dict[tuple[str, str], Any] = {
    ("multiarray", "_reconstruct"): multiarray._reconstruct,  # type: ignore[attr-defined]
    ("multiarray", "scalar"): multiarray.scalar,  # type: ignore[attr-defined]
    ("numeric", "_frombuffer"): numeric._frombuffer,  # type: ignore[attr-defined]
}


def _latin1(text: str, encoding: str = "latin1") -> bytes:
    """What Python 3 writes for bytes at protocol 2."""
    return str(text).encode("latin1")


_ALLOWED: dict[tuple[str, str], Any] = {
    **{(f"numpy.{core}.{m}", n): f for (m, n), f in _NUMPY.items() for core in ("core", "_core")},
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
    ("collections", "OrderedDict"): collections.OrderedDict,
    **{(m, "bytearray"): bytearray for m in ("builtins", "__builtin__")},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise _ForeignError(f"{module}.{name}")
        return _ALLOWED[module, name]


class _ForeignError(Exception):
    """A pickle names something that is neither an array nor a container."""


def read(path: pathlib.Path) -> Any:
    """Reads a pickle of numpy arrays, numbers, texts, lists, tuples and dictionaries.

    Args:
        path: of the file, by Python 2 or 3.

    Returns:
        What was pickled; texts of Python 2 are decoded as Latin-1.

    Raises:
        ValueError: the file is damaged, or names functions or classes, which could run code.
    """
    try:
        with path.open("rb") as file:
            return _Unpickler(file, encoding="latin1").load()
    except OSError:
        raise
    except _ForeignError as error:
        raise ValueError(
            f"{str(path)!r} names {error}. Expected a pickle of numpy arrays and plain containers "
            "alone: loading anything else may run foreign code. Convert it where you trust it."
        ) from None
    except Exception as error:  # damaged pickles raise errors of every kind
        raise ValueError(
            f"{str(path)!r} cannot be read as a pickle, perhaps it is damaged or cut off: "
            f"{str(error) or repr(error)}."
        ) from error
