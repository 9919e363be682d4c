/** What an admin says about a BambooHR account. */
import { z } from "zod";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Part of the name of the host that the key is sent to: anything but a bare label could lead it elsewhere. */
const SUBDOMAIN = z.string().transform((input, context) => {
  const label = readSubdomain(input);
  if (label !== null) return label;
  context.addIssue({
    code: "custom",
    message: `"${
      input.slice(0, 100)
    }" is no subdomain of BambooHR: it should be what stands before .bamboohr.com, like acme`,
  });
  return z.NEVER;
});

export const SETTINGS = z.strictObject({
  subdomain: SUBDOMAIN.meta({
    description: "What stands before .bamboohr.com in the address of the account; the whole address will do",
    examples: ["acme"],
  }),
  source: z.enum(["auto", "employees", "report", "dataset"]).default("auto").meta({
    description:
      "Which of BambooHR's ways to read everybody: `employees` is the current one and has no custom fields, `report` has them all and is called deprecated, `dataset` needs more permissions; `auto` takes `employees` where it has all that is mapped, else `report`",
  }),
  client_id: z.string().min(1).max(254).optional().meta({
    description: "Client id of an OAuth application; without one the connection has an API key",
  }),
});

export type Settings = z.output<typeof SETTINGS>;

/** The label of `acme`, `acme.bamboohr.com` or `https://acme.bamboohr.com/`; null: it is none of them. */
export function readSubdomain(input: string): string | null {
  const text = input.trim().toLowerCase();
  const url = /^https:\/\/([^/?#]*)\/?$/.exec(text)?.[1];
  const host = url ?? text;
  if (url !== undefined && !host.endsWith(".bamboohr.com")) return null;
  const label = host.replace(/\.bamboohr\.com$/, "");
  return LABEL.test(label) ? label : null;
}

export function hostOf({ subdomain }: Pick<Settings, "subdomain">): string {
  return `${subdomain}.bamboohr.com`;
}
