export { type Collated, collate } from "./collate.ts";
export { ConcatDataset, type Dataset, randomSplit, Subset, TensorDataset } from "./dataset.ts";
export { type IdxArray, readIdx } from "./idx.ts";
export { DataLoader, type DataLoaderOptions, type DataLoaderState } from "./loader.ts";
export {
  RandomSampler,
  type RandomSamplerOptions,
  type Sampler,
  SequentialSampler,
  WeightedRandomSampler,
  type WeightedRandomSamplerOptions,
} from "./samplers.ts";
