/**
 * The nouns of the audit: who did something, and what is called how. No I/O.
 *
 * The audit names things by their ids and never holds a value: what was changed to what is in the history.
 */

/** What can be done, as `thing.done`. Stable: people filter by these names. */
export const AUDIT_ACTIONS = [
  "organization.created",
  "organization.changed",
  "organization.deleted",
  "token.created",
  "token.deleted",
  /** Somebody came with a token that is stored and was sent away; at most once in five minutes for each token. */
  "token.refused",
  "connection.created",
  "connection.changed",
  "connection.deleted",
  "connection.paused",
  "connection.resumed",
  "connection.checked",
  "pgp_key.created",
  "pgp_key.registered",
  "pgp_key.retired",
  "pgp_key.deleted",
  /** Its source said that something has changed there, so that it fetches sooner. */
  "connection.hinted",
  /** Somebody was sent to the source to allow the hub to read it; and came back having allowed it. */
  "connection.authorizing",
  "connection.authorized",
  "custom_field.set",
  "custom_field.deleted",
  "department.changed",
  "user.changed",
  "user.erased",
  /** A bridge has rid its copies of a connection's files of what may hold people who were erased. */
  "user.erased_in_files",
  "drop.received",
  "upload.opened",
  "upload.part_received",
  "upload.sealed",
  "upload.deleted",
  "run.requested",
  "run.approved",
  /** The approval met a plan that was no longer true, so the run is planned once more. */
  "run.planned_afresh",
  "run.cancelled",
  "run.reverted",
  "secret.set",
  "secret.rotated",
  "secret.handed_out",
  "webhook_endpoint.created",
  "webhook_endpoint.changed",
  "webhook_endpoint.deleted",
  "webhook_endpoint.taken_over",
  "webhook_endpoint.tested",
  "webhook_endpoint.replayed",
  "delivery.retried",
  /** A bridge came for the first time; the operator let it in, or sent it away for good. */
  "bridge.introduced",
  "bridge.confirmed",
  "bridge.removed",
  /** A bridge took a connection over. */
  "bridge.leased",
  /** A connection's bridge met with trouble, with another one, or with none any more. */
  "bridge.reported",
  /** A bridge moved or deleted the file that the drop was, or left it on purpose. */
  "drop.put_away",
  /** A bridge wrote the failure report where the file came from. */
  "report.returned",
  /** How a customer logs in at the hosted SFTP server was changed; and somebody was let in (named once an hour) or
   * sent away (once in five minutes). */
  "sftp_login.password_made",
  "sftp_login.key_added",
  "sftp_login.changed",
  "sftp_login.removed",
  "sftp_login.used",
  "sftp_login.refused",
  "link.opened",
  "link.revoked",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/**
 * Who acts, and where from. `token`: a token of the hub; `openid`: a subject of the OpenID issuer; `command`: whoever
 * holds the data directory; `link`: the holder of a signed link; `source`: a connection's source, by its webhook; `hub`: the hub itself.
 */
export interface By {
  readonly kind: "token" | "openid" | "command" | "link" | "source" | "hub";
  /** The token's public id, the issuer's subject, the command's name; null: there is nothing more to say. */
  readonly id: string | null;
  /** The token's name at that time. */
  readonly name: string | null;
  readonly requestId: string | null;
  /** The network address of whoever sent the request, as the door saw it; null where there is none. */
  readonly address: string | null;
}

/** Who acts, as one text: what belongs to one of them is told by it. */
export function actorOf({ kind, id }: Pick<By, "kind" | "id">): string {
  return id === null ? kind : `${kind}:${id}`;
}

/** What nobody asked for. */
export const HUB: By = { kind: "hub", id: null, name: null, requestId: null, address: null };

/** Whoever gives a command on the machine that holds the data. `command` as it is typed, without its arguments. */
export function byCommand(command: string): By {
  return { ...HUB, kind: "command", id: command };
}
