"""The layers that residual networks have in common."""

import keras

from tfmgaug.backbones.starts import head_start


def convolution(
    x: keras.KerasTensor,
    filters: int,
    size: int,
    stride: int,
    name: str,
    seed: int,
    dtype: str | None,
) -> keras.KerasTensor:
    """Convolves without a bias, which a batch normalization follows or precedes.

    Args:
        x: Keras tensor `[n, height, width, channels]`.
        filters: int, channels of the result.
        size: int, odd, height and width of the kernel.
        stride: int; zeros around images are `size // 2` wide on every side.
        name: str, of which the layers' names are made.
        seed: int, of the initial kernel: He-normal over its fan-out.
        dtype: of the layers.

    Returns:
        A Keras tensor.
    """
    if stride > 1 and size > 1:
        # Keras's "same" would pad an even size on one side alone, and an odd size on both.
        x = keras.layers.ZeroPadding2D(size // 2, dtype=dtype, name=f"{name}_pad")(x)
    return keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer=keras.initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal", seed=seed
        ),
        dtype=dtype,
        name=f"{name}_conv",
    )(x)


def head(
    x: keras.KerasTensor,
    way: int | None,
    seed: int,
    dtype: str | None,
    start: str = "glorot_uniform",
) -> keras.KerasTensor:
    """Averages over positions, and makes logits of the embeddings.

    Args:
        x: Keras tensor `[n, height, width, channels]`.
        way: int, or None for embeddings.
        seed: int, of the initial kernel.
        dtype: of the layers.
        start: distribution that the head starts from, see `starts.head_start`.

    Returns:
        A Keras tensor, `[n, way]` or `[n, channels]`.
    """
    x = keras.layers.GlobalAveragePooling2D(dtype=dtype, name="embedding")(x)
    if way is None:
        return x
    started = head_start(start, x.shape[-1], seed)
    return keras.layers.Dense(way, dtype=dtype, name="head", **started)(x)
