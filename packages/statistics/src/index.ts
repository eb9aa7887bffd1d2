export { ascendingIndices } from './ascending-indices.ts';
export { benjaminiHochberg } from './benjamini-hochberg.ts';
export {
  type BootstrapMethod,
  type Buckets,
  HASH_BUCKETS,
  type PairedEstimate,
  pairedBootstrap,
  pairedBootstraps,
  ROW_LEVEL_LIMIT,
  type Statistic,
  weightedSums,
} from './bootstrap.ts';
export { type ChiSquare, chiSquareGoodnessOfFit, chiSquareTwoSample, poolRareCategories } from './chi-square.ts';
export { type CramersV, cramersV } from './cramers-v.ts';
export {
  areaUnderRoc,
  type Delong,
  delong,
  delongCovariance,
  delongOfSums,
  type MovedSums,
  type PlacementSums,
} from './delong.ts';
export {
  binomialCdf,
  chiSquareQuantile,
  chiSquareSf,
  normalCdf,
  normalQuantile,
  tCdf,
  tQuantile,
} from './distributions.ts';
export { equalWidthCounts, sturgesEdges } from './equal-width-edges.ts';
export { holm } from './holm.ts';
export { type JensenShannon, jensenShannon } from './jensen-shannon.ts';
export { type KolmogorovPValue, kolmogorovSf, kolmogorovTwoSample } from './kolmogorov.ts';
export {
  type BinnedKolmogorovSmirnov,
  type KolmogorovSmirnov,
  kolmogorovSmirnov,
  kolmogorovSmirnovLowerBound,
  kolmogorovSmirnovOfCounts,
} from './kolmogorov-smirnov.ts';
export { type Discordance, type Mcnemar, mcnemar } from './mcnemar.ts';
export { type PairedMean, pairedMean } from './paired-mean.ts';
export { percentile } from './percentile.ts';
export { type Permutation, pairedPermutation, permutationTest } from './permutation.ts';
export { type Psi, psi, type ZeroFill } from './psi.ts';
export { quantileBinCounts, quantileEdges } from './quantile-edges.ts';
export { createRandom, type Random } from './random.ts';
export { bootstrapCovariance, jackknifeCovariance, type RowCovariance } from './row-covariance.ts';
export { rowsForMargin, rowsToDecide } from './sample-size.ts';
export { differenceOfSeedMeans, type SeedMeans, type SeedValues, seedMeansToDecide } from './seed-means.ts';
export { mean, sum, variance } from './sum.ts';
export { type Tango, tango } from './tango.ts';
export { type TwoProportions, twoProportions } from './two-proportions.ts';
export { type Wasserstein, wasserstein, wassersteinOfBins, wassersteinOfCounts } from './wasserstein.ts';
export { type GroupJackknife, groupJackknife, type Weighing, weighedBootstrap } from './weighing.ts';
