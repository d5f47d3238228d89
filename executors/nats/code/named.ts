/**
 * How a module of a program is named for other runs of the same program, which
 * may be on other machines, in other folders: by its place beside the main module.
 *
 * @module
 */

/**
 * The place of a module, as seen from the main module.
 *
 * @param module The address of the module, a `file:` URL.
 * @param main The address of the main module.
 * @returns A relative address; the whole one if there is none.
 */
export function placeOf(module: string, main: string | undefined): string {
  if (main === undefined) return module;
  const to = new URL(module);
  const from = new URL(main);
  if (from.protocol !== to.protocol || from.host !== to.host) return module;
  const target = to.pathname.split("/");
  const folders = from.pathname.split("/").slice(0, -1);
  let shared = 0;
  while (
    shared < folders.length && shared < target.length - 1 &&
    folders[shared] === target[shared]
  ) shared++;
  const up = "../".repeat(folders.length - shared);
  return `${up === "" ? "./" : up}${target.slice(shared).join("/")}`;
}

/**
 * The module at a place, as {@linkcode placeOf} has named it.
 *
 * @param place The place.
 * @param main The address of the main module of this program.
 * @returns Its address; `undefined` if this program can have no such module.
 */
export function moduleAt(
  place: string,
  main: string | undefined,
): string | undefined {
  const url = URL.parse(place, main);
  return url?.protocol === "file:" ? url.href : undefined;
}
