import { currentRuntime } from "@descent/tensor";

/** The labels of everything that `f` launches on the backend in use, in order. */
export function launches(f: () => unknown): string[] {
  const runtime = currentRuntime("launches");
  const labels: string[] = [];
  runtime.listener = ({ label }) => labels.push(label ?? "?");
  try {
    f();
  } finally {
    runtime.listener = null;
  }
  return labels;
}
