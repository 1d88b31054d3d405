"""A module of your own, trained on a Mantissa server with half of its elements in low precision.

Wants the server's address in MANTISSA_SERVER, where it is not 127.0.0.1:7070.
"""

import torch
from torch import nn

import mantissa


class Net(nn.Module):
    """Mantissa knows nothing of this class."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.SiLU())
        self.block = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1), nn.GroupNorm(4, 16), nn.GELU())
        self.head = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        return self.head((x + self.block(x)).amax((2, 3)))


# Ten patterns under noise; the last 500 are kept to see how well the result does.
torch.manual_seed(0)
labels = torch.randint(10, (2500,))
images = torch.randn(10, 1, 12, 12)[labels] + 0.5 * torch.randn(2500, 1, 12, 12)

net = Net()
mantissa.export(net, images[:2], "net.pt2")
with mantissa.Client() as client:
    client.push_dataset("patterns", {"x": images[:2000], "y": labels[:2000]})
    job = client.submit("net.pt2", "patterns", low_ratio=0.5, epochs=5, batch_size=50)
    for event in job.watch():
        print(event)
    net.load_state_dict(job.wait().state_dict())
right = net.eval()(images[2000:]).argmax(1) == labels[2000:]
print(f"{right.float().mean():.1%} of 500 samples that the server never saw are right")
