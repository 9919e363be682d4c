/**
 * What a bridge and the hub send each other over HTTP, as schemas. The hub checks requests with them and documents its
 * answers by them; both sides take their types from them.
 *
 * The bridge imports types alone, so it does not load the schema library.
 */
import { z } from "zod";

const MAX_LYING = 20;
const MAX_STATES = 1000;

function id(prefix: string) {
  return z.string().meta({ examples: [`${prefix}_2`] });
}

const MS = z.int().min(0);
const FINGERPRINT = z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "should be like SHA256: and 43 characters")
  .meta({ examples: ["SHA256:fAHRL9XKHXw6hDmIFtbpKSJpQ1hTIhjiMQyEfIHDFVQ"] });
const COORDINATE = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "should be 32 bytes as base64url")
  .meta({ examples: ["MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"] });

export const HELLO = z.strictObject({
  name: z.string(),
  version: z.string().max(50),
  /** The key to which the hub encrypts secrets: a JWK (RFC 7517) on the curve P-256. */
  public_key: z.strictObject({ kty: z.literal("EC"), crv: z.literal("P-256"), x: COORDINATE, y: COORDINATE }),
  /** The address at which customers reach its hosted server; null: it has none. */
  hosted: z.strictObject({ host: z.string().min(1).max(253), port: z.int().min(1).max(65535), host_key: FINGERPRINT })
    .nullable(),
});

export const GREETING = z.strictObject({
  bridge: z.strictObject({
    id: id("bri"),
    confirmed: z.boolean().meta({
      description: "Whether an operator has confirmed its key; until then it gets no work",
    }),
  }),
}).meta({ id: "BridgeGreeting" });
export type Greeting = z.infer<typeof GREETING>;

const SETTINGS = z.strictObject({
  folder: z.string(),
  patterns: z.array(z.string()).readonly(),
  when: z.union([
    z.strictObject({ kind: z.literal("at_once") }),
    z.strictObject({ kind: z.literal("every"), minutes: z.int() }),
    z.strictObject({ kind: z.literal("daily"), at: z.string(), time_zone: z.string() }),
  ]),
  after: z.enum(["move", "delete", "leave"]),
  remote: z.strictObject({
    host: z.string(),
    port: z.int(),
    username: z.string(),
    host_key: z.string().nullable(),
  }).nullable(),
});

const UNSETTLED = z.strictObject({
  id: id("fil"),
  folder: z.string(),
  name: z.string(),
  bytes: z.int(),
  modified_at: z.int(),
  kept_as: z.string(),
});
/** A file that was handed over, and whose bridge has not confirmed yet that it was moved, deleted or left. */
export type Unsettled = z.infer<typeof UNSETTLED>;

const RETURNING = z.strictObject({
  id: id("fil"),
  kept_as: z.string(),
  report: z.string().nullable().meta({ description: "File name for the report; null: there is none" }),
  failed: z.boolean().meta({ description: "Whether to write the file to `failed`" }),
});
/** A file whose run has ended, so that its report can be written. */
export type Returning = z.infer<typeof RETURNING>;

const HELD = z.strictObject({
  id: id("con"),
  organization: id("org"),
  slug: z.string(),
  name: z.string(),
  mode: z.enum(["hosted", "remote"]),
  paused: z.boolean(),
  version: z.int(),
  settings: SETTINGS,
  visited_at: z.int().nullable().meta({
    description: "When a bridge last looked for files, in milliseconds since 1970",
  }),
  secrets_version: z.string().nullable().meta({ description: "Changes whenever a secret does; null: there are none" }),
  created_at: z.int().meta({ description: "In milliseconds since 1970" }),
  lets_in: z.array(z.string()).meta({
    description: "Credentials accepted at the hosted server, as in `proof` of a login",
  }),
  check: id("chk").nullable(),
  unsettled: z.array(UNSETTLED),
  returning: z.array(RETURNING),
}).meta({ id: "BridgeConnection" });
/** A connection whose lease the bridge has. */
export type Held = z.infer<typeof HELD>;

const TREE_ERASURE = z.strictObject({
  connection: id("con"),
  organization: id("org"),
  asked_at: MS.meta({ description: "In milliseconds since 1970; send it back when confirming" }),
}).meta({ id: "BridgeErasure" });
/**
 * A connection whose files may hold people who were erased; it does not say whom. The bridge may have no lease on the
 * connection, or it may be deleted: its files may still be on the bridge's disk.
 */
export type TreeErasure = z.infer<typeof TREE_ERASURE>;

export const CONNECTIONS = z.strictObject({
  connections: z.array(HELD),
  erasures: z.array(TREE_ERASURE),
  ask_every_seconds: z.int(),
});
export type Connections = z.infer<typeof CONNECTIONS>;

export const ERASED = z.strictObject({
  connection: id("con"),
  asked_at: MS,
  /** Files that wait to be handed over. */
  waiting: z.int().min(0),
});
export type Erased = z.input<typeof ERASED>;

/** A connection's secrets, encrypted to the bridge's key. */
export const SECRETS_FOR_BRIDGE = z.strictObject({ jwe: z.string() }).meta({
  id: "BridgeSecrets",
  examples: [{ jwe: "eyJhbGciOi…" }],
});

const TROUBLE = z.strictObject({
  code: z.enum([
    "unreachable",
    "timed_out",
    "refused_address",
    "host_key_unconfirmed",
    "host_key_changed",
    "login_refused",
    "secrets_required",
    "folder_missing",
    "not_permitted",
    "disk_full",
    "quota_exceeded",
    "file_changed",
    "too_large",
    "hub_unreachable",
    "hub_full",
    "hub_busy",
    // Files are taken all the same.
    "report_not_written",
    "failed",
  ]),
  message: z.string().max(1000),
});
/** Why a connection cannot be served now. Messages are for admins: what is wrong and what to do, and no secret. */
export type Trouble = Readonly<z.infer<typeof TROUBLE>>;

