/** The bridge's failures in words for the hub and for the log. */
import { HubRefused, HubUnreachable } from "../ask-hub.ts";
import { type BridgeConnection, HUB_FULL, type Trouble } from "../contract.ts";
import { placeOf } from "../places.ts";
import { knownTrouble } from "../trouble.ts";

/** Why a file was not handed over. */
export function whyNotHandedOver(error: unknown): Trouble {
  if (error instanceof HubUnreachable && error.isFull) return HUB_FULL;
  if (error instanceof HubUnreachable && error.isBusy) {
    const message =
      "The hub takes no more files for now, as too many runs or uploads of the organization wait there: " +
      "files wait where they are, and are taken automatically once some of those are done";
    return { code: "hub_busy", message };
  }
  if (error instanceof HubUnreachable) {
    const message = "The hub could not be reached: files wait where they are, and are handed over once it answers";
    return { code: "hub_unreachable", message };
  }
  if (error instanceof HubRefused && error.code === "file_changed") {
    return { code: "file_changed", message: `${error.message}: it should be written under another name and renamed` };
  }
  if (error instanceof HubRefused && ["too_large", "invalid_request"].includes(error.code)) {
    return { code: "too_large", message: `The hub does not take a file: ${error.message}` };
  }
  if (error instanceof HubRefused) return { code: "failed", message: `The hub refuses a file: ${error.message}` };
  return knownTrouble(error) ??
    { code: "failed", message: "A file could not be handed over; it stays where it is and is tried again" };
}

/** Why a report could not be written. Files are still taken, so any other trouble of the connection is reported first. */
export function whyNotReturned(connection: BridgeConnection, error: unknown): Trouble {
  const trouble = knownTrouble(error);
  if (trouble?.code === "disk_full") {
    // The bridge's own disk, about which the server's user can do nothing.
    return {
      code: "disk_full",
      message:
        "A failure report could not be written, as the bridge's disk is full: free some of it; it is tried again",
    };
  }
  const reason = trouble?.message.slice(0, 500) ?? "It could not be written";
  return {
    code: "report_not_written",
    message:
      `A failure report waits to be written to "${placeOf(connection, "reports")}": ${reason}. Until then, the ` +
      "run has it; let the user write there, and it follows automatically",
  };
}

/** For the log, without messages of other errors: they may contain file names. */
export function describe(error: unknown): Record<string, string> {
  if (error instanceof HubRefused || error instanceof HubUnreachable) {
    return { error: error.name, reason: error.message };
  }
  const code = (error as { code?: unknown } | null)?.code;
  return {
    error: error instanceof Error ? error.name : "unknown",
    ...(code === undefined ? {} : { code: String(code) }),
  };
}
