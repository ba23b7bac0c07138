from torch import Tensor


def spread(means: dict[str, Tensor], name: str, values: Tensor) -> None:
    """Puts several numbers among the means: name_0, name_1, …"""
    means |= {f"{name}_{number}": value for number, value in enumerate(values)}
