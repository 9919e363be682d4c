/** The client's address, behind a proxy or not. No I/O. */

/**
 * The address in the proxy's header: the last of several, as the client itself can send those before it. Without the
 * header, or when it is empty, the address of the connection.
 */
export function clientAddress(
  headers: Pick<Headers, "get">,
  header: string | null,
  connection: string | null,
): string | null {
  const named = header === null ? undefined : headers.get(header)?.split(",").at(-1)?.trim();
  if (named === undefined || named === "") return connection;
  // Some proxies append the port.
  return named.replace(/^\[(.*)\](?::\d+)?$/, "$1").replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1");
}
