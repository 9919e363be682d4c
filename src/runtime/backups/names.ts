/** Names of backups by the time at which they were made, in UTC. */

/** `muster-20260301T020000Z.backup`: in the order of their times. */
export function nameAt(ms: number): string {
  return `muster-${new Date(ms).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.backup`;
}

const NAME = /(?:^|\/)muster-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.backup$/;

/** Milliseconds since 1970; null: it is no name of this kind. A path may be before it. */
export function timeOf(name: string): number | null {
  const [, year, month, day, hour, minute, second] = NAME.exec(name) ?? [];
  if (year === undefined) return null;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? null : time;
}
