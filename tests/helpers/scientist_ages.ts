/**
 * What the benchmark comes to, worked out by hand.
 *
 * @module
 */

/** The seven scientists in the year 2017. */
export const AGES: { name: string; age: number }[] = [
  { name: "Ada Lovelace", age: 202 },
  { name: "Emmy Noether", age: 135 },
  { name: "Marie Curie", age: 150 },
  { name: "Tu Youyou", age: 87 },
  { name: "Ada Yonath", age: 78 },
  { name: "Vera Rubin", age: 89 },
  { name: "Sally Ride", age: 66 },
];
