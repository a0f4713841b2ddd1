/** Who may import whom, as drawn in ARCHITECTURE.md. A package missing here fails the test; one missing on disk is skipped. */
export const arrows: Readonly<Record<string, readonly string[]>> = {
  backend: [],
  "backend-cpu": ["backend"],
  "backend-wasm": ["backend"],
  "backend-webgpu": ["backend"],
  tensor: ["backend"],
  autograd: ["tensor"],
  checkpoint: ["tensor"],
  data: ["tensor"],
  optim: ["tensor"],
  nn: ["autograd", "tensor"],
  distributed: ["optim", "tensor"],
  "lr-scheduler": [],
};
