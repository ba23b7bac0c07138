"""The examples written by hand in Keras's functional API, as the yardstick for what the compiler emits.

Nothing here comes from the compiler: every function is the network of `examples/<function name>.nn` as a person would
write it. A model's inputs stand in the declared order, its outputs are a dictionary by name. Layers with weights bear
the names that docs/language.md, section 4, gives them, so weights are copied by name, and the naming is checked.
Needs tensorflow; importing it takes seconds, so tests import this module inside the test.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
from keras import Input, Model, layers


def regression() -> Model:
    x = Input((1,), name="x")
    return Model([x], {"y": layers.Dense(1, name="y")(x)})


class SimpleDense(layers.Layer):
    """After the guide "Making new layers and models via subclassing"."""

    def __init__(self, units: int, **kwargs: object) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, shape: tuple[int, ...]) -> None:
        self.w = self.add_weight(shape=(shape[-1], self.units), initializer="random_normal", name="kernel")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="bias")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.matmul(x, self.w) + self.b


class ComputeSum(layers.Layer):
    """After the same guide; its output is as long as the batch, so that a model can have it as an output."""

    def build(self, shape: tuple[int, ...]) -> None:
        self.total = self.add_weight(shape=(shape[-1],), initializer="zeros", trainable=False, name="total")

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        self.total.assign_add(keras.ops.sum(x, axis=0))
        return keras.ops.broadcast_to(self.total, keras.ops.shape(x))


def custom_layers() -> Model:
    measures = Input((4,), name="measures")
    h = keras.activations.relu(SimpleDense(8, name="price_simple_dense")(measures))
    outputs = {"price": SimpleDense(1, name="price")(h), "seen": ComputeSum(name="seen")(measures)}
    return Model([measures], outputs)


def rnn_regression() -> Model:
    sine = Input(batch_shape=(50, 20, 1), name="sine")
    h = layers.LSTM(20, return_sequences=True, stateful=True, name="cosine_lstm")(sine)
    return Model([sine], {"cosine": layers.TimeDistributed(layers.Dense(1), name="cosine")(h)})


def classifier() -> Model:
    image = Input((784,), name="image")
    h = keras.activations.relu(layers.Dense(32, name="label_dense")(image))
    y = layers.Softmax()(layers.Dense(10, name="label_dense_2")(h))
    return Model([image], {"label": y})


def mnist_dnn() -> Model:
    image = Input((784,), name="image")
    h = layers.Dropout(0.2)(layers.Dense(512, "relu", name="label_dense")(image))
    h = layers.Dropout(0.2)(layers.Dense(512, "relu", name="label_dense_2")(h))
    return Model([image], {"label": layers.Dense(10, "softmax", name="label")(h)})


def cnn() -> Model:
    image = Input((28, 28, 1), name="image")
    h = layers.Conv2D(32, (5, 5), padding="same", activation="relu", name="label_conv2d")(image)
    h = layers.MaxPooling2D((2, 2), strides=(2, 2), padding="same")(h)
    h = layers.Conv2D(64, (5, 5), padding="same", activation="relu", name="label_conv2d_2")(h)
    h = layers.Flatten()(layers.MaxPooling2D((2, 2), strides=(2, 2), padding="same")(h))
    h = layers.Dense(1024, "relu", name="label_dense")(h)
    return Model([image], {"label": layers.Dense(10, "softmax", name="label")(h)})


def cnn_channels_first() -> Model:
    first = "channels_first"
    image = Input((1, 28, 28), name="image")
    h = layers.Conv2D(32, 5, padding="same", data_format=first, activation="relu", name="label_conv2d")(image)
    h = layers.MaxPooling2D(2, padding="same", data_format=first)(h)
    h = layers.Conv2D(64, 5, padding="same", data_format=first, activation="relu", name="label_conv2d_2")(h)
    h = layers.MaxPooling2D(2, padding="same", data_format=first)(h)
    h = layers.Dense(1024, "relu", name="label_dense")(layers.Flatten(data_format=first)(h))
    return Model([image], {"label": layers.Dense(10, "softmax", name="label")(h)})


def rnn_classifier() -> Model:
    rows = Input((28, 28), name="rows")
    h = layers.SimpleRNN(50, unroll=True, name="label_simple_rnn")(rows)
    return Model([rows], {"label": layers.Dense(10, "softmax", name="label")(h)})


def autoencoder() -> Model:
    image = Input((784,), name="image")
    h = layers.Dense(128, "relu", name="code_dense")(image)
    h = layers.Dense(64, "relu", name="code_dense_2")(h)
    h = layers.Dense(10, "relu", name="code_dense_3")(h)
    h = layers.Dense(2, name="code")(h)
    h = layers.Dense(10, "relu", name="decoded_dense")(h)
    h = layers.Dense(64, "relu", name="decoded_dense_2")(h)
    h = layers.Dense(128, "relu", name="decoded_dense_3")(h)
    return Model([image], {"decoded": layers.Dense(784, "tanh", name="decoded")(h)})


def diabetes() -> Model:
    features = Input((8,), name="features")
    h = layers.Dense(12, "relu", kernel_initializer="random_uniform", name="diabetes_dense")(features)
    h = layers.Dense(8, "relu", kernel_initializer="random_uniform", name="diabetes_dense_2")(h)
    y = layers.Dense(1, "sigmoid", kernel_initializer="random_uniform", name="diabetes")(h)
    return Model([features], {"diabetes": y})


def ant() -> Model:
    measures = Input((61,), name="measures")
    h = layers.Dense(90, "relu", name="defect_dense")(measures)
    h = layers.Dense(80, "relu", name="defect_dense_2")(h)
    h = layers.Dense(61, "relu", name="defect_dense_3")(h)
    h = layers.Dense(61, "relu", name="defect_dense_4")(h)
    return Model([measures], {"defect": layers.Dense(1, "sigmoid", name="defect")(h)})


def functional() -> Model:
    features = Input((64,), name="features")
    h = layers.Dense(32, "relu", name="label_dense")(features)
    h = layers.Dense(32, "relu", name="label_dense_2")(h)
    return Model([features], {"label": layers.Dense(10, "softmax", name="label")(h)})


def question_answering() -> Model:
    story = Input((None,), dtype="int32", name="story")
    question = Input((None,), dtype="int32", name="question")
    s = layers.LSTM(32, name="story_code")(layers.Embedding(10000, 64, name="story_code_embedding")(story))
    q = layers.LSTM(16, name="question_code")(layers.Embedding(10000, 32, name="question_code_embedding")(question))
    y = layers.Dense(500, "softmax", name="answer")(layers.concatenate([s, q], axis=-1))
    return Model([story, question], {"answer": y})


def profile() -> Model:
    posts = Input((None,), dtype="int32", name="posts")
    h = layers.Embedding(50000, 256, name="features_embedding")(posts)
    h = layers.MaxPooling1D(5)(layers.Conv1D(128, 5, activation="relu", name="features_conv1d")(h))
    h = layers.Conv1D(256, 5, activation="relu", name="features_conv1d_2")(h)
    h = layers.Conv1D(256, 5, activation="relu", name="features_conv1d_3")(h)
    h = layers.MaxPooling1D(5)(h)
    h = layers.Conv1D(256, 5, activation="relu", name="features_conv1d_4")(h)
    h = layers.Conv1D(256, 5, activation="relu", name="features_conv1d_5")(h)
    h = layers.Dense(128, "relu", name="features")(layers.GlobalMaxPooling1D()(h))
    return Model(
        [posts],
        {
            "age": layers.Dense(1, name="age")(h),
            "income": layers.Dense(10, "softmax", name="income")(h),
            "gender": layers.Dense(1, "sigmoid", name="gender")(h),
        },
    )


def inception() -> Model:
    image = Input((64, 64, 32), name="image")
    a = layers.Conv2D(128, 1, strides=2, activation="relu", name="tower_conv2d")(image)
    b = layers.Conv2D(128, 1, activation="relu", name="tower_conv2d_2")(image)
    b = layers.Conv2D(128, 3, strides=2, padding="same", activation="relu", name="tower_conv2d_3")(b)
    c = layers.AveragePooling2D(3, strides=2, padding="same")(image)
    c = layers.Conv2D(128, 3, padding="same", activation="relu", name="tower_conv2d_4")(c)
    d = layers.Conv2D(128, 1, activation="relu", name="tower_conv2d_5")(image)
    d = layers.Conv2D(128, 3, padding="same", activation="relu", name="tower_conv2d_6")(d)
    d = layers.Conv2D(128, 3, strides=2, padding="same", activation="relu", name="tower_conv2d_7")(d)
    tower = layers.concatenate([a, b, c, d], axis=-1)
    y = layers.Dense(10, "softmax", name="label")(layers.GlobalAveragePooling2D()(tower))
    return Model([image], {"label": y})


def residual() -> Model:
    image = Input((32, 32, 3), name="image")
    h = layers.Conv2D(128, 3, padding="same", activation="relu", name="path_conv2d")(image)
    h = layers.Conv2D(128, 3, padding="same", activation="relu", name="path_conv2d_2")(h)
    h = layers.MaxPooling2D(2, strides=2)(h)
    h = layers.add([h, layers.Conv2D(128, 1, strides=2, name="shortcut")(image)])
    y = layers.Dense(10, "softmax", name="label")(layers.GlobalAveragePooling2D()(h))
    return Model([image], {"label": y})


def siamese() -> Model:
    left = Input((None, 128), name="left")
    right = Input((None, 128), name="right")
    encoder = layers.LSTM(32, name="encoder")
    h = layers.concatenate([encoder(left), encoder(right)], axis=-1)
    return Model([left, right], {"match": layers.Dense(1, "sigmoid", name="match")(h)})


def price() -> Model:
    facts = Input((12,), name="facts")
    text = Input((None,), dtype="int32", name="text")
    photo = Input((64, 64, 3), name="photo")
    f = layers.Dense(16, "relu", name="from_facts")(layers.Dense(32, "relu", name="from_facts_dense")(facts))
    t = layers.LSTM(32, name="from_text")(layers.Embedding(10000, 64, name="from_text_embedding")(text))
    p = layers.MaxPooling2D(2)(layers.Conv2D(32, 3, activation="relu", name="from_photo_conv2d")(photo))
    p = layers.MaxPooling2D(2)(layers.Conv2D(64, 3, activation="relu", name="from_photo_conv2d_2")(p))
    p = layers.GlobalAveragePooling2D()(layers.Conv2D(64, 3, activation="relu", name="from_photo_conv2d_3")(p))
    h = layers.Dense(64, "relu", name="price_dense")(layers.concatenate([f, t, p]))
    return Model([facts, text, photo], {"price": layers.Dense(1, name="price")(h)})


def book() -> Model:
    title = Input((None,), dtype="int32", name="title")
    text = Input((None,), dtype="int32", name="text")
    words = layers.Embedding(20000, 64, name="words")
    h = layers.concatenate(
        [layers.GlobalAveragePooling1D()(words(title)), layers.LSTM(64, name="text_code")(words(text))]
    )
    h = layers.Dense(64, "relu", name="features")(h)
    return Model(
        [title, text],
        {"genre": layers.Dense(12, "softmax", name="genre")(h), "year": layers.Dense(1, name="year")(h)},
    )


def digits() -> Model:
    image = Input((8, 8, 1), name="image")
    h = layers.Conv2D(32, 3, padding="same", activation="relu", name="label_conv2d")(image)
    h = layers.BatchNormalization(name="label_batch_normalization")(h)
    h = layers.Conv2D(64, 3, padding="same", activation="relu", name="label_conv2d_2")(h)
    h = layers.Flatten()(layers.Dropout(0.25)(layers.MaxPooling2D(2)(h)))
    h = layers.Dropout(0.5)(layers.Dense(128, "relu", name="label_dense")(h))
    return Model([image], {"label": layers.Dense(10, "softmax", name="label")(h)})


def iris() -> Model:
    features = Input((4,), name="features")
    h = layers.Dense(
        16,
        "relu",
        kernel_initializer=keras.initializers.HeNormal(),
        kernel_regularizer=keras.regularizers.L2(1e-3),
        kernel_constraint=keras.constraints.MaxNorm(3),
        name="species_dense",
    )(features)
    h = layers.Dense(
        16,
        "relu",
        bias_initializer="ones",
        kernel_regularizer=keras.regularizers.L1L2(l1=1e-5, l2=1e-4),
        bias_regularizer=keras.regularizers.L1(1e-4),
        activity_regularizer=keras.regularizers.L2(1e-5),
        bias_constraint=keras.constraints.NonNeg(),
        name="species_dense_2",
    )(h)
    y = layers.Dense(3, "softmax", use_bias=False, kernel_constraint=keras.constraints.UnitNorm(), name="species")(h)
    return Model([features], {"species": y})


def codes() -> Model:
    image = Input((64,), name="image")
    h = layers.Dense(64, "relu", name="code_dense")(image)
    h = layers.Dense(2, name="code")(layers.Dense(32, "relu", name="code_dense_2")(h))
    h = layers.Dense(32, "relu", name="drawn_dense")(h)
    h = layers.Dense(64, "relu", name="drawn_dense_2")(h)
    return Model([image], {"drawn": layers.Dense(64, "sigmoid", name="drawn")(h)})


def tumors() -> Model:
    measures = Input((30,), name="measures")
    h = layers.Dense(16, "relu", kernel_regularizer=keras.regularizers.L2(0.001), name="benign_dense")(measures)
    return Model([measures], {"benign": layers.Dense(1, "sigmoid", name="benign")(layers.Dropout(0.2)(h))})


def video() -> Model:
    clip = Input((16, 32, 32, 3), name="clip")
    h = layers.Conv3D(16, 3, padding="same", activation="relu", name="action_conv3d")(clip)
    h = layers.MaxPooling3D((1, 2, 2))(h)
    h = layers.Conv3D(32, 3, padding="same", activation="relu", name="action_conv3d_2")(h)
    h = layers.MaxPooling3D((2, 2, 2))(h)
    h = layers.Conv3D(64, 3, padding="same", activation="relu", name="action_conv3d_3")(h)
    h = layers.AveragePooling3D((2, 2, 2))(h)
    h = layers.concatenate([layers.GlobalAveragePooling3D()(h), layers.GlobalMaxPooling3D()(h)])
    return Model([clip], {"action": layers.Dense(10, "softmax", name="action")(layers.Dropout(0.5)(h))})


def frames() -> Model:
    clip = Input((None, 32, 32, 3), name="clip")
    conv = layers.Conv2D(16, 3, strides=2, activation="relu")
    h = layers.TimeDistributed(conv, name="pictures_time_distributed")(clip)
    h = layers.TimeDistributed(layers.BatchNormalization(), name="pictures_time_distributed_2")(h)
    h = layers.TimeDistributed(layers.GlobalAveragePooling2D())(h)
    h = layers.LSTM(32, name="event_lstm")(h)
    return Model([clip], {"event": layers.Dense(1, "sigmoid", name="event")(h)})


def volume() -> Model:
    scan = Input((16, 16, 16, 1), name="scan")
    h = layers.ZeroPadding3D((1, 1, 1))(scan)
    h = layers.Conv3D(8, 3, strides=2, activation="relu", name="code_conv3d")(h)
    h = layers.Conv3D(16, 3, strides=2, padding="same", activation="relu", name="code")(h)
    h = layers.Conv3DTranspose(8, 3, strides=2, padding="same", activation="relu", name="restored_conv3d_transpose")(h)
    h = layers.UpSampling3D((2, 2, 2))(h)
    h = layers.Conv3DTranspose(8, 3, activation="relu", name="restored_conv3d_transpose_2")(h)
    h = layers.Cropping3D(((1, 1), (1, 1), (1, 1)))(h)
    return Model([scan], {"restored": layers.Conv3D(1, 1, activation="sigmoid", name="restored")(h)})


def speech() -> Model:
    sound = Input((None, 40), name="sound")
    h = layers.SeparableConv1D(64, 9, padding="same", activation="relu", name="frames_separable_conv1d")(sound)
    h = layers.BatchNormalization(name="frames_batch_normalization")(h)
    h = layers.DepthwiseConv1D(5, padding="same", activation="relu", name="frames_depthwise_conv1d")(h)
    h = layers.BatchNormalization(name="frames_batch_normalization_2")(h)
    h = layers.AveragePooling1D(2)(h)
    h = layers.Bidirectional(layers.GRU(48, return_sequences=True), name="frames_bidirectional")(h)
    h = layers.Bidirectional(layers.GRU(48, return_sequences=True), merge_mode="sum", name="frames")(h)
    h = layers.concatenate([layers.GlobalAveragePooling1D()(h), layers.GlobalMaxPooling1D()(h)])
    return Model([sound], {"word": layers.Dense(35, "softmax", name="word")(h)})


def signal() -> Model:
    noisy = Input((128, 1), name="noisy")
    h = layers.ZeroPadding1D((2, 2))(noisy)
    h = layers.Conv1D(16, 5, strides=2, activation="relu", name="code_conv1d")(h)
    h = layers.Conv1D(32, 5, padding="causal", dilation_rate=2, activation="relu", name="code_conv1d_2")(h)
    h = layers.UpSampling1D(2)(layers.MaxPooling1D(2)(h))
    h = layers.Conv1DTranspose(16, 5, strides=2, activation="relu", name="clean_conv1d_transpose")(h)
    h = layers.Cropping1D((1, 2))(h)
    return Model([noisy], {"clean": layers.Conv1D(1, 5, padding="same", name="clean")(h)})


def denoise() -> Model:
    image = Input((28, 28, 1), name="image")
    h = layers.ZeroPadding2D(((2, 2), (2, 2)))(layers.Dropout(0.3)(image))
    h = layers.Conv2D(32, 3, strides=2, padding="same", activation="relu", name="code_conv2d")(h)
    h = layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", name="code_conv2d_2")(h)
    code = layers.Dense(32, "relu", name="code")(layers.Flatten()(h))
    h = layers.Reshape((8, 8, 64))(layers.Dense(4096, "relu", name="clean_dense")(code))
    h = layers.Conv2DTranspose(32, 3, strides=2, padding="same", activation="relu", name="clean_conv2d_transpose")(h)
    h = layers.UpSampling2D((2, 2), interpolation="bilinear")(h)
    h = layers.Cropping2D(((2, 2), (2, 2)))(h)
    return Model([image], {"clean": layers.Conv2D(1, 3, padding="same", activation="sigmoid", name="clean")(h)})


def mobile() -> Model:
    image = Input((64, 64, 3), name="image")
    h = layers.Conv2D(16, 3, strides=2, padding="same", use_bias=False, name="stem_conv2d")(image)
    h = keras.activations.relu6(layers.BatchNormalization(name="stem_batch_normalization")(h))
    h = layers.SeparableConv2D(32, 3, padding="same", use_bias=False, name="stem_separable_conv2d")(h)
    stem = keras.activations.relu6(layers.BatchNormalization(name="stem_batch_normalization_2")(h))
    h = layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="mixed_depthwise_conv2d")(stem)
    h = keras.activations.relu6(layers.BatchNormalization(name="mixed_batch_normalization")(h))
    h = layers.Conv2D(32, 1, use_bias=False, name="mixed_conv2d")(h)
    h = layers.add([layers.BatchNormalization(name="mixed_batch_normalization_2")(h), stem])
    h = layers.DepthwiseConv2D(
        3,
        strides=2,
        padding="same",
        depth_multiplier=2,
        activation="hard_silu",
        name="mixed_depthwise_conv2d_2",
    )(h)
    h = layers.AveragePooling2D(2)(h)
    h = layers.average([layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h)])
    return Model([image], {"label": layers.Dense(10, "softmax", name="label")(h)})


def text_cells() -> Model:
    words = Input((None,), dtype="int32", name="words")
    h = layers.Embedding(20000, 64, mask_zero=True, name="kind_embedding")(words)
    cells = layers.StackedRNNCells([layers.GRUCell(64), layers.SimpleRNNCell(48)])
    h = layers.RNN(cells, return_sequences=True, name="kind_rnn")(h)
    h = layers.RNN(layers.LSTMCell(32), name="kind_rnn_2")(h)
    return Model([words], {"kind": layers.Dense(1, "sigmoid", name="kind")(h)})


def translate() -> Model:
    source_words = Input((None,), dtype="int32", name="source_words")
    known_words = Input((None,), dtype="int32", name="known_words")
    # The layers of a statement with several targets are named after the first that is not `_`.
    s = layers.Embedding(8000, 128, mask_zero=True, name="h_embedding")(source_words)
    _, h, c = layers.LSTM(128, return_state=True, name="h")(s)
    t = layers.Embedding(6000, 128, mask_zero=True, name="next_words_embedding")(known_words)
    # Keras 3.15 forgets the mask where an initial state is given, so it is handed over
    t = layers.LSTM(128, return_sequences=True, name="next_words_lstm")(t, initial_state=[h, c], mask=t._keras_mask)
    y = layers.Dense(6000, "softmax", name="next_words")(t)
    return Model([source_words, known_words], {"next_words": y})


def forecast() -> Model:
    history = Input((48, 6), name="history")
    h = layers.LSTM(64, name="future_lstm")(layers.Masking(-1.0)(history))
    h = layers.LayerNormalization(name="future_layer_normalization")(h)
    h = layers.LSTM(64, return_sequences=True, name="future_lstm_2")(layers.RepeatVector(24)(h))
    return Model([history], {"future": layers.TimeDistributed(layers.Dense(6), name="future")(h)})


def stream() -> Model:
    readings = Input(batch_shape=(16, 60, 6), name="readings")
    h = layers.GRU(32, return_sequences=True, stateful=True, name="alarm_gru")(readings)
    h = layers.GRU(16, stateful=True, name="alarm_gru_2")(h)
    return Model([readings], {"alarm": layers.Dense(1, "sigmoid", name="alarm")(h)})


def attention() -> Model:
    days = Input((20, 8), name="days")
    w = layers.Dense(20, "softmax", name="weights_dense")(layers.Permute((2, 1))(days))
    h = layers.multiply([days, layers.Permute((2, 1))(w)])
    h = layers.Bidirectional(layers.LSTM(24), merge_mode="ave", name="tomorrow_bidirectional")(h)
    return Model([days], {"tomorrow": layers.Dense(1, name="tomorrow")(h)})


def compare() -> Model:
    first = Input((None,), dtype="int32", name="first")
    second = Input((None,), dtype="int32", name="second")
    words = layers.Embedding(20000, 64, name="words")
    reader = layers.Bidirectional(layers.GRU(32), name="reader")
    pair = [reader(words(first)), reader(words(second))]
    compared = [
        layers.dot(pair, axes=1, normalize=True),
        layers.subtract(pair),
        layers.multiply(pair),
        layers.average(pair),
        layers.maximum(pair),
        layers.minimum(pair),
    ]
    h = layers.Dense(64, "relu", name="duplicate_dense")(layers.concatenate(compared))
    return Model([first, second], {"duplicate": layers.Dense(1, "sigmoid", name="duplicate")(h)})


def activations() -> Model:
    features = Input((16,), name="features")
    h = layers.Dense(8, name="curves_dense")(features)
    names = (
        "linear relu relu6 leaky_relu elu selu celu gelu silu mish softplus softsign sigmoid hard_sigmoid hard_silu "
        "log_sigmoid tanh hard_tanh tanh_shrink soft_shrink hard_shrink squareplus sparse_plus sparse_sigmoid "
        "exponential softmax log_softmax"
    )
    curves = layers.concatenate([layers.Activation(name)(h) for name in names.split()])
    return Model([features], {"value": layers.Dense(1, name="value")(curves)})


def two_speeds() -> Model:
    words = Input((20,), dtype="int32", name="words")
    x = layers.Embedding(500, 16, name="meaning_embedding")(words)
    x = layers.GRU(16, name="meaning")(x)
    x = layers.Dense(16, "relu", name="read.y_dense")(x)
    x = layers.LayerNormalization(name="read.y")(x)
    return Model([words], {"mood": layers.Dense(3, "softmax", name="mood")(x)})


def temperatures() -> Model:
    days = Input((14, 3), name="days")
    x = layers.GRU(16, name="tomorrow_gru")(days)
    return Model([days], {"tomorrow": layers.Dense(1, name="tomorrow")(x)})


def reviews() -> Model:
    text = Input((16,), dtype="int32", name="text")
    x = layers.Embedding(200, 16, name="mood_embedding")(text)
    x = layers.GlobalAveragePooling1D()(x)
    return Model([text], {"mood": layers.Dense(1, "sigmoid", name="mood")(x)})


REFERENCES: dict[str, Callable[[], Model]] = {
    build.__name__: build
    for build in (
        regression,
        rnn_regression,
        classifier,
        mnist_dnn,
        cnn,
        cnn_channels_first,
        rnn_classifier,
        autoencoder,
        diabetes,
        ant,
        functional,
        question_answering,
        profile,
        inception,
        residual,
        siamese,
        price,
        book,
        digits,
        iris,
        codes,
        tumors,
        video,
        frames,
        volume,
        speech,
        signal,
        denoise,
        mobile,
        text_cells,
        translate,
        forecast,
        stream,
        attention,
        compare,
        activations,
        custom_layers,
        two_speeds,
        temperatures,
        reviews,
    )
}