/** Why a file that lies at its server is not taken. */
export const WHY_LEFT = ["temporary", "empty", "unfinished", "unmatched", "too_large", "wrong_digest"] as const;
export type WhyLeft = (typeof WHY_LEFT)[number];

const LYING = z.strictObject({
  name: z.string().max(1000),
  since: MS,
  why: z.enum(WHY_LEFT),
  /** Its size, where that is why. */
  bytes: z.int().min(0).optional(),
});

export const HEALTH = z.strictObject({
  connections: z.array(z.strictObject({
    id: z.string(),
    seen_at: MS.nullable(),
    trouble: TROUBLE.nullable(),
    lying: z.array(LYING).max(MAX_LYING),
  })).max(MAX_STATES),
  /** Trees of deleted connections; absent: as before. */
  set_aside: z.array(z.strictObject({ connection: id("con"), since: MS, files: z.int().min(0) })).max(1000)
    .optional(),
}).meta({ id: "BridgeHealth", examples: [{ connections: [] }] });
export type Health = z.input<typeof HEALTH>;

/** A file that will not be taken, at a server where no note can be written about it. */
export const LEFT_FILE = LYING.meta({
  id: "BridgeLeftFile",
  examples: [{ name: "people.csv", since: 1767225600000, why: "empty" }],
});
export type LeftFile = z.input<typeof LEFT_FILE>;

/** The answer to a bridge that may not write a note. */
export const REFUSED = z.strictObject({
  mailed: z.boolean().meta({
    description: "The technical contact gets a mail instead; false: the note still waits to be written",
  }),
}).meta({ id: "BridgeRefused" });
export type Refused = z.infer<typeof REFUSED>;

export const GONE_TREES = z.strictObject({ gone: z.array(id("con")) })
  .meta({ id: "BridgeGoneTrees", examples: [{ gone: [] }] });
export type GoneTrees = z.infer<typeof GONE_TREES>;

/** The result of a check of a remote server that an admin asked for. A check writes nothing there. */
export const CHECKED = z.strictObject({
  ok: z.boolean(),
  /** One sentence for the admin: what was found, or what is wrong and what to do. */
  detail: z.string().max(2000),
  found: z.strictObject({
    /** The server's, whenever it showed one. */
    host_key: FINGERPRINT.optional(),
    /** Files in the folder that match the patterns. */
    files: z.int().min(0).optional(),
  }),
});
export type CheckResult = Readonly<z.infer<typeof CHECKED>>;

const FOLDER = z.string().min(1).max(500);
const FILE_NAME = z.string().min(1).max(1000);

export const FILE_SEAL = z.strictObject({
  bytes: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/, "should be 64 hex digits"),
  folder: FOLDER,
  /** As the server spells it, which may differ from the drop's name. */
  name: FILE_NAME,
  /** As it was found: milliseconds since 1970. */
  modified_at: MS,
  /** Another file that waited with it is handed over next. */
  followed: z.boolean().default(false),
}).meta({
  examples: [{ bytes: 6, sha256: "0".repeat(64), folder: "/incoming", name: "users.csv", modified_at: 1772438400000 }],
});
export type FileSeal = z.input<typeof FILE_SEAL>;

export const TAKEN = z.strictObject({
  file: id("fil"),
  drop: id("drp"),
  run: id("run"),
  repeated: z.boolean().meta({ description: "True: the file was taken before, and no run was queued" }),
  kept_as: z.string().meta({ examples: ["20260302T080000Z-users.csv"] }),
}).meta({ id: "TakenFile" });
export type Taken = z.infer<typeof TAKEN>;

const NUMBER_TEXT = z.string().regex(/^\d{1,15}$/, "should be a whole number").transform(Number);

export const FOUND = z.strictObject({
  folder: FOLDER.meta({ description: "Folder in which the file was found" }),
  name: FILE_NAME.meta({ description: "Its name as the server spells it" }),
  bytes: NUMBER_TEXT.meta({ description: "Its size in bytes" }),
  modified_at: NUMBER_TEXT.meta({ description: "Its time, in milliseconds since 1970" }),
});
export type Found = z.input<typeof FOUND>;

export const WAS_TAKEN = z.strictObject({ taken: z.boolean() });
export type WasTaken = z.infer<typeof WAS_TAKEN>;

/** A log-in at the hosted server. */
export const LOG_IN_ATTEMPT = z.strictObject({
  username: z.string().max(256),
  /** Either a password or a public key. */
  password: z.string().max(1024).optional(),
  /** As in an `authorized_keys` file. The bridge has verified its signature. */
  public_key: z.string().max(10_000).optional(),
  /** Network address of the client. */
  address: z.string().max(64),
}).meta({ id: "SftpLogInAttempt", examples: [{ username: "hr-file-7f3k2m9q", password: "…", address: "192.0.2.7" }] });
export type LogInAttempt = z.input<typeof LOG_IN_ATTEMPT>;

export const LOG_IN = z.strictObject({
  connection: id("con").nullable().meta({ description: "Null: refused" }),
  proof: z.string().nullable().meta({
    description: "The credential used; disconnect the session once the connection's `lets_in` no longer has it",
    examples: ["SHA256:fAHRL9XKHXw6hDmIFtbpKSJpQ1hTIhjiMQyEfIHDFVQ"],
  }),
}).meta({ id: "SftpLogIn" });
export type LogIn = z.infer<typeof LOG_IN>;
