/** The settings of a BambooHR account. */
import { z } from "zod";
import { VALUE_SETTINGS } from "../../src/connector-settings.ts";

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Part of the host name that the key is sent to: anything but a bare label could send it elsewhere. */
const SUBDOMAIN = z.string().transform((input, context) => {
  const label = readSubdomain(input);
  if (label !== null) return label;
  context.addIssue({
    code: "custom",
    message: `"${
      input.slice(0, 100)
    }" is not a subdomain of BambooHR: it should be the part before .bamboohr.com, like acme`,
  });
  return z.NEVER;
});

export const SETTINGS = z.strictObject({
  subdomain: SUBDOMAIN.meta({
    description: "The part before .bamboohr.com in the address of the account, or the whole address",
    examples: ["acme"],
  }),
  source: z.enum(["auto", "employees", "report", "dataset"]).default("auto").meta({
    description:
      "Which of BambooHR's ways to read everybody: `employees` is the current one and has no custom fields, `report` has them all and is called deprecated, `dataset` needs more permissions; `auto` takes `employees` where it has all that is mapped, else `report`",
  }),
  client_id: z.string().min(1).max(254).optional().meta({
    description: "Client id of an OAuth application; without one the connection has an API key",
  }),
  phone_country: VALUE_SETTINGS.phone_country,
});

export type Settings = z.output<typeof SETTINGS>;

/** The label in `acme`, `acme.bamboohr.com` or `https://acme.bamboohr.com/`; null for anything else. */
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
