"""Images from images as they are stored: masks, or pictures in stored units, of any size."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import models
from conf.schema import Config
from data import DataError
from data.shapes import Shape
from data.tasks import SUPER_RESOLUTION, TASKS
from experiments.predict.class_network import class_names
from experiments.predict.trained_network import TrainedNetwork, times
from experiments.run import inputs
from experiments.run.record import files
from experiments.run.record.directory import Run

BATCH = 64  # of the run's size, as in the run's own test: another batch size rounds differently


class ImageNetwork(TrainedNetwork):
    """The trained network of a run that gives images, with its preprocessing.

    An image is predicted at its own size, also where the run's data were resized: the network is
    built again for that size, with the same weights.

    Attributes:
        class_names: of the classes of a mask's pixels; none if the network gives pictures.
        trained_size: (height, width) of the images on which it was trained.
        channels: of its images: classes, or channels of a picture.
        gives_pixels: whether its pictures are pixels from 0 to 255.
        resized: the side to which the run's images were resized; None if they were not.
        stored_shape, stored_dtype, takes_pixels: as in `TrainedNetwork`.
    """

    def __init__(self, run: Run, trained: Config, learned: dict[str, Any], model: Any) -> None:
        """Arguments as in `TrainedNetwork`; DamagedError for a data.json that is not its own."""
        super().__init__(trained, learned, model)
        self._trained = trained
        self._data = dataclasses.replace(trained.data, resize=None)
        self.stored_shape = (None, None, self.stored_shape[-1])
        self.trained_size: tuple[int, int] = tuple(model.input_shape[1:3])
        self._at_size = (self.trained_size, model)
        self.class_names: tuple[str, ...] = ()
        self.gives_pixels = False
        # Under super-resolution the input was made smaller afterwards.
        self.resized = None if trained.data.factor > 1 else trained.data.resize
        self.channels: int = model.output_shape[-1]
        if TASKS[trained.task].target == "mask":
            self.class_names = class_names(run, learned, self.channels)
            return
        mean, std = learned["target_mean"], learned["target_std"]
        if len(mean) != self.channels:
            told = f"target_mean is not that of the {self.channels} channels of the network's image"
            raise files.DamagedError(run.directory / "data.json", told)
        self._target_mean, self._target_std = np.asarray(mean), np.asarray(std)
        # A target has its image's units where it is made of it; else its type or its source tells.
        own = trained.task == SUPER_RESOLUTION or (mean, std) == (learned["mean"], learned["std"])
        eight_bits = trained.data.source == "image_folder" or learned["target_range"] == 255
        self.gives_pixels = self.takes_pixels and (own or eight_bits)

    def predict(self, x: Any, *, tile: int | None = None) -> np.ndarray:
        """The predicted images.

        Args:
            x: images of one size as the data set stores them, not normalised: (n, height, width,
                channels), any real dtype; the last axis may be missing if there is one channel. The
                channels come first if the run was trained with data.layout=channels_first. Under
                super-resolution these are the small images.
            tile: predict in tiles of at most so many pixels on an axis, as `padzoo.predict_tiled`
                does, which gives the same in less memory; None for whole images.

        Returns:
            int32 (n, height, width), the class of each pixel; or float32 (n, height, width,
            channels), a picture in the units of the run's targets, with the channels where `x` has
            them. Its size is that of the image, or `factor` times that under super-resolution;
            under paddings that leave pixels at the border out, that of the `frame`.

        Raises:
            DataError: the images do not fit the network, or the tile does not.

        Example:
            >>> load("runs/default/<cell>/seed=0").predict(photographs).shape  # doctest: +SKIP
            (4, 480, 640, 1)
        """
        found = self.of_stored(self._stored(x), np.shape(x), tile=tile)
        return found if self.class_names else self._as_given(found)

    def probabilities(self, x: Any, *, tile: int | None = None) -> np.ndarray:
        """The probability of every class at every pixel: float64 (n, height, width, classes).

        Arguments and errors as in `predict`. The classes come where `x` has its channels.

        Raises:
            DataError: the network gives pictures.
        """
        from experiments.run.evaluation.classes import softmax

        if not self.class_names:
            raise DataError(f"a network for {self._trained.task} gives values, no probabilities")
        return self._as_given(softmax(self._outputs(self._stored(x), np.shape(x), tile)))

    def of_stored(
        self, stored: np.ndarray, told: tuple[int, ...] | None = None, *, tile: int | None = None
    ) -> np.ndarray:
        """As `predict`, from and to images with the channels last, whatever the run's layout.

        Args:
            stored: (n, height, width, channels).
            told: the shape to name in an error message, if it is another.
            tile: as in `predict`.
        """
        given = self._outputs(stored, told, tile)
        if self.class_names:
            return given.argmax(axis=-1).astype(np.int32)
        return (given * self._target_std + self._target_mean).astype(np.float32)

    def whole(self, height: int, width: int) -> tuple[int, int]:
        """The size of what belongs to an image of this size, of which the network gives `frame`."""
        return height * self._data.factor, width * self._data.factor

    def frame(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The part of the `whole` that is predicted: ((top, height), (left, width)) in pixels.

        Raises:
            DataError: the network cannot be built for images of this size.
        """
        from models.geometry.frame import frame

        try:
            (top, tall), (left, wide) = frame(self._at(height, width))
        except models.TraceError as error:
            raise DataError(str(error)) from None
        return (top, tall), (left, wide)

    def _outputs(
        self, stored: np.ndarray, told: tuple[int, ...] | None, tile: int | None
    ) -> np.ndarray:
        """float64 (n, height, width, channels), normalised values, or logits."""
        used = self._normalised(stored, told)
        height, width = used.shape[1:3]
        model = self._at(height, width)
        if tile is None:
            fraction = np.prod(self.trained_size) / (height * width)
            size = max(1, min(BATCH, int(BATCH * fraction)))
            parts = range(0, len(used), size)
            given = np.concatenate([model.predict_on_batch(used[i : i + size]) for i in parts])
        else:
            try:
                given = models.predict_tiled(model, used, tile=tile)
            except (models.TileError, models.TraceError) as error:
                raise DataError(str(error)) from None
        if not np.isfinite(given).all():
            raise DataError("the network's outputs are not finite")
        return np.asarray(given, np.float64)

    def _at(self, height: int, width: int) -> Any:
        """The network for images of a size; that of the run or of the last call if it is theirs."""
        size = (height, width)
        if size == self.trained_size:
            return self._model
        if self._at_size[0] != size:
            self._at_size = (size, self._rebuilt(size))
        return self._at_size[1]

    def _rebuilt(self, size: tuple[int, int]) -> Any:
        import keras

        trained, channels = self._trained, self._model.input_shape[-1]
        seeds = inputs.derived(trained.seed, trained.seeds)
        shape = Shape((*size, channels), self._model.output_shape[-1])
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(trained.trainer.precision)
        try:
            model = inputs.build(
                trained.model, trained.padding, shape, padding_seed=seeds["padding"]
            )
            model.set_weights(self._model.get_weights())
        except ValueError as error:  # of the library, or of Keras for weights of other shapes
            raise DataError(
                f"the network takes no images of {times(size)}: {' '.join(str(error).split())}"
            ) from None
        finally:
            keras.config.set_dtype_policy(policy)
        return model

    def _takes(self, shape: tuple[int, ...]) -> bool:
        return shape[-1] == self._model.input_shape[-1]

    def _as_given(self, found: np.ndarray) -> np.ndarray:
        return np.moveaxis(found, -1, 1) if self.channels_first else found
