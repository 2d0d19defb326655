export { type BenchedFilter, type BenchResult, type BenchRounds, benchFilters } from "./bench.ts";
