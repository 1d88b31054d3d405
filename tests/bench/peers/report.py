"""The comparison as Markdown tables of ratios, and the part of a file that holds them."""

import datetime
import platform

BEGIN = "<!-- Written by tests/bench/peers/run. -->"
END = "<!-- End of what it writes. -->"

# The row that everything is a ratio of.
BASE = "PyTorch fp32"


def mark(text, is_best):
    return f"**{text}**" if is_best else text


def megabytes(count):
    return f"{count / 1e6:,.1f}"


def table(rows):
    base = next((row for row in rows if row["name"] == BASE), rows[0])
    best = {key: min(row[key] for row in rows)
            for key in ("peak_bytes", "saved_bytes", "seconds")}
    lines = [f"| | peak, MB | of {base['name']} | saved for backward, MB | of {base['name']} | "
             f"step, CPU s | of {base['name']} |", "|---|--:|--:|--:|--:|--:|--:|"]
    for row in rows:
        cells = [row["name"]]
        for key, shown in [("peak_bytes", megabytes), ("saved_bytes", megabytes),
                           ("seconds", lambda seconds: f"{seconds:.2f}")]:
            is_best = row[key] == best[key]
            cells += [mark(shown(row[key]), is_best), mark(f"{row[key] / base[key]:.3f}", is_best)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def peaks(rows):
    """When Mantissa's peaks were, what for, and what had been predicted."""
    kinds = ["masters", "weights", "activations", "gradients", "optimizer", "workspace"]
    lines = ["| | peak at | " + " | ".join(kinds) + " | predicted, of measured |",
             "|---|---|" + "--:|" * (len(kinds) + 1)]
    for row in rows:
        if "peak" in row:
            moment = row["peak"]
            cells = [row["name"], f"{moment['phase']} {moment['operator']}".strip()]
            cells += [megabytes(moment["bytes"][kind]) for kind in kinds]
            cells.append(f"{row['predicted_bytes'] / row['peak_bytes']:.3f}")
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def command(args):
    return (f"tests/bench/peers/run --models {args.models} --batch {args.batch} --width "
            f"{args.width} --steps {args.steps} --threads {args.threads}")


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        names = [line.partition(":")[2].strip() for line in f if line.startswith("model name")]
    return names[0] if names else platform.machine()


def render(args, results):
    torch = next((row["torch"] for rows in results.values() for row in rows if "torch" in row), "")
    now = datetime.datetime.now(datetime.timezone.utc)
    parts = [f"    {command(args)}",
             f"{now:%Y-%m-%d %H:%M} UTC, {processor()}, {args.threads} threads"
             + (f", PyTorch {torch}" if torch else "") + "."]
    for model, rows in results.items():
        parts += [f"## {model}, batch {args.batch}, width {args.width}", table(rows)]
        if any("peak" in row for row in rows):
            parts += ["Mantissa's peaks, in MB, by what they were for:", peaks(rows)]
    return "\n\n".join(parts) + "\n"


def write(path, text):
    """Replaces what is between BEGIN and END."""
    with open(path, encoding="utf-8") as f:
        before, _, rest = f.read().partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise SystemExit(f"{path} lacks the lines {BEGIN} and {END}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
