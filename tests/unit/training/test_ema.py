import torch

from redraft.training.ema import Ema


def test_averages_follow_by_the_stated_decay() -> None:
    module = torch.nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(1.0)
    ema = Ema(module, decay=0.999)
    expected = 1.0
    for step in range(50):
        module.weight.data.fill_(float(step))
        ema.update(step)
        decay = min(0.999, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * step
    assert abs(float(ema.averages["weight"]) - expected) < 1e-4


def test_the_module_gets_its_own_weights_back() -> None:
    module = torch.nn.Linear(2, 2)
    ema = Ema(module, decay=0.5)
    own = module.weight.detach().clone().add_(1.0)
    module.weight.data.copy_(own)
    try:
        with ema.applied():
            assert module.weight.detach().equal(ema.averages["weight"])
            raise KeyError
    except KeyError:
        pass
    assert module.weight.detach().equal(own)


def test_decay_zero_keeps_no_averages() -> None:
    module = torch.nn.Linear(2, 2)
    ema = Ema(module, decay=0.0)
    ema.update(0)
    with ema.applied() as same:
        assert same is module
    assert ema.averages == {}
