import { DescentError } from "@descent/backend";

/** How to find a device. Everything is optional, and nothing is required of the adapter. */
export interface WebgpuOptions {
  /** The adapter itself, or part of its name (Node only). Default: the one the platform prefers. */
  readonly adapter?: GPUAdapter | string;
  /** Which of several adapters the platform should prefer. Default "high-performance". */
  readonly powerPreference?: GPUPowerPreference;
  /** Features to use where the adapter has them. Default: "shader-f16", "subgroups" and "timestamp-query". */
  readonly features?: readonly string[];
  /** A device that exists already; it is used as it is and not destroyed by `close`. Excludes `adapter` and `recover`. */
  readonly device?: GPUDevice;
  /** Keeps a shadow of what lasts, and goes on from it on a new device when the device is lost. Default false. */
  readonly recover?: boolean | RecoverOptions;
  /** Bytes of freed memory that are kept for reuse. Default 1 GiB. */
  readonly poolBytes?: number;
  /** Sums by index come out the same in every run, in the order of the elements; slower. Default false. */
  readonly deterministic?: boolean;
  /**
   * Where `tune` keeps its choices for later runs: a folder in Node, the name of an IndexedDB database in browsers; false: nowhere.
   * Default: "descent" in the user's folder for caches, or the database "descent".
   */
  readonly tuningCache?: string | false;
  /** Flags for Dawn (Node only), for example `["backend=null"]`. */
  readonly dawn?: readonly string[];
}

export interface RecoverOptions {
  /** Milliseconds between two shadows: at most so much training is lost. Default 30 000. */
  readonly interval?: number;
  /** Told of every device that was lost and replaced. */
  readonly onRecover?: (info: {
    readonly reason: string;
    readonly message: string;
    readonly lostMilliseconds: number;
  }) => void;
}

/** A device and what was found out about it. */
export interface Opened {
  readonly device: GPUDevice;
  /** What the adapter is called, for people. */
  readonly description: string;
  /** What the platform's WGSL has beyond the first version. */
  readonly language: Pick<WGSLLanguageFeatures, "has">;
  /** Opens another one of the same kind. */
  readonly again: (() => Promise<Opened>) | null;
}

const known = [
  "adapter",
  "powerPreference",
  "features",
  "device",
  "recover",
  "poolBytes",
  "deterministic",
  "tuningCache",
  "dawn",
] as const;
const wantedFeatures = ["shader-f16", "subgroups", "timestamp-query"];

/** Limits that are worth having as high as the adapter has them. */
const wantedLimits = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
] as const;

const fail = (fault: string, facts: Record<string, unknown>, hint: string, cause?: unknown): DescentError =>
  new DescentError("unsupported", "webgpu", fault, facts, hint, cause === undefined ? {} : { cause });

const optionError = (fault: string, facts: Record<string, unknown>, hint: string): DescentError =>
  new DescentError("option", "webgpu", fault, facts, hint);

export function checkOptions(options: WebgpuOptions): void {
  for (const name of Object.keys(options))
    if (!(known as readonly string[]).includes(name))
      throw optionError("unknown option", { option: name }, `The options are ${known.join(", ")}.`);
  const { device, adapter, recover, poolBytes, powerPreference, features, tuningCache } = options;
  if (device && (adapter || recover || features))
    throw optionError(
      "a device that exists already excludes adapter, features and recover",
      { given: Object.keys(options) },
      "A device cannot be made anew from the outside: leave `device` out.",
    );
  if (poolBytes !== undefined && !(poolBytes >= 0))
    throw optionError("poolBytes is not a count of bytes", { poolBytes }, "Give a number from 0 on.");
  if (powerPreference !== undefined && !["low-power", "high-performance"].includes(powerPreference))
    throw optionError("unknown power preference", { powerPreference }, 'It is "low-power" or "high-performance".');
  if (tuningCache !== undefined && tuningCache !== false && (typeof tuningCache !== "string" || tuningCache === ""))
    throw optionError(
      "tuningCache is no place",
      { tuningCache },
      "Name a folder (a database in browsers), or give false.",
    );
  const interval = typeof recover === "object" ? recover.interval : undefined;
  if (interval !== undefined && !(interval >= 0))
    throw optionError("the interval is no time", { interval }, "Give milliseconds from 0 on.");
}

