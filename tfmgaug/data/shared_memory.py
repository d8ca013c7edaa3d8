"""Tensors that share an array's memory, so that memory-mapped files stay on disk."""

import numpy as np
import tensorflow as tf

_ALIGNMENT = 64  # bytes; TensorFlow aborts on tensors of a lower alignment than its build's


def as_tensor(images: np.ndarray) -> tuple[tf.Tensor, int]:
    """The images as a tensor, and the row in it of the first one.

    `tf.convert_to_tensor` would read a memory-mapped file into memory, and `tf.numpy_function`
    makes the interpreter hang when it exits while a dataset is being iterated. So the tensor
    shares the array's memory, by DLPack, where TensorFlow's alignment allows it.

    Args:
        images: array, perhaps memory-mapped, perhaps some rows of another array.

    Returns:
        The tensor, and an integer.
    """
    whole, first_row = images, 0
    base = images.base
    if isinstance(base, np.ndarray) and _is_rows_of(images, base):
        whole = base  # a slice may start anywhere, the whole is aligned
        first_row = (images.ctypes.data - base.ctypes.data) // base.strides[0]
    if not whole.flags.c_contiguous or whole.ctypes.data % _ALIGNMENT:
        return tf.constant(images), 0
    return tf.experimental.dlpack.from_dlpack(np.asarray(_Shared(whole)).__dlpack__()), first_row


def _is_rows_of(images: np.ndarray, base: np.ndarray) -> bool:
    alike = all(
        getattr(images, name) == getattr(base, name) for name in ("dtype", "strides", "ndim")
    )
    return alike and base.shape[1:] == images.shape[1:]


class _Shared:
    """An array that claims to be writable, as DLPack demands of it. Nothing writes to it."""

    def __init__(self, array: np.ndarray):
        self.array = array
        address = (array.ctypes.data, False)
        self.__array_interface__ = {**array.__array_interface__, "data": address}
