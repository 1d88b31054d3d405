"""What tests/gpu/run has measured, as Markdown, and the part of docs/gpu.md that holds it."""

import datetime

BEGIN = "<!-- Written by tests/gpu/run. -->"
END = "<!-- End of what it writes. -->"

# The rows that others are ratios of.
FP32, AMP = "PyTorch fp32", "PyTorch AMP bf16"


def lines_of(head, rows):
    yield "| " + " | ".join(head) + " |"
    yield "|---" + "|--:" * (len(head) - 1) + "|"
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def contracts(results):
    return "\n".join(lines_of(
        ["Kernels against their CPU twins", "passed", "skipped", "result"],
        [[name, str(passed), str(skipped), "FAILED" if failed else "ok"]
         for name, passed, skipped, failed in results]))


def kernels(result):
    if "failed" in result:
        return "The benches of the kernels did not run: " + result["failed"]
    head = (f"{result['device']}, {result['elements']:,} elements, copy "
            f"{result['copy_bytes_per_second'] / 1e9:,.1f} GB/s.")
    table = lines_of(["Kernel", "GB/s", "of copy"],
                     [[kernel["name"], f"{kernel['bytes'] / kernel['seconds'] / 1e9:,.1f}",
                       f"{kernel['of_copy']:.2f}"] for kernel in result["kernels"]])
    return head + "\n\n" + "\n".join(table)


def ratio(row, base, key):
    if base is None or "failed" in base:
        return ""
    return f"{row[key] / base[key]:.3f}"


def steps(model, batch, rows):
    by_name = {row["name"]: row for row in rows}
    fp32, amp = by_name.get(FP32), by_name.get(AMP)
    cells = []
    for row in rows:
        if "failed" in row:
            cells.append([row["name"], row["failed"]] + [""] * 6)
            continue
        cells.append([
            row["name"], f"{row['peak_bytes'] / 1e6:,.1f}", ratio(row, fp32, "peak_bytes"),
            ratio(row, amp, "peak_bytes"), f"{row['wall_seconds'] * 1e3:,.1f}",
            ratio(row, fp32, "wall_seconds"), ratio(row, amp, "wall_seconds"),
            f"{batch / row['wall_seconds']:,.0f}"])
    head = ["", "peak, MB", "of fp32", "of AMP", "step, ms", "of fp32", "of AMP", "images/s"]
    return f"### {model}, batch {batch}\n\n" + "\n".join(lines_of(head, cells))


def render(results):
    now = datetime.datetime.now(datetime.timezone.utc)
    torch = f", PyTorch {results['torch']}" if results["torch"] else ""
    parts = [f"    {results['command']}", f"{now:%Y-%m-%d %H:%M} UTC{torch}.",
             contracts(results["contracts"]), kernels(results["kernels"])]
    parts += [steps(**part) for part in results["steps"]]
    return "\n\n".join(parts) + "\n"


def write(path, text):
    """Replaces what is between BEGIN and END."""
    with open(path, encoding="utf-8") as f:
        before, begin, rest = f.read().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no part that begins with {BEGIN} and ends with {END}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")
