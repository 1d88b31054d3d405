"""A second planner, written on its own from the description of the networks and the method.

Prints one JSON object with the sizes and costs of every built-in network at every width, for
several inputs and policies. The C++ planner must agree with all of it (oracle_test.cc reads the
copy in testdata/oracle.json; oracle_data_test.sh checks that the copy is what this prints).

    python3 tests/planner/oracle.py > tests/planner/testdata/oracle.json

It shares no code and no shape of code with planner/: operators are tuples in a list, tensors are
dictionaries keyed by kind and name.
"""

import json
import math

HIGH, FORWARD, BACKWARD = 16, 8, 8
RATIOS = [i / 10 for i in range(11)]


class Net:
    """Operators in execution order: (name, kind, inputs, elements per sample, parameter sizes)."""

    def __init__(self, shape):
        self.ops = [("input", "input", [], math.prod(shape), [])]
        self.shape = {"input": tuple(shape)}

    def add(self, name, kind, inputs, shape, parameters=()):
        self.ops.append((name, kind, inputs, math.prod(shape), list(parameters)))
        self.shape[name] = tuple(shape)
        return name

    def conv(self, name, x, out, k=1, s=1, groups=1, bias=False):
        c, h, w = self.shape[x]
        pad = k // 2
        side = lambda n: (n + 2 * pad - k) // s + 1
        sizes = [out * (c // groups) * k * k] + ([out] if bias else [])
        return self.add(name, "gemm", [x], (out, side(h), side(w)), sizes)

    def bn(self, name, x):
        return self.add(name, "bn", [x], self.shape[x], [self.shape[x][0]] * 2)

    def same(self, name, *inputs):
        return self.add(name, "other", list(inputs), self.shape[inputs[0]])

    def pool(self, name, x, kh, kw):
        c, h, w = self.shape[x]
        return self.add(name, "other", [x], (c, h // kh, w // kw))

    def finish(self, x, classes):
        if len(self.shape[x]) != 1 or self.shape[x] != (classes,):
            n = math.prod(self.shape[x])
            x = self.add("linear", "gemm", [x], (classes,), [n * classes, classes])
        x = self.same("criterion.logsoftmax", x)
        self.add("criterion.nllloss", "other", [x], (1,))


def rounded(v, width):
    d = 4 if width <= 0.25 else 8
    n = max(d, math.floor(v / d + 0.5) * d)
    return n + d if n < 0.9 * v else n


def resnet18(net, width, classes):
    x = net.conv("conv1", "input", rounded(64 * width, width), 3)
    x = net.same("relu1", net.bn("bn1", x))
    for layer, base in enumerate([64, 128, 256, 512], 1):
        out = rounded(base * width, width)
        for b in range(2):
            p = "layer%d.%d." % (layer, b)
            s = 2 if layer > 1 and b == 0 else 1
            m = net.same(p + "relu1", net.bn(p + "bn1", net.conv(p + "conv1", x, out, 3, s)))
            m = net.bn(p + "bn2", net.conv(p + "conv2", m, out, 3))
            if s == 2 or net.shape[x][0] != out:
                x = net.bn(p + "shortcut.1", net.conv(p + "shortcut.0", x, out, 1, s))
            x = net.same(p + "relu3", net.same(p + "add", m, x))
    net.finish(net.pool("avgpool2d", x, 4, 4), classes)


def mobilenet_v2(net, width, classes):
    x = net.conv("conv1", "input", rounded(32 * width, width), 3)
    x = net.same("relu1", net.bn("bn1", x))
    plan = [(1, 16, 1)] + [(6, 24, 1)] * 2 + [(6, 32, 2)] + [(6, 32, 1)] * 2
    plan += [(6, 64, 2)] + [(6, 64, 1)] * 3 + [(6, 96, 1)] * 3 + [(6, 160, 2)] + [(6, 160, 1)] * 2
    plan += [(6, 320, 1)]
    for i, (expand, base, s) in enumerate(plan):
        p = "layers.%d." % i
        c, out = net.shape[x][0], rounded(base * width, width)
        h = c * expand
        m = net.same(p + "relu1", net.bn(p + "bn1", net.conv(p + "conv1", x, h)))
        m = net.same(p + "relu2", net.bn(p + "bn2", net.conv(p + "conv2", m, h, 3, s, h)))
        m = net.bn(p + "bn3", net.conv(p + "conv3", m, out))
        if s == 1:
            if c != out:
                x = net.bn(p + "shortcut.1", net.conv(p + "shortcut.0", x, out))
            m = net.same(p + "add", m, x)
        x = m
    x = net.conv("conv2", x, rounded(1280 * max(1, width), width))
    x = net.same("relu2", net.bn("bn2", x))
    net.finish(net.pool("avgpool2d", x, 4, 4), classes)


SHUFFLENET = {
    0.1: (12, 24, 48), 0.15: (16, 32, 64), 0.2: (24, 48, 96), 0.25: (28, 56, 112),
    0.5: (56, 112, 224), 0.75: (88, 176, 352), 1.0: (116, 232, 464), 1.5: (176, 352, 704),
    2.0: (244, 488, 976),
}


def shufflenet_v2(net, width, classes):
    x = net.same("relu1", net.bn("bn1", net.conv("conv1", "input", 24, 3)))
    for layer, (out, blocks) in enumerate(zip(SHUFFLENET[width], (3, 7, 3)), 1):
        p, c, m = "layer%d.0." % layer, net.shape[x][0], out // 2
        a = net.bn(p + "bn1", net.conv(p + "conv1", x, c, 3, 2, c))
        a = net.same(p + "relu2", net.bn(p + "bn2", net.conv(p + "conv2", a, m)))
        b = net.same(p + "relu3", net.bn(p + "bn3", net.conv(p + "conv3", x, m)))
        b = net.bn(p + "bn4", net.conv(p + "conv4", b, m, 3, 2, m))
        b = net.same(p + "relu5", net.bn(p + "bn5", net.conv(p + "conv5", b, m)))
        x = net.add(p + "cat", "other", [a, b], (out,) + net.shape[a][1:])
        for i in range(1, blocks + 1):
            p = "layer%d.%d." % (layer, i)
            half = (m,) + net.shape[x][1:]
            a = net.add(p + "split.split1", "other", [x], half)
            b = net.add(p + "split.split2", "other", [x], half)
            b = net.same(p + "relu1", net.bn(p + "bn1", net.conv(p + "conv1", b, m)))
            b = net.bn(p + "bn2", net.conv(p + "conv2", b, m, 3, 1, m))
            b = net.same(p + "relu3", net.bn(p + "bn3", net.conv(p + "conv3", b, m)))
            x = net.add(p + "cat", "other", [a, b], (out,) + half[1:])
    x = net.conv("conv2", x, 2048 if width == 2 else 1024)
    x = net.same("relu2", net.bn("bn2", x))
    net.finish(net.pool("avgpool2d", x, 4, 4), classes)


SQUEEZENET = {  # input of fire2; (squeeze, expand) of fire2, 4, 6, 8 where two share them
    0.1: "12,4,8 16,4,8 16,4,12 24,4,12 24,8,20 40,8,20 40,8,24 48,8,256",
    0.15: "16,4,12 24,4,12 24,8,20 40,8,20 40,8,28 56,8,28 56,12,40 80,12,256",
    0.2: "20,4,12 24,4,12 24,8,24 48,8,24 48,12,40 80,12,40 80,12,52 104,12,256",
    0.25: "24,4,16 32,4,16 32,8,32 64,8,32 64,12,48 96,12,48 96,16,64 128,16,256",
    0.5: "48,8,32 64,8,32 64,16,64 128,16,64 128,24,96 192,24,96 192,32,128 256,32,256",
    1.0: "96,16,64 128,16,64 128,32,128 256,32,128 256,48,192 384,48,192 384,64,256 512,64,256",
}


def squeezenet(net, width, classes):
    rows = [tuple(map(int, row.split(","))) for row in SQUEEZENET[width].split()]
    x = net.conv("conv1", "input", rows[0][0], 3, bias=True)
    x = net.pool("maxpool1", net.same("relu", net.bn("bn1", x)), 2, 2)
    for number, (fed, squeeze, expand) in enumerate(rows, 2):
        p = "fire%d." % number
        assert net.shape[x][0] == fed, (width, number)
        s = net.bn(p + "bn1", net.conv(p + "conv1", x, squeeze, bias=True))
        s = net.same(p + "relu1", s)
        a = net.bn(p + "bn2", net.conv(p + "conv2", s, expand, bias=True))
        b = net.bn(p + "bn3", net.conv(p + "conv3", s, expand, 3, bias=True))
        x = net.add(p + "cat", "other", [a, b], (2 * expand,) + net.shape[a][1:])
        x = net.same(p + "relu2", x)
        if number in (4, 8):
            x = net.pool("maxpool%d" % (number // 4 + 1), x, 2, 2)
    x = net.conv("conv2", x, classes, bias=True)
    x = net.add("avg_pool", "other", [x], (classes,))  # whatever the map, one value a class
    net.finish(x, classes)


class Tensors:
    """Elements and group of each tensor; keys are (kind, name)."""

    def __init__(self, net, batch):
        self.net, self.size, self.group = net, {}, {}
        current = -1
        for name, kind, inputs, elements, parameters in net.ops:
            current += kind in ("input", "gemm")
            for gradient in ("v", "dv"):
                self.size[gradient, name] = elements * batch
                self.group[gradient, name] = current
            for i, count in enumerate(parameters):
                for gradient in ("theta", "dtheta"):
                    key = gradient, "%s.%d" % (name, i)
                    self.size[key] = count
                    self.group[key] = self.group["v", inputs[0]]
        self.groups = [0] * (current + 1)
        for key, count in self.size.items():
            self.groups[self.group[key]] += count

    def bits(self, low):
        width = {"v": FORWARD, "theta": FORWARD, "dv": BACKWARD, "dtheta": HIGH}
        return sum(n * (width[k[0]] if k in low else HIGH) for k, n in self.size.items())

    def of_groups(self, ids):
        return {k for k in self.size if self.group[k] in ids}

    def ordered(self, sign, ratio):
        ids, total, done, low = range(len(self.groups)), sum(self.groups), 0.0, []
        for g in sorted(ids, key=lambda i: (sign * self.groups[i], i)):
            if done >= ratio and ratio < 1:
                break
            low.append(g)
            done += self.groups[g] / total
        return sorted(low)

    def parameters(self, op):
        return {(k, "%s.%d" % (op[0], i)) for k in ("theta", "dtheta") for i in range(len(op[4]))}

    def autocast(self):
        low = set()
        for op in self.net.ops:
            if op[1] == "gemm":
                low |= self.parameters(op) | {("dv", op[0])} | {("v", i) for i in op[2]}
        return low

    def operator(self):
        both = lambda names: {(k, n) for k in ("v", "dv") for n in names}
        high, last = both(["input"]), len(self.groups) - 1
        for op in self.net.ops:
            if "input" in op[2]:
                high |= both([op[0]]) | self.parameters(op)
            if self.group["v", op[0]] == last:
                high |= both([op[0]]) | both(op[2]) | self.parameters(op)
        return self.autocast() - high


def saved_bytes(net, batch, width):
    """What a training step holds when forward has ended, v in `width` bytes each."""
    elements = {op[0]: op[3] * batch for op in net.ops}
    read, other = {"criterion.logsoftmax"}, 0
    for name, kind, inputs, _, _ in net.ops:
        if kind in ("gemm", "bn"):
            read.update(inputs)
        if kind == "bn":
            other += 2 * 4 * net.shape[name][0]
        last = name.split(".")[-1]
        if last.startswith("relu"):
            other += -(-elements[name] // 8)
        if last.startswith("maxpool"):
            other += elements[name]
    return sum(elements[name] for name in read) * width + other


def case(name, build, width, classes, shape, batch):
    net = Net(shape)
    build(net, width, classes)
    t = Tensors(net, batch)
    kinds = ("v", "theta", "dv", "dtheta")
    out = {"model": name, "width": width, "classes": classes, "input": shape, "batch": batch}
    out["operators"] = [op[0] for op in net.ops] if batch == 128 and width == 1.0 else []
    out["by_kind"] = [sum(n for k, n in t.size.items() if k[0] == kind) for kind in kinds]
    out["groups"] = t.groups
    for policy, sign in (("demotion", -1), ("increasing", 1)):
        chosen = [t.ordered(sign, r) for r in RATIOS]
        out[policy] = [{"low": ids, "bits": t.bits(t.of_groups(ids))} for ids in chosen]
    out["uniform"] = t.bits(set(t.size))
    out["operator"] = t.bits(t.operator())
    out["autocast"] = t.bits(t.autocast())
    out["explicit"] = t.bits(t.of_groups({0, 2, 5}))
    out["saved"] = {"low": saved_bytes(net, batch, 1), "high": saved_bytes(net, batch, 2)}
    return out


def main():
    wide = [0.1, 0.25, 0.5, 1.0]
    models = [
        ("mobilenet_v2", mobilenet_v2, wide), ("resnet18", resnet18, wide),
        ("shufflenet_v2", shufflenet_v2, list(SHUFFLENET)), ("squeezenet", squeezenet, list(SQUEEZENET)),
    ]
    lines = []
    for name, build, widths in models:
        cases = [(w, 10, [3, 32, 32], 128) for w in widths]
        cases += [(widths[0], 2, [1, 32, 32], 1), (widths[1], 37, [3, 64, 72], 5)]
        if name != "squeezenet":
            cases += [(widths[0], 10, [1, 28, 28], 32), (widths[2], 10, [4, 25, 50], 3)]
        lines += [json.dumps(case(name, build, *c), separators=(",", ":")) for c in cases]
    print("[\n" + ",\n".join(lines) + "\n]")


if __name__ == "__main__":
    main()
