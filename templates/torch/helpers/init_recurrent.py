from torch import nn


def init_recurrent(module: nn.Module, forget: int = 0) -> None:
    """Keras's initial weights: Glorot uniform for the input, orthogonal for the state,
    zero biases, but 1 for the `forget` units of an LSTM's forget gate."""
    for name, weight in module.named_parameters():
        if name.startswith("weight_ih"):
            nn.init.xavier_uniform_(weight)
        elif name.startswith("weight_hh"):
            nn.init.orthogonal_(weight)
        else:
            nn.init.zeros_(weight)
            if name.startswith("bias_hh") and isinstance(module, nn.LSTM | nn.RNN):
                weight.requires_grad_(False)  # Keras has one bias, torch two
            if forget and name.startswith("bias_ih"):
                nn.init.ones_(weight[forget : 2 * forget])
