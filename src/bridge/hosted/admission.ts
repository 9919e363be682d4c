/**
 * A client from its TCP connection to its log-in: it gets a place or not, is greeted, and the SSH library takes over. All
 * that a stranger can make grow has a limit (limits.ts), and everything that waits for a stranger has a time.
 */
import type { Socket } from "node:net";
import type { AuthContext, Connection } from "ssh2";
import { networkOf } from "../../security/rates.ts";
import { MINUTE_MS } from "../../std/time.ts";
import { BYTES_OF_KEYS } from "../algorithms.ts";
import type { LetIn } from "../contract.ts";
import type { Authenticate } from "./authenticate.ts";
import { chooseCipher } from "./ciphers.ts";
import { timeReading } from "./flow.ts";
import { greet } from "./greeting.ts";
import { type Client, createClient, guarded, type Hosting } from "./hosting.ts";
import { letIn, serveChannels } from "./let-in.ts";
import { NAME, type SshServers } from "./ssh-servers.ts";
import { whoGoes } from "./strangers.ts";

/** How long a client that broke the protocol may take to read why. */
const GOODBYE_MS = 1000;
const MOST_REST_MS = 1000;

/** Gives the client a place, another's if necessary, and greets it; or destroys its socket. */
export function admit(hosting: Hosting, servers: SshServers, socket: Socket): void {
  const { clients, limits, guard } = hosting;
  const network = networkOf(socket.remoteAddress ?? "");
  const goes = whoGoes(clients, network, limits);
  if (goes === "newcomer") return void socket.destroy();
  if (goes !== null) {
    // Removed at once, so that the next client finds the room too, before the socket reports that it is closed.
    clients.delete(goes);
    goes.socket.destroy();
  }
  const client = addClient(hosting, socket, network);
  socket.setNoDelay(true);
  // Each channel listens for its end.
  socket.setMaxListeners(limits.channels + 16);
  const inMs = guard.greetInMs(network);
  const begin = () => welcome(hosting, servers, client);
  if (inMs === 0) begin();
  else setTimeout(guarded(hosting, client, () => socket.destroyed ? undefined : begin()), inMs);
}

function addClient({ clients, limits, guard, ending }: Hosting, socket: Socket, network: string): Client {
  const client = createClient(socket, network, limits);
  clients.add(client);
  socket.once("close", () => {
    clients.delete(client);
    if (client.connection === null) guard.wasted(network);
    for (const serving of client.sessions) {
      ending.add(serving);
      void serving.finally(() => ending.delete(serving));
    }
  });
  return client;
}

/** Greets the client, and passes it to the server with the cipher that suits it. */
function welcome(hosting: Hosting, servers: SshServers, client: Client): void {
  const { limits } = hosting;
  const { socket } = client;
  timeReading(socket, (ms) => rest(hosting, client, ms));
  client.greetedAt = performance.now();
  greet(
    socket,
    { name: NAME, waitMs: limits.proposalMs },
    guarded(hosting, client, (proposal) => {
      servers(proposal === null ? null : chooseCipher(proposal)).injectSocket(socket);
      let bytes = 0;
      socket.on("data", (data: Uint8Array) => {
        if (client.connection === null && (bytes += data.length) > limits.strangerBytes) socket.destroy();
      });
    }),
  );
}

/**
 * A client that sends what takes long, such as very many small packets, leaves most of the time to others: all clients of
 * its log-in, or of its network, are not read from for as long.
 */
function rest({ clients, limits }: Hosting, client: Client, tookMs: number): void {
  if (tookMs < limits.dearMs) return;
  const ownerOf = ({ connection, network }: Client) => connection ?? network;
  const resting = [...clients].filter((each) => ownerOf(each) === ownerOf(client));
  const reason = {};
  for (const { flow } of resting) flow(reason, true);
  setTimeout(() => {
    for (const { flow } of resting) flow(reason, false);
  }, Math.min(tookMs, MOST_REST_MS));
}

/** The SSH library has read the client's first line: the client may log in and open channels. */
export function connect(
  hosting: Hosting,
  authenticate: Authenticate,
  ssh: Connection,
  peer: { readonly ip: string; readonly port: number },
): void {
  // The library names its client by address and port.
  const client = [...hosting.clients].find(({ socket }) =>
    socket.remoteAddress === peer.ip && socket.remotePort === peer.port
  );
  // What a stranger sends that is not SSH is an error here; the library only closes its own side of the socket.
  ssh.on("error", () => {
    const timer = setTimeout(() => client?.socket.destroy(), GOODBYE_MS);
    client?.socket.once("close", () => clearTimeout(timer));
  });
  if (client === undefined) return void ssh.end();
  const { socket } = client;
  ssh.once("handshake", () => void (client.isSecure = true));
  limitRekeys(hosting, client, ssh);
  const candidate = {
    address: socket.remoteAddress ?? "",
    countFailure: () => client.failures++,
    // A client that has ended its side takes no answer, and the library has none for it.
    isGone: () => socket.destroyed || socket.readableEnded,
    letIn: (found: LetIn, context: AuthContext) => letIn(hosting, client, ssh, found, context),
  };
  ssh.on("authentication", guarded(hosting, client, authenticate(ssh, candidate)));
  serveChannels(hosting, client, ssh);
}

/** New keys cost computing time: a client that asks for them too often, or before it has logged in, is disconnected. */
function limitRekeys({ limits }: Hosting, client: Client, ssh: Connection): void {
  const { socket } = client;
  const bytesPassed = () => socket.bytesRead + socket.bytesWritten;
  let since = performance.now(), count = 0, before = bytesPassed();
  ssh.on("rekey", () => {
    const at = performance.now();
    if (at - since > MINUTE_MS) since = at, count = 0, before = bytesPassed();
    // A client that transfers much may exchange keys often.
    const most = limits.rekeys + (bytesPassed() - before) / BYTES_OF_KEYS;
    if (client.connection === null || ++count > most) socket.destroy();
  });
}