interface Scope {
  readonly navigator?: { readonly gpu?: GPU };
  readonly isSecureContext?: boolean;
  readonly process?: { readonly versions?: { readonly node?: string } };
}

/** GPU objects of Dawn must outlive their devices. */
const kept: GPU[] = [];

/** The platform's entry to WebGPU: the browser's own, or Dawn's in Node. */
async function entry({ adapter, dawn = [] }: WebgpuOptions, scope: Scope): Promise<GPU> {
  const own = scope.navigator?.gpu;
  if (own) return own;
  if (scope.process?.versions?.node) {
    const name = "webgpu"; // not a literal, so that no bundler looks for the optional package
    let dawnModule: { create: (flags: string[]) => GPU };
    try {
      dawnModule = await import(/* @vite-ignore */ name);
    } catch (cause) {
      throw fail(
        "Node has no WebGPU of its own, and the package that brings it is not installed",
        { package: name },
        "Run: npm install webgpu",
        cause,
      );
    }
    const gpu = dawnModule.create([...dawn, ...(typeof adapter === "string" ? [`adapter=${adapter}`] : [])]);
    kept.push(gpu);
    return gpu;
  }
  if (scope.isSecureContext === false)
    throw fail(
      "the page is not a secure context, and WebGPU exists only in one",
      {},
      "Serve it over https, or from localhost.",
    );
  throw fail(
    "this engine has no WebGPU",
    {},
    "Use another backend, for example @descent/backend-wasm, or see https://caniuse.com/webgpu.",
  );
}

/** A limit that is a number, else the default of the specification. */
export function limitOf(limits: GPUSupportedLimits, name: (typeof wantedLimits)[number]): number {
  const value = limits[name];
  if (Number.isFinite(value) && value > 0) return value;
  return {
    maxBufferSize: 2 ** 28,
    maxStorageBufferBindingSize: 2 ** 27,
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
  }[name];
}

/** Finds an adapter and opens a device on it, with every wanted feature it has and limits as high as they go. */
export async function open(options: WebgpuOptions, scope: Scope = globalThis as Scope): Promise<Opened> {
  checkOptions(options);
  const given = { language: scope.navigator?.gpu?.wgslLanguageFeatures ?? new Set<string>() };
  if (options.device) return { ...given, device: options.device, description: "a given device", again: null };
  let { language } = given;
  const { powerPreference = "high-performance", features = wantedFeatures } = options;
  let { adapter } = options;
  if (typeof adapter !== "object") {
    const gpu = await entry(options, scope);
    language = gpu.wgslLanguageFeatures ?? language;
    let reason: unknown;
    try {
      adapter = (await gpu.requestAdapter({ powerPreference })) ?? undefined;
    } catch (cause) {
      reason = cause;
    }
    if (typeof adapter !== "object")
      throw fail(
        "no adapter was found",
        { adapter: options.adapter ?? "any", powerPreference },
        "Check the driver: in Node it is a Vulkan, Metal or D3D12 driver; in Chromium see chrome://gpu.",
        reason,
      );
  }
  const found = adapter;
  const requiredFeatures = features.filter((name) => found.features.has(name)) as GPUFeatureName[];
  const requiredLimits = Object.fromEntries(wantedLimits.map((name) => [name, limitOf(found.limits, name)]));
  let device: GPUDevice;
  try {
    device = await found.requestDevice({ requiredFeatures, requiredLimits });
  } catch (cause) {
    throw fail(
      "the adapter opened no device",
      { adapter: describe(found), reason: (cause as Error).message },
      "An adapter opens one device only: ask for it anew.",
      cause,
    );
  }
  // An adapter opens one device; the next one needs an adapter of its own.
  const again = () =>
    open(typeof options.adapter === "object" ? { ...options, adapter: undefined as never } : options, scope);
  return { device, description: describe(found), language, again };
}

/** Threads of the smallest subgroup of a device whose threads can be numbered along subgroups; else 0. */
export function subgroupsOf({ device, language }: Opened): number {
  if (!device.features.has("subgroups") || !language.has("subgroup_id")) return 0;
  return device.adapterInfo?.subgroupMinSize ?? 0;
}

const describe = ({ info }: GPUAdapter): string =>
  [info?.vendor, info?.architecture, info?.device, info?.description].filter((part) => part).join(" ") || "unknown";
