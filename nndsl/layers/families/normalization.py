"""Normalization: BatchNormalization, LayerNormalization."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.base import Layer, Weight
from nndsl.layers.build import make
from nndsl.layers.emit import TorchCall, TorchWeight
from nndsl.layers.emit_keras import KerasCall
from nndsl.layers.entry import ConfigError, arg, entry
from nndsl.layers.kinds import Bool, Constraint, Either, Float, Initializer, Int, ListOf, Maybe, Regularizer
from nndsl.layers.shapes import Check, ShapeError, need_float, resolve_axis, static

# Declared once for both layers.
epsilon = arg(Float(0), "Added to the variance, so that nothing is divided by 0.", 0.001)
center = arg(Bool(), "Whether an offset `beta` is learned and added.", True)
scale = arg(Bool(), "Whether a factor `gamma` is learned and multiplied with.", True)
beta_initializer = arg(Initializer, "Fills beta.", "zeros", formerly=("beta_init",))
gamma_initializer = arg(Initializer, "Fills gamma.", "ones", formerly=("gamma_init",))
beta_regularizer = arg(Regularizer, "Adds a penalty on beta to the loss.", None)
gamma_regularizer = arg(Regularizer, "Adds a penalty on gamma to the loss.", None)
beta_constraint = arg(Constraint, "Holds beta to a set after each step.", None)
gamma_constraint = arg(Constraint, "Holds gamma to a set after each step.", None)


class Normalization(Layer):
    """Base of the normalizations with `gamma` and `beta`."""

    center: bool
    scale: bool
    beta_initializer: object
    gamma_initializer: object
    beta_regularizer: object
    gamma_regularizer: object
    beta_constraint: object
    gamma_constraint: object

    def affine(self, shape: tuple[int, ...]) -> list[Weight]:
        gamma = Weight(
            "gamma",
            shape,
            self.gamma_initializer,
            regularizer=self.gamma_regularizer,
            constraint=self.gamma_constraint,
        )
        beta = Weight(
            "beta",
            shape,
            self.beta_initializer,
            regularizer=self.beta_regularizer,
            constraint=self.beta_constraint,
        )
        return [gamma] * self.scale + [beta] * self.center

    def affine_in_torch(self) -> list[TorchWeight]:
        return [TorchWeight("weight", "gamma")] * self.scale + [TorchWeight("bias", "beta")] * self.center

    def result_mask(self, *masks: bool) -> bool:
        return masks[0]


@entry("layer")
class BatchNormalization(Normalization):
    """Brings each channel to mean 0 and variance 1 over the batch (Ioffe and Szegedy, 2015).

    Training uses the batch's own statistics and follows them with moving ones, which inference uses; with
    `trainable=false` the layer always works as in inference. The variance is the biased one, the moving one too. Keeps
    the shape. Masked steps do not count, and the mask goes on. Weights: gamma, beta, moving_mean, moving_variance, each
    of the size of `axis`.

    With `renorm=true` training corrects what the batch's statistics give to what slower ones would, by a factor r and
    an offset d (batch renormalization; Ioffe, 2017). `renorm_clipping=(rmin, rmax, dmax)` keeps r from rmin to rmax and
    d from -dmax to dmax; `none` is no limit. It has the further weights moving_stddev, renorm_mean, renorm_stddev.

    Example:
        image -> Conv2D(32, 3, use_bias=false) -> BatchNormalization() -> ReLU()
    """

    layout = "any"
    uses_mask = True
    axis = arg(Int(), "The axis that is kept: the channels. With channels first it is 1.", -1)
    momentum = arg(Float(0, 1), "The share of the moving statistics that each step keeps.", 0.99)
    epsilon = epsilon
    center = center
    scale = scale
    beta_initializer = beta_initializer
    gamma_initializer = gamma_initializer
    moving_mean_initializer = arg(Initializer, "Fills the moving mean.", "zeros")
    moving_variance_initializer = arg(Initializer, "Fills the moving variance.", "ones")
    beta_regularizer = beta_regularizer
    gamma_regularizer = gamma_regularizer
    beta_constraint = beta_constraint
    gamma_constraint = gamma_constraint
    renorm = arg(Bool(), "Whether training works by batch renormalization.", False)
    renorm_clipping = arg(
        Maybe(ListOf(Maybe(Float(0)), length=3)), "With `renorm`: the limits (rmin, rmax, dmax); `none` is none.", None
    )
    renorm_momentum = arg(Float(0, 1), "With `renorm`: the share that each step keeps of its own statistics.", 0.99)
    synchronized = arg(
        Bool(), "Statistics over all devices, where Keras trains on several; on one it makes no difference.", False
    )

    def check(self) -> None:
        if self.renorm_clipping is not None and not self.renorm:
            raise ConfigError(
                "`renorm_clipping` has a meaning with `renorm=true` only",
                "renorm_clipping",
                help="leave it out, or add `renorm=true`",
            )
        rmin, rmax, _ = self.renorm_clipping or (None, None, None)
        if rmin is not None and rmax is not None and rmax < rmin:
            raise ConfigError(
                f"`renorm_clipping` is (rmin, rmax, dmax), and {rmin:g} to {rmax:g} is no range",
                "renorm_clipping",
                help=f"write `renorm_clipping=({rmax:g}, {rmin:g}, …)`",
            )
        if self.renorm and getattr(self.moving_variance_initializer, "value", 0) < 0:
            raise ConfigError("a variance is 0 or more", "moving_variance_initializer", code="NN0206")
        if self.renorm and self.moving_variance_initializer.title() not in ("Ones", "Zeros", "Constant"):
            raise ConfigError(
                f"with `renorm=true` a `{self.moving_variance_initializer.title()}` cannot fill the moving variance: "
                "Keras draws the variance and its root apart from each other",
                "moving_variance_initializer",
                help="start from one number: `moving_variance_initializer=Constant(0.5)`",
            )

    def size(self, x: TensorType) -> int:
        axis = resolve_axis(self.axis, x, self.title())
        return static(
            x.shape[axis],
            "the weights of `BatchNormalization`",
            x,
            argument="axis",
            help=f"`axis` is the axis of the channels, whose size is known; axis {self.axis} is the batch"
            if axis == 0
            else "`axis` must be an axis of known size: the channels",
        )

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        self.size(x)
        if x.mask and x.rank != 3:
            raise ShapeError(
                f"`{self.title()}` can follow a mask over [steps, channels] only, and gets {x} with a mask",
                code="NN0301",
                help="normalize before the axes are added, or put the layer into `TimeDistributed`",
            )
        return x

    def weights(self, x: TensorType) -> list[Weight]:
        shape = (self.size(x),)
        return [
            *self.affine(shape),
            Weight("moving_mean", shape, self.moving_mean_initializer, trainable=False),
            Weight("moving_variance", shape, self.moving_variance_initializer, trainable=False),
            *self._renorm_weights(shape),
        ]

    def _renorm_weights(self, shape: tuple[int, ...]) -> list[Weight]:
        if not self.renorm:
            return []
        root = self.moving_variance_initializer
        if root.title() == "Constant":
            root = make("initializer", "Constant", value=root.value**0.5)
        return [
            Weight("moving_stddev", shape, root, trainable=False),
            Weight("renorm_mean", shape, self.moving_mean_initializer, trainable=False),
            Weight("renorm_stddev", shape, root, trainable=False),
        ]

    def _renorm_options(self) -> dict[str, object]:
        """What the torch class of batch renormalization is told."""
        options: dict[str, object] = {"pace": self.renorm_momentum} if self.renorm_momentum != 0.99 else {}
        limits = zip(("rmin", "rmax", "dmax"), self.renorm_clipping or (), strict=False)
        options |= {name: limit for name, limit in limits if limit is not None}
        return options if self.trainable else {**options, "frozen": True}

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        mask = t.masks[0] if t.masks and self.trainable else None
        without = ["weight"] * (not self.scale) + ["bias"] * (not self.center)
        usual = "PartialBatchNorm" if without else "BatchNorm"
        kind = "MaskedBatchNorm" if mask is not None else usual if self.trainable else "FrozenBatchNorm"
        kind = "RenormBatchNorm" if self.renorm else kind
        options: dict[str, object] = {}
        if self.momentum != 0.99:
            options["decay"] = self.momentum
        if self.epsilon != 0.001:
            options["eps"] = self.epsilon
        if without:
            options["without"] = " ".join(without)
        weights = [
            *self.affine_in_torch(),
            TorchWeight("running_mean", "moving_mean"),
            TorchWeight("running_var", "moving_variance"),
        ]
        if self.renorm:
            options |= self._renorm_options()
            weights += [TorchWeight("running_std", "moving_stddev"), TorchWeight("renorm_mean", "renorm_mean")]
            weights += [TorchWeight("renorm_std", "renorm_stddev")]
        module = t.module(code.call(t.helper(kind), self.size(t.inputs[0]), **options), *weights)
        # The module has the channels in axis 1, as all of torch.
        rank, dim = t.inputs[0].rank, t.axis(self.axis)
        turn = None if rank == 1 or dim % rank == 1 else ("transpose", 1, 2) if rank == 3 else ("movedim", dim, 1)
        if rank == 1:  # the samples of a fixed batch are its channels
            x = code.method(x, "unsqueeze", 0)
        if turn is not None:
            x = code.method(x, *turn)
        if mask is None:
            y = code.call(module, x)
        else:  # [batch, steps]: the steps are axis 2 then, or they are the channels themselves
            steps_kept = resolve_axis(self.axis, t.inputs[0], self.title()) == 1
            y = code.call(module, x, code.method(mask, "unsqueeze", -1 if steps_kept else 1))
        if rank == 1:
            return code.method(y, "squeeze", 0)
        if turn is None:
            return y
        return code.method(y, turn[0], turn[2], turn[1]) if rank > 3 else code.method(y, *turn)

    def keras(self, k: KerasCall, x: code.Expr) -> code.Expr:
        return k.call(self, x, **self._changes(k))

    def keras_layer(self, k: KerasCall) -> code.Expr:
        return k.build(self, **self._changes(k))

    def _changes(self, k: KerasCall) -> dict[str, object]:
        changes: dict[str, object] = {"axis": k.axis(self.axis)}
        if self.renorm_clipping is not None:
            limits = zip(("rmin", "rmax", "dmax"), self.renorm_clipping, strict=True)
            changes["renorm_clipping"] = {name: limit for name, limit in limits if limit is not None}
        return changes


@entry("layer")
class LayerNormalization(Normalization):
    """Brings each sample to mean 0 and variance 1 over the axes of `axis` (Ba et al., 2016).

    Keeps the shape, and the mask goes on. Weights: gamma and beta, of the sizes of the axes.

    Example:
        x -> Dense(64) -> LayerNormalization() -> Activation(gelu)
    """

    axis = arg(Either(Int(), ListOf(Int(), least=1)), "The axis or axes to normalize over.", -1)
    epsilon = epsilon
    center = center
    scale = scale
    beta_initializer = beta_initializer
    gamma_initializer = gamma_initializer
    beta_regularizer = beta_regularizer
    gamma_regularizer = gamma_regularizer
    beta_constraint = beta_constraint
    gamma_constraint = gamma_constraint

    def axes(self, x: TensorType) -> tuple[int, ...]:
        """The axes as positions, in order."""
        given = sorted((self.axis,) if isinstance(self.axis, int) else self.axis)
        positions = tuple(resolve_axis(axis, x, self.title()) for axis in given)
        if len(set(positions)) < len(positions):
            raise ShapeError(
                f"an axis stands twice in `axis` of `{self.title()}`",
                code="NN0308",
                argument="axis",
                help=f"the axes of {x} are 1 to {x.rank - 1}",
            )
        if sorted(positions) != list(positions):
            # Keras sorts the numbers as they are written, and then mixes up the sizes of the weights.
            raise ShapeError(
                f"`{self.title()}` takes axes that are counted from one side",
                code="NN0308",
                argument="axis",
                help=f"write `axis={sorted(positions)}`",
            )
        return positions

    def shape(self, x: TensorType) -> tuple[int, ...]:
        what, hint = "the weights of `LayerNormalization`", "normalize over axes of known size, usually the last one"
        return tuple(static(x.shape[axis], what, x, argument="axis", help=hint) for axis in self.axes(x))

    def infer(self, check: Check, x: TensorType) -> TensorType:
        need_float(x, self.title())
        self.shape(x)
        return x

    def weights(self, x: TensorType) -> list[Weight]:
        return self.affine(self.shape(x))

    def torch(self, t: TorchCall, x: code.Expr) -> code.Expr:
        axes, shape = self.axes(t.inputs[0]), self.shape(t.inputs[0])
        size = shape[0] if len(shape) == 1 else shape
        last = tuple(range(t.inputs[0].rank - len(axes), t.inputs[0].rank))
        behind = tuple(range(-len(axes), 0))
        here: tuple[object, object] = (axes[0], -1) if len(axes) == 1 else (axes, behind)
        if axes != last:
            x = code.method(x, "movedim", *here)
        if self.center and not self.scale:  # nn.LayerNorm has no offset without a factor
            result = code.call("F.layer_norm", x, shape, bias=t.parameter("beta"), eps=self.epsilon)
        else:
            options: dict[str, object] = {"eps": self.epsilon}
            if not self.scale:
                options["elementwise_affine"] = False
            elif not self.center:
                options["bias"] = False
            module = t.module(code.call("nn.LayerNorm", size, **options), *self.affine_in_torch())
            result = code.call(module, x)
        return result if axes == last else code.method(result, "movedim", here[1], here[0])
