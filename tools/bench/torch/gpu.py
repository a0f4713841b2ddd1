"""The figures of the gpu family on PyTorch CUDA: copy, Adam (fused), products with TF32 off and on."""

import torch


def seconds(run, repeat=20):
    for _ in range(3):
        run()
    times = []
    for _ in range(repeat):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1000)
    return sorted(times)[repeat // 2]


def main():
    print(torch.cuda.get_device_name(), torch.__version__)
    x, y = torch.zeros(2**26, device="cuda"), torch.zeros(2**26, device="cuda")
    print(f"copy of 2^26: {8 * 2**26 / seconds(lambda: y.copy_(x)) / 1e9:.0f} GB/s")
    for tensors in (1, 100, 1000):
        params = [torch.zeros(100_000_000 // tensors, device="cuda", requires_grad=True) for _ in range(tensors)]
        for p in params:
            p.grad = torch.zeros_like(p)
        optimizer = torch.optim.Adam(params, fused=True)
        print(f"adam, {tensors} tensors: {28e8 / seconds(optimizer.step) / 1e9:.0f} GB/s")
        del params, optimizer
    for tf32 in (False, True):
        torch.backends.cuda.matmul.allow_tf32 = tf32
        for n in (256, 512, 1024, 2048, 4096):
            a, b = torch.randn(n, n, device="cuda"), torch.randn(n, n, device="cuda")
            print(f"float32 {n}, TF32 {tf32}: {2 * n**3 / seconds(lambda: a @ b) / 1e9:.0f} GFLOP/s")
    for n in (1024, 2048, 4096):
        a, b = torch.randn(n, n, device="cuda").half(), torch.randn(n, n, device="cuda").half()
        print(f"float16 {n}: {2 * n**3 / seconds(lambda: a @ b) / 1e9:.0f} GFLOP/s")


main()
