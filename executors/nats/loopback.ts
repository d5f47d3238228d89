/**
 * Which addresses are on this machine: nobody reads along on the way there.
 *
 * @module
 */

/** Whether a host, as the address of a URL has it, is this machine by its name. */
export function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  return host === "localhost" || host === "::1" ||
    /^127(\.\d{1,3}){3}$/.test(host);
}
