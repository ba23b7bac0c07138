from torch import nn


def init_recurrent(module: nn.Module, forget: int = 0) -> None:
    """Keras's initial weights: Glorot uniform for the input, orthogonal for the state,
    zero biases, but 1 for the `forget` units of an LSTM's forget gate."""
    one_bias = isinstance(module, nn.LSTM | nn.LSTMCell | nn.RNN | nn.RNNCell)
    for name, weight in module.named_parameters():
        if "weight_ih" in name:
            nn.init.xavier_uniform_(weight)
        elif "weight_hh" in name:
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if "bias_hh" in name and one_bias:
                weight.requires_grad_(False)  # Keras has one bias, torch two
            if forget and "bias_ih" in name:
                nn.init.ones_(weight[forget : 2 * forget])
