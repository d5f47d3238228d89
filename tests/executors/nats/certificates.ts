/**
 * Certificates for servers and clients of a test, made by openssl.
 *
 * @module
 */

import { makeTempFolder } from "../../helpers/temp_folder.ts";

/** Whom a certificate is for. */
const NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1";

/** PEM files by name: `ca`, `server` and `client`, each with `.pem` and `.key`; and `other.pem`, an authority that has signed nothing. */
export async function makeCertificates(): Promise<Record<string, string>> {
  await using folder = await makeTempFolder({ "names.txt": NAMES });
  const openssl = async (args: string) => {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: args.split(" "),
      cwd: folder.path,
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
  };
  const key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
  for (const name of ["ca", "other"]) {
    await openssl(
      `req -x509 ${key} -subj /CN=${name} -keyout ${name}.key -out ${name}.pem`,
    );
  }
  for (const name of ["server", "client"]) {
    await openssl(
      `req ${key} -subj /CN=${name} -keyout ${name}.key -out ${name}.csr`,
    );
    await openssl(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names.txt -out ${name}.pem`,
    );
  }
  const files: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(folder.path)) {
    if (!/\.(pem|key)$/.test(name)) continue;
    files[name] = Deno.readTextFileSync(`${folder.path}/${name}`);
  }
  return files;
}
