/**
 * What is measured, and how large it is; clients in two languages do as it says.
 *
 * @module
 */

/** One figure of a contestant. */
export interface Workload {
  readonly id: string;
  readonly title: string;
  readonly unit: string;
  /** How many calls. */
  readonly count: number;
  /** How many `--quick` leaves. */
  readonly quick: number;
  /** Whether only this package has a chance of ending that within a minute: others get a tenth. */
  readonly many?: boolean;
}

/** All there are, in the order in which they run: the last one costs a node. */
export const WORKLOADS: readonly Workload[] = [
  {
    id: "noop",
    title: "No-ops, submitted one by one",
    unit: "tasks/s",
    count: 20_000,
    quick: 500,
    many: true,
  },
  ...[[1, 2000], [10, 400], [50, 100]].map(([ms, count]) => ({
    id: `busy-${ms}`,
    title: `Tasks that compute for ${ms} ms: efficiency`,
    unit: "of two cores",
    count: count!,
    quick: count! / 10,
  })),
  {
    id: "megabyte",
    title: "1 MB there and back",
    unit: "MB/s",
    count: 100,
    quick: 10,
  },
  {
    id: "argument",
    title: "32 MB there",
    unit: "MB/s",
    count: 5,
    quick: 1,
  },
  {
    id: "result",
    title: "32 MB back",
    unit: "MB/s",
    count: 5,
    quick: 1,
  },
  {
    id: "single",
    title: "One at a time, median",
    unit: "ms",
    count: 500,
    quick: 50,
  },
  {
    id: "map",
    title: "map() of 200,000 numbers",
    unit: "items/s",
    count: 200_000,
    quick: 5000,
    many: true,
  },
  {
    id: "rerun",
    title: "From kill -9 of a node to the result of its task",
    unit: "ms",
    count: 1,
    quick: 1,
  },
];
