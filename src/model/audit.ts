/**
 * The nouns of the audit: actors and actions. No I/O.
 *
 * The audit has ids and never a value: values before and after a change are in the history.
 */

/** Actions, as `thing.done`. Stable: clients filter by these names. */
export const AUDIT_ACTIONS = [
  /** A backup was restored: what was done since the backup is gone. */
  "hub.restored",
  "organization.created",
  "organization.changed",
  "organization.deleted",
  /** After how long leavers are erased and history is deleted was changed. */
  "retention.changed",
  /** A mail was asked for that shows whether a technical contact gets mails. */
  "mail.tested",
  /** More people were due at once than may be erased without approval; and that was approved. */
  "retention.held",
  "retention.approved",
  /** A pass deletes history. */
  "history.deleted",
  "token.created",
  "token.deleted",
  /** A stored token was refused; recorded at most once in five minutes for each token. */
  "token.refused",
  /** Somebody was invited, the first time or again; their name or role was changed; they were removed. */
  "member.created",
  "member.invited",
  "member.changed",
  "member.deleted",
  /** A link that signs a member in was made, for a mail to them. */
  "member.link_made",
  /** Somebody signed in to the console, or out; or a session was ended by somebody else. */
  "session.begun",
  "session.ended",
  "connection.created",
  "connection.changed",
  "connection.deleted",
  "connection.paused",
  "connection.resumed",
  "connection.checked",
  /** It got another version of its connector, and went back. */
  "connection.upgraded",
  "connection.upgrade_undone",
  /** A template of connections; it was applied to an organization. */
  "connection_template.created",
  "connection_template.changed",
  "connection_template.deleted",
  "connection_template.applied",
  "pgp_key.created",
  "pgp_key.registered",
  "pgp_key.retired",
  "pgp_key.deleted",
  /** The webhook of its source reported a change, so that it fetches sooner. */
  "connection.hinted",
  /** An admin was sent to the source to authorize the hub, and has authorized it. */
  "connection.authorizing",
  "connection.authorized",
  "custom_field.set",
  "custom_field.deleted",
  "department.changed",
  /** A group of an identity provider was made, changed or deleted. */
  "group.created",
  "group.changed",
  "group.deleted",
  "user.changed",
  /** A row that would make the user somebody else is the same person's, or somebody new's; and that was taken back. */
  "user.accepted",
  "user.acceptance_undone",
  "user.released",
  "user.release_undone",
  /** Two records of one person became one; and that was undone. */
  "user.merged",
  "user.merge_undone",
  /** People were downloaded as a file. */
  "user.exported",
  /** All that is kept about one person was read. */
  "user.record_read",
  "user.erased",
  /** A bridge has deleted its copies of a connection's files that may hold erased people. */
  "user.erased_in_files",
  "drop.received",
  "upload.opened",
  "upload.part_received",
  "upload.sealed",
  "upload.deleted",
  "run.requested",
  "run.approved",
  /** The plan was no longer current when it was approved, so the run is planned again. */
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
  /** A bridge introduced itself; the operator confirmed or removed it. */
  "bridge.introduced",
  "bridge.confirmed",
  "bridge.removed",
  /** A bridge leased a connection. */
  "bridge.leased",
  /** A connection's bridge reported an error, another error, or that it is over. */
  "bridge.reported",
  /** A bridge moved or deleted the drop's file, or left it on purpose. */
  "drop.put_away",
  /** A bridge wrote the failure report to where the file came from. */
  "report.returned",
  /** A login of the hosted SFTP server was changed; a client was accepted (recorded once an hour) or refused (once in
   * five minutes). */
  "sftp_login.password_made",
  "sftp_login.key_added",
  "sftp_login.changed",
  "sftp_login.removed",
  "sftp_login.used",
  "sftp_login.refused",
  /** A link to a run's page was made by API. */
  "link.created",
  "link.opened",
  "link.revoked",
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

/**
 * An actor, and its address. `token`: a token of the hub; `member`: a member who is signed in to the console; `openid`: a
 * subject of the OpenID issuer; `command`: a command on the machine with the data directory; `link`: the holder of a signed
 * link; `source`: a connection's source, by its webhook; `hub`: the hub itself; `retention`: the organization's settings of
 * how long people and history are kept.
 */
export interface By {
  readonly kind: "token" | "member" | "openid" | "command" | "link" | "source" | "hub" | "retention";
  /** The public id of the token or member, the issuer's subject, or the command's name; null: the kind has no id. */
  readonly id: string | null;
  /** The name of the token or member at that time. */
  readonly name: string | null;
  readonly requestId: string | null;
  /** The network address that the request came from; null: there is none. */
  readonly address: string | null;
}

/** The actor as one text, by which things are found that belong to it. */
export function actorOf({ kind, id }: Pick<By, "kind" | "id">): string {
  return id === null ? kind : `${kind}:${id}`;
}

/** The hub itself, for what no client asked for. */
export const HUB: By = { kind: "hub", id: null, name: null, requestId: null, address: null };

/** The daily pass that erases leavers and deletes history, as the organization has set it. */
export const BY_RETENTION: By = { ...HUB, kind: "retention" };

/** The user of a command on the machine that holds the data. `command`: as it is typed, without its arguments. */
export function byCommand(command: string): By {
  return { ...HUB, kind: "command", id: command };
}
