/** A connection's SFTP settings, with defaults from its preset and its organization's time zone. Pure. */
import { type Traced, traceLayers, valuesOf } from "./layers.ts";
import { getPreset, type PresetSftp } from "./preset.ts";

const SSH_PORT = 22;

/** When complete files are taken. */
export type When =
  /** As soon as they are complete; a remote server is visited every minute. */
  | { readonly kind: "at_once" }
  | { readonly kind: "every"; readonly minutes: number }
  /** `at` is `HH:MM` in the IANA time zone. */
  | { readonly kind: "daily"; readonly at: string; readonly timeZone: string };

/** The settings of a connection with every default filled in. */
export interface SftpSettings {
  /** Where files are dropped, from the root that the customer sees: `/incoming`, `/Uploads`, `/`. */
  readonly folder: string;
  /** Names of files to take, with `*` and `?`; case does not matter. */
  readonly patterns: readonly string[];
  readonly when: When;
  /** What happens to a file that was taken; `leave` is for servers that can only be read. */
  readonly after: "move" | "delete" | "leave";
  /** The remote server; null for a hosted connection. */
  readonly remote: RemoteSettings | null;
}

export interface RemoteSettings {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  /** `SHA256:` and base64 without padding, as ssh-keygen shows it; null: not confirmed yet, so only a check may connect. */
  readonly hostKey: string | null;
}

/** The settings as the connector's schema (connectors/sftp-drop.ts) parses them. */
interface ParsedSettings {
  readonly mode: "hosted" | "remote";
  readonly host?: string;
  readonly port?: number;
  readonly username?: string;
  readonly host_key?: string;
  readonly folder?: string;
  readonly patterns: readonly string[];
  readonly every_minutes?: number;
  readonly daily_at?: string;
  readonly time_zone?: string;
  readonly after: "move" | "delete" | "leave";
}

export function resolveSftp(parsed: unknown, preset: string | null, timeZone: string): SftpSettings {
  const settings = parsed as ParsedSettings;
  return {
    ...valuesOf(traceSftp(parsed, preset, timeZone)),
    patterns: settings.patterns,
    after: settings.after,
    remote: settings.mode === "hosted" ? null : {
      host: settings.host!,
      port: settings.port ?? SSH_PORT,
      username: settings.username!,
      hostKey: settings.host_key ?? null,
    },
  };
}

/** The folder and the times, and whether the connection, its preset or nothing sets them. */
export function traceSftp(
  parsed: unknown,
  preset: string | null,
  timeZone: string,
): Traced<Pick<SftpSettings, "folder" | "when">> {
  const settings = parsed as ParsedSettings;
  const zone = settings.time_zone ?? timeZone;
  const layerOf = ({ folder, when }: PresetSftp) => ({ folder: folderOf(folder), when: usualWhen(when, zone) });
  return traceLayers<Pick<SftpSettings, "folder" | "when">>(
    ["default", layerOf(getPreset(null).sftp)],
    ["preset", preset === null ? {} : layerOf(getPreset(preset).sftp)],
    ["connection", {
      folder: settings.folder === undefined ? undefined : folderOf(settings.folder),
      when: ownWhen(settings, zone),
    }],
  );
}

function folderOf(path: string): string {
  return `/${path.replace(/^\/+|\/+$/g, "")}`;
}

function ownWhen(settings: ParsedSettings, timeZone: string): When | undefined {
  if (settings.every_minutes !== undefined) return { kind: "every", minutes: settings.every_minutes };
  return settings.daily_at === undefined ? undefined : { kind: "daily", at: settings.daily_at, timeZone };
}

function usualWhen(usual: PresetSftp["when"], timeZone: string): When {
  if (usual === "at_once") return { kind: "at_once" };
  return typeof usual === "number" ? { kind: "every", minutes: usual } : { kind: "daily", at: usual, timeZone };
}
