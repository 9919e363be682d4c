/**
 * Files dropped over SFTP: on Muster's own server (`hosted`), or on another server that is polled (`remote`).
 *
 * A bridge speaks SFTP and uploads the files to the hub; this connector reads them there. Settings that are missing
 * come from the connection's preset.
 */
import { z } from "zod";
import { defineConnector } from "../src/connector.ts";
import { FILE_SETTINGS } from "../src/connector-settings.ts";

/** Tables, texts and workbooks, plain, packed or encrypted. */
const PATTERNS = [
  "*.csv",
  "*.tsv",
  "*.txt",
  "*.json",
  "*.ndjson",
  "*.xlsx",
  "*.gz",
  "*.zip",
  "*.pgp",
  "*.gpg",
  "*.asc",
];

const REMOTE = ["host", "username", "host_key"] as const;

export default defineConnector({
  api: 1,
  name: "sftp-drop",
  version: "1.0.0",
  title: "SFTP drop",
  coverage: { users: "full", departments: "full" },
  input: "drop",
  bridged: true,
  secrets: {
    password: { title: "Password", description: "Of the user at the remote server" },
    private_key: {
      title: "Private key",
      description: "Instead of a password or beside it: OpenSSH or PEM",
      multiline: true,
    },
    passphrase: { title: "Passphrase", description: "Of the private key, where it has one" },
  },
  // A remote server needs a password or a key. Its check shows which.
  requiredSecrets: () => [],
  // Secrets are sent to this server only, and cleared when the server changes.
  hosts: ({ mode, host, port }) => (mode === "remote" ? [`${host}:${port ?? 22}`] : []),
  settings: z.strictObject({
    mode: z.enum(["hosted", "remote"]).default("hosted").meta({
      description: "`hosted`: files are put on Muster's own server; `remote`: Muster fetches them from another server",
    }),
    host: z.string().trim().regex(/^[A-Za-z0-9._:-]{1,253}$/, "should be a host, like sftp.example.com").optional()
      .meta({ description: "Address of a remote server", examples: ["sftp.example.com"] }),
    port: z.int().min(1).max(65535).optional().meta({ description: "Of a remote server; 22 by default" }),
    username: z.string().min(1).max(128).regex(/^\P{Cc}+$/u, "should have no control characters").optional()
      .meta({ description: "User at a remote server" }),
    host_key: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "should be like SHA256: and 43 characters").optional()
      .meta({
        description: "The key that the check shows, once an admin has compared it. No other key is accepted then",
      }),
    folder: z.string().max(500)
      .regex(/^\/?([^/\p{Cc}]+(\/[^/\p{Cc}]+)*)?\/?$/u, "should be a folder, like /incoming")
      .refine((text) => !text.split("/").some((part) => /^\.{1,2}$/.test(part)), "should not lead upwards").optional()
      .meta({ description: "Where files are dropped, from the root that the user sees", examples: ["/incoming"] }),
    patterns: z.array(z.string().min(1).max(100).regex(/^[^/\p{Cc}]+$/u, "should be a name with * and ?"))
      .min(1).max(20).default(PATTERNS).meta({ description: "Names of the files to import, with * and ?" }),
    every_minutes: z.int().min(1).max(1440).optional().meta({ description: "Files are taken every so many minutes" }),
    daily_at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "should be a time of day, like 06:00").optional()
      .meta({ description: "Or once a day, at this time", examples: ["06:00"] }),
    time_zone: z.string().refine(isTimeZone, "should be an IANA time zone, like Europe/Berlin").optional()
      .meta({ description: "Time zone of `daily_at`; the organization's by default", examples: ["Europe/Berlin"] }),
    after: z.enum(["move", "delete", "leave"]).default("move").meta({
      description: "What happens to a file that was imported; `leave` where files can only be read",
    }),
    ...FILE_SETTINGS,
  }).superRefine((settings, context) => {
    const report = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (settings.mode === "remote") {
      if (settings.host === undefined) report("host", "is missing: a remote server needs it");
      if (settings.username === undefined) report("username", "is missing: a remote server needs it");
    } else {
      for (const name of [...REMOTE, "port"] as const) {
        if (settings[name] !== undefined) {
          report(name, "should not be there: it is of a remote server, and the mode is hosted");
        }
      }
      if (settings.after === "leave") report("after", "should be move or delete: a hosted folder can be written");
      if (/^\/?(\.bak|reports|failed)(\/|$)/.test(settings.folder ?? "")) {
        report("folder", "should not be .bak, reports or failed, nor in them: those are beside it");
      }
    }
    if (settings.every_minutes !== undefined && settings.daily_at !== undefined) {
      report("daily_at", "should not be there beside every_minutes");
    }
  }),
  fetch: (context) => context.readDrop(),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
