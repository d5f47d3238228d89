// A folder with files in it for as long as a test needs it.

/** A folder that is removed when it is disposed of. */
export interface TempFolder extends AsyncDisposable {
  /** Its path, without a slash at the end. */
  path: string;
  /** Its URL, with a slash at the end. */
  url: URL;
}

/**
 * Makes a temporary folder.
 *
 * @param files The text of each file by its path in the folder.
 */
export async function makeTempFolder(
  files: Record<string, string> = {},
): Promise<TempFolder> {
  // macOS gives a link, other programs what it points to.
  const path = await Deno.realPath(await Deno.makeTempDir());
  const url = new URL(`file://${path}/`);
  for (const [name, text] of Object.entries(files)) {
    const file = new URL(name, url);
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, text);
  }
  return {
    path,
    url,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}
