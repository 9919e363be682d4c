/** Limits on what may exist at once, and how long a client should wait when one is reached. */

/** Open requests: for each token, and for an organization's tokens together. */
export const IN_FLIGHT = {
  /** Requests that wait for a run, or for a check of a connection. */
  waits: { aToken: 100, anOrganization: 200 },
  /** Runs that are watched as server-sent events. */
  streams: { aToken: 20, anOrganization: 50 },
  /** Bodies that are being received: drops, parts, people pushed as JSON. */
  bodies: { aToken: 20, anOrganization: 40 },
  /** Explanations of a person, each of which may read inputs again. */
  explanations: { aToken: 4, anOrganization: 8 },
} as const;
export const IN_FLIGHT_RETRY_AFTER_S = 5;

/** An organization's requests a minute, as a multiple of what each of its tokens may send. */
export const TOKENS_WORTH_AN_ORGANIZATION = 4;

/** The largest file, as it came and unpacked. */
export const MAX_FILE_BYTES = 1024 ** 3;

/** How large a packed file may become: people's data unpacks to at most 30 times its size. */
export const UNPACKED = { freeBytes: 32 * 1024 * 1024, ratio: 200 } as const;

/** Runs of an organization that wait for their turn. */
export const MAX_QUEUED_RUNS = 500;
export const QUEUE_RETRY_AFTER_S = 60;

/** Uploads that are not sealed. Each may become as large as a drop. */
export const MAX_OPEN_UPLOADS_A_CONNECTION = 20;
export const MAX_OPEN_UPLOADS = 100;
export const UPLOADS_RETRY_AFTER_S = 60;

export const MAX_CONNECTIONS = 200;
/** Tokens that have not expired. */
export const MAX_LIVE_TOKENS = 200;
/** Members of an organization. */
export const MAX_MEMBERS = 1000;
