/** The key that a preset brings. Where people are linked by another one, the request has to say what becomes of them. */
import { Fault } from "../../model/errors.ts";
import { connectorFor, type Hub } from "../../hub.ts";
import { getPreset } from "../../model/preset.ts";
import type { KeyField } from "../../model/record.ts";
import type { Connection } from "../../store/connections/connections.ts";
import { hasLinks, lastKeyOf } from "../../store/connections/linked-key.ts";

interface Asked {
  readonly preset?: string | null;
  readonly key?: KeyField | null;
}

/**
 * The key after the change; undefined: it stays as it is. A preset without a key of its own takes back that of the one
 * before, and leaves any other. Fails with `conflict` where the people of the connection are linked by another key,
 * unless the request names the key.
 */
export async function keyAfter(hub: Hub, current: Connection, asked: Asked): Promise<KeyField | null | undefined> {
  const { preset, key } = asked;
  if (key !== undefined || preset === undefined || preset === current.preset) return key;
  const before = getPreset(current.preset).key;
  const after = getPreset(preset).key ?? (current.key === before ? null : current.key);
  const byNature = connectorFor(hub.registry, current)?.key ?? null;
  await refuseOtherKey(hub, current, {
    linked: current.key ?? before ?? byNature ?? await lastKeyOf(hub.db, current),
    next: after ?? byNature,
    preset,
  });
  return after;
}

async function refuseOtherKey(
  hub: Hub,
  current: Connection,
  { linked, next, preset }: { linked: KeyField | null; next: KeyField | null; preset: string | null },
): Promise<void> {
  // Without a key of its own, a connection goes by employee_id or email, as its input has them.
  const isSame = next === null ? linked !== "source_id" && linked !== "mobile_phone" : next === linked;
  if (isSame || !await hasLinks(hub.db, current)) return;
  const [was, will] = [linked, next].map((key) => key ?? "employee_id or email");
  const keep = linked === null ? "" : ` "key": "${linked}" keeps the links;`;
  const move = next === null ? "null" : `"${next}"`;
  throw new Fault(
    "conflict",
    `The people of "${current.slug}" are linked by ${was}, and with the preset "${preset ?? "custom"}" they would be ` +
      `by ${will}. Name the key in the same request:${keep} "key": ${move} has the next input link its people anew, ` +
      "found by employee_id or email. Or create another connection with the preset",
    { errors: [{ pointer: "/key", detail: "is required, as people are linked by another key" }] },
  );
}
