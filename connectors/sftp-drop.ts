/**
 * Files dropped over SFTP: on Muster's own server (`hosted`), or on a server of others that is visited (`remote`).
 *
 * A bridge speaks SFTP and hands the files over; here is what they are once they are in the hub. What is not said is as
 * the connection's preset has it.
 */
import { z } from "zod";
import { defineConnector, recordFromCells } from "../src/connector.ts";

/** Of a table and of a plain text, and the same encrypted. */
const PATTERNS = ["*.csv", "*.tsv", "*.txt", "*.json", "*.ndjson", "*.pgp", "*.gpg", "*.asc"];

const REMOTE = ["host", "username", "host_key"] as const;

export default defineConnector({
  name: "sftp-drop",
  version: "1.0.0",
  title: "SFTP drop",
  coverage: "full",
  takesDrops: true,
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
  // A remote server takes one or the other; which, its check shows.
  requiredSecrets: () => [],
  // Secrets go to that server alone: they are cleared when it becomes another one.
  hosts: ({ mode, host, port }) => (mode === "remote" ? [`${host}:${port ?? 22}`] : []),
  settings: z.strictObject({
    mode: z.enum(["hosted", "remote"]).default("hosted"),
    /** Of a remote server. */
    host: z.string().trim().regex(/^[A-Za-z0-9._:-]{1,253}$/, "should be a host, like sftp.example.com").optional(),
    port: z.int().min(1).max(65535).optional(),
    username: z.string().min(1).max(128).regex(/^\P{Cc}+$/u, "should have no control characters").optional(),
    /** As the check shows it, once an admin has compared it: another key is then never accepted. */
    host_key: z.string().regex(/^SHA256:[A-Za-z0-9+/]{43}$/, "should be like SHA256: and 43 characters").optional(),
    /** Where files are dropped, from the root that the user sees. */
    folder: z.string().max(500)
      .regex(/^\/?([^/\p{Cc}]+(\/[^/\p{Cc}]+)*)?\/?$/u, "should be a folder, like /incoming")
      .refine((text) => !text.split("/").some((part) => /^\.{1,2}$/.test(part)), "should not lead upwards").optional(),
    /** Names of files that are meant. */
    patterns: z.array(z.string().min(1).max(100).regex(/^[^/\p{Cc}]+$/u, "should be a name with * and ?")).min(1).max(
      20,
    )
      .default(PATTERNS),
    every_minutes: z.int().min(1).max(1440).optional(),
    daily_at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, "should be a time of day, like 06:00").optional(),
    /** Of daily_at; the organization's, unless said. */
    time_zone: z.string().refine(isTimeZone, "should be an IANA time zone, like Europe/Berlin").optional(),
    /** What becomes of a file that was taken; `leave` where it can only be read. */
    after: z.enum(["move", "delete", "leave"]).default("move"),
    /** Windows-1252 cannot be told from other encodings, so it has to be declared. */
    encoding: z.enum(["auto", "windows-1252"]).default("auto"),
    delimiter: z.enum(["auto", ",", ";", "\t", "|"]).default("auto"),
    date_format: z.enum(["YYYY-MM-DD", "DD/MM/YYYY", "MM/DD/YYYY"]).default("YYYY-MM-DD"),
    /** True: a header counts only when it is spelled exactly like the field's name. */
    exact_names: z.boolean().default(false),
  }).superRefine((settings, context) => {
    const say = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (settings.mode === "remote") {
      if (settings.host === undefined) say("host", "should be there for a remote server");
      if (settings.username === undefined) say("username", "should be there for a remote server");
    } else {
      for (const name of [...REMOTE, "port"] as const) {
        if (settings[name] !== undefined) {
          say(name, "should not be there: it is of a remote server, and the mode is hosted");
        }
      }
      if (settings.after === "leave") say("after", "should be move or delete: a hosted folder can be written");
      if (/^\/?(\.bak|reports|failed)(\/|$)/.test(settings.folder ?? "")) {
        say("folder", "should not be .bak, reports or failed, nor in them: those are beside it");
      }
    }
    if (settings.every_minutes !== undefined && settings.daily_at !== undefined) {
      say("daily_at", "should not be there beside every_minutes");
    }
  }),
  fetch: (context) => context.readDrop(),
  normalize: (row, context) => recordFromCells(row, context.fields),
});

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
