"""Times tasks in PyTorch. Reads {"threads", "gpu", "tasks": [{"setup", "run"} or null]} and prints one [median, best] (seconds) or null per task."""

import json
import sys
import time

import torch

SAMPLES = 15
SAMPLE_SECONDS = 0.02
WARM_UP_SECONDS = 0.2
MOST_SECONDS = 0.75


def measure(setup, run):
    scope = {"torch": torch, "F": torch.nn.functional, "nn": torch.nn}
    exec(setup, scope)
    code = compile(run, "task", "exec")

    def sample(calls):
        start = time.perf_counter()
        for _ in range(calls):
            exec(code, scope)
        if on_gpu:
            torch.cuda.synchronize()
        return time.perf_counter() - start

    calls = 1
    start = time.perf_counter()
    while time.perf_counter() - start < WARM_UP_SECONDS:
        calls = max(1, -int(-calls * min(10, SAMPLE_SECONDS / max(sample(calls), 1e-6)) // 1))
    first = sample(calls)
    more = max(0, min(SAMPLES, int(MOST_SECONDS / max(first, 1e-9))) - 1)
    times = sorted(seconds / calls for seconds in [first, *(sample(calls) for _ in range(more))])
    return [times[len(times) // 2], times[0]]


request = json.load(sys.stdin)
torch.set_num_threads(request["threads"])
on_gpu = request["gpu"] and torch.cuda.is_available()
if on_gpu:
    torch.set_default_device("cuda")
torch.manual_seed(0)
timings = [task and measure(task["setup"], task["run"]) for task in request["tasks"]]
json.dump({"version": torch.__version__, "timings": timings}, sys.stdout)
