// Finds modules that import one another in a circle: none of them can be
// understood, tested or loaded without the others.
//
// Deno itself says who imports whom, by `deno info --json`.

/** One module imports another; both are paths from the root of the project. */
export interface Import {
  readonly from: string;
  readonly to: string;
  /** Whether the import is of types only, and gone at run time. */
  readonly isType: boolean;
}

/** The part of the output of `deno info --json` that matters here. */
interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly specifier: string;
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/**
 * Reads who imports whom in a project, `import()` of a literal included.
 *
 * @param root The folder of the project, with a slash at the end.
 * @param modules The modules to begin with: paths from there.
 * @returns The imports between modules in that folder.
 * @throws {Error} If a module in that folder cannot be loaded.
 */
export async function readImports(
  root: URL,
  modules: readonly string[],
): Promise<Import[]> {
  // `deno info` takes one module: here, one that imports all of them.
  const source = modules
    .map((path) => `import ${JSON.stringify(new URL(path, root))};`)
    .join("\n");
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "info",
      "--json",
      `data:text/javascript,${encodeURIComponent(source)}`,
    ],
    cwd: root,
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr).trim());
  const info: Info = JSON.parse(new TextDecoder().decode(stdout));
  const within = (url: string | undefined) =>
    url?.startsWith(root.href) ? [url.slice(root.href.length)] : [];
  return info.modules.flatMap(({ specifier, error, dependencies = [] }) => {
    const [from] = within(specifier);
    if (from === undefined) return [];
    if (error !== undefined) throw new Error(error);
    return dependencies.flatMap(({ code, type }) => [
      ...within(code?.specifier).map((to) => ({ from, to, isType: false })),
      ...within(type?.specifier).map((to) => ({ from, to, isType: true })),
    ]);
  });
}

/**
 * Finds circles, the shortest first. Of circles that share a module, only the
 * shortest is found: when it is gone, the others are.
 *
 * @param imports Who imports whom.
 * @returns Circles, each beginning with the first of its modules in
 * alphabetical order.
 */
export function findCircles(imports: readonly Import[]): string[][] {
  const targets = Map.groupBy(imports, ({ from }) => from);
  const found = new Set<string>();
  const circles: string[][] = [];
  const byLength = [...targets.keys()].sort()
    .map((module) => shortestCircle(module, targets))
    .filter((circle) => circle !== undefined)
    .sort((a, b) => a.length - b.length);
  for (const circle of byLength) {
    if (circle.some((module) => found.has(module))) continue;
    for (const module of circle) found.add(module);
    circles.push(circle);
  }
  return circles;
}

/** Goes from a module to all it imports, nearest first, until it is back. */
function shortestCircle(
  start: string,
  targets: ReadonlyMap<string, readonly Import[]>,
): string[] | undefined {
  const importers = new Map<string, string>();
  const queue = [start];
  for (const module of queue) {
    for (const { to } of targets.get(module) ?? []) {
      if (to === start) return pathTo(module, importers);
      if (importers.has(to)) continue;
      importers.set(to, module);
      queue.push(to);
    }
  }
  return undefined;
}

/** The way that has led to a module. */
function pathTo(
  module: string,
  importers: ReadonlyMap<string, string>,
): string[] {
  const path = [module];
  for (let at = importers.get(module); at !== undefined;) {
    path.unshift(at);
    at = importers.get(at);
  }
  return path;
}
