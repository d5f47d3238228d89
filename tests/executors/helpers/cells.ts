/**
 * Counters that tests and their tasks share, across threads and processes: the
 * cells of a file, as processes have no memory in common.
 *
 * @module
 */

/** Cells for whoever has this; it is copied as it travels, they are not. */
export interface Cells {
  readonly path: string;
}

const CELL_BYTES = 8;

/** The files that nobody has removed. */
const paths = new Set<string>();

/** Makes as many cells as are used, each of them 0; see {@linkcode removeCells}. */
export function makeCells(): Cells {
  const path = Deno.makeTempFileSync();
  paths.add(path);
  return { path };
}

/** Removes all that were made here. */
export function removeCells(): void {
  for (const path of paths) Deno.removeSync(path);
  paths.clear();
}

/** What is in a cell. */
export function load({ path }: Cells, index: number): number {
  using file = Deno.openSync(path);
  return read(file, index);
}

/** What is in the first `count` cells. */
export function loadAll({ path }: Cells, count: number): number[] {
  const values = new Float64Array(count);
  const bytes = Deno.readFileSync(path).subarray(0, values.byteLength);
  new Uint8Array(values.buffer).set(bytes);
  return [...values];
}

/** Puts a value into a cell. */
export function store(cells: Cells, index: number, value: number): void {
  change(cells, index, () => value);
}

/** Adds to a cell, and returns what was in it before. */
export function add(cells: Cells, index: number, n: number): number {
  return change(cells, index, (value) => value + n);
}

function change(
  { path }: Cells,
  index: number,
  replace: (value: number) => number,
): number {
  using file = Deno.openSync(path, { read: true, write: true });
  file.lockSync(true);
  const value = read(file, index);
  file.seekSync(index * CELL_BYTES, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array(Float64Array.of(replace(value)).buffer));
  return value;
}

function read(file: Deno.FsFile, index: number): number {
  const cell = new Float64Array(1);
  file.seekSync(index * CELL_BYTES, Deno.SeekMode.Start);
  // Beyond the end there is nothing to read, which leaves 0.
  file.readSync(new Uint8Array(cell.buffer));
  return cell[0]!;
}
