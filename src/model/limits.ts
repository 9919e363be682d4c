/** How much of something there may be at once, and for how long a client is asked to wait beyond that. */

/** What is held open for a client: for each token, and for all of an organization's together. */
export const IN_FLIGHT = {
  /** Requests that wait for a run, or for a check of a connection. */
  waits: { aToken: 100, anOrganization: 200 },
  /** Runs that are watched as server-sent events. */
  streams: { aToken: 20, anOrganization: 50 },
  /** Bodies that are being received: drops, parts, people pushed as JSON. */
  bodies: { aToken: 20, anOrganization: 40 },
} as const;
export const IN_FLIGHT_RETRY_AFTER_S = 5;

/** An organization's requests a minute, as a multiple of what each of its tokens may send. */
export const TOKENS_WORTH_AN_ORGANIZATION = 4;

/** How far a file may unpack: people's data makes up to 30 times its packed bytes. */
export const UNPACKED = { freeBytes: 32 * 1024 * 1024, ratio: 200 } as const;

/** Runs of an organization that wait for their turn. */
export const MAX_QUEUED_RUNS = 500;
export const QUEUE_RETRY_AFTER_S = 60;

/** Uploads that are not sealed. Each may come to hold as much as a drop can. */
export const MAX_OPEN_UPLOADS_A_CONNECTION = 20;
export const MAX_OPEN_UPLOADS = 100;
export const UPLOADS_RETRY_AFTER_S = 60;

export const MAX_CONNECTIONS = 200;
/** Those that have not expired. */
export const MAX_LIVE_TOKENS = 200;
