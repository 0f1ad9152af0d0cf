"""Numbers for PyTorch's networks that have no weights of their own."""
import torch


def randomise(network, kernels):
    """Draws statistics, and factors near 1 and biases of normalisations, so that none of them is 0 or 1;
    with `kernels` also what convolutions and linear layers multiply by, of a size that keeps the size
    of what they multiply, so that all layers count in the answer.  Returns the network, to be evaluated."""
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, t in network.state_dict().items():
            if name.endswith("running_var"):
                t.copy_(torch.rand(t.shape, generator=g) + 0.5)
            elif name.endswith("running_mean"):
                t.copy_(torch.randn(t.shape, generator=g) * 0.1)
            elif t.is_floating_point() and t.dim() == 1:
                low, span = (0.8, 0.4) if name.endswith("weight") else (-0.1, 0.2)
                t.copy_(torch.rand(t.shape, generator=g) * span + low)
            elif t.is_floating_point() and kernels:
                t.copy_(torch.randn(t.shape, generator=g) * (2 / t[0].numel()) ** 0.5)
    return network.eval()
