/** Whom a request is from, where a proxy stands before the hub. No I/O. */

/**
 * The address that the proxy named in its header, the last of several: those before it are what the client itself said.
 * Without such a header, or with nothing in it, the address of the connection.
 */
export function clientAddress(
  headers: Pick<Headers, "get">,
  header: string | null,
  connection: string | null,
): string | null {
  const named = header === null ? undefined : headers.get(header)?.split(",").at(-1)?.trim();
  if (named === undefined || named === "") return connection;
  // Some proxies name the port, too.
  return named.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
}
