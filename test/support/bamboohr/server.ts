/**
 * A BambooHR on this machine, as awkward as the real one: both bases, API keys and OAuth, errors in headers over empty
 * bodies, XML for whoever forgets to ask for JSON, limits, and faults by script. The hub reaches it by the name of a real
 * one: `allowHosts` is what MUSTER_ALLOW_HOSTS has to say for that.
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { type Asked, refuse } from "./answer.ts";
import { type Access, type Company, createCompany, fullAccess } from "./company.ts";
import { answerDatasetData, answerDatasetFields } from "./datasets.ts";
import { befall, createFaultScript, type FaultScript, type Mishap, spoil } from "./faults.ts";
import { answerList } from "./list.ts";
import { createOAuth, type OAuth } from "./oauth.ts";
import { answerReport } from "./reports.ts";
import {
  answerChanged,
  answerCompany,
  answerDirectory,
  answerEmployee,
  answerMetaFields,
  answerMetaLists,
  answerMetaUsers,
  answerTable,
} from "./small.ts";
import { createOutbound } from "../../../src/runtime/outbound.ts";
import { type Outbound, parseAllowHosts } from "../../../src/security/outbound.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./tls.ts";
import { createWebhooks } from "./webhooks.ts";

export interface BambooHR {
  readonly company: Company;
  readonly oauth: OAuth;
  readonly faults: FaultScript;
  /** An API key that may see everything, unless a test changes its access. */
  readonly key: string;
  readonly access: Access;
  /** For MUSTER_ALLOW_HOSTS. */
  readonly allowHosts: string;
  readonly port: number;
  /** Method and path of each request, without its query. */
  readonly requests: string[];
  /** All that was asked, with what came along. */
  readonly asked: Asked[];
  /** Lets the quota begin anew. */
  refill(): void;
  close(): Promise<void>;
}

/** `tls`: as the real one, for a hub that is a process of its own and trusts the fake's authority. */
export async function startBambooHR(
  options: { subdomain?: string; tls?: boolean } = {},
): Promise<BambooHR> {
  const company = createCompany(options.subdomain);
  const access = fullAccess();
  const key = "0123456789abcdef0123456789abcdef01234567";
  company.keys.set(key, access);
  const oauth = createOAuth(access, company.subdomain);
  const faults = createFaultScript();
  const webhooks = createWebhooks();
  const requests: string[] = [], asked: Asked[] = [];
  let answered = 0;

  const listener: RequestListener = (request, response) => {
    response.on("error", () => {});
    readBody(request).then(async (body) => {
      const one = readRequest(request, body, company.subdomain);
      if (one === null) return refuse(response, 404, "");
      requests.push(`${one.method} ${one.path}`);
      asked.push(one);
      const mishap = faults.next(`${one.method} ${one.path}`);
      if (mishap !== null && befall(response, mishap)) return;
      spoil(response, mishap);
      if (company.switches.quota !== null && ++answered > company.switches.quota) {
        const { quotaStatus, quotaRetryAfter } = company.switches;
        const mishap: Mishap = {
          kind: "status",
          status: quotaStatus,
          ...(quotaRetryAfter === null ? {} : { retryAfter: quotaRetryAfter }),
        };
        return void befall(response, mishap);
      }
      await answer(response, one);
    }).catch(() => response.destroy());
  };
  const server = options.tls
    ? createTlsServer({ cert: CERTIFICATE, key: CERTIFICATE_KEY }, listener)
    : createServer(listener);

  async function answer(response: ServerResponse, one: Asked): Promise<void> {
    const { path, query } = one;
    if (path === "/authorize.php") return oauth.authorize(response, query);
    if (path === "/token.php") return oauth.token(response, one.body, one.headers["content-type"] ?? "");
    const who = authenticate(one);
    if (who === null) {
      const realm = `Basic realm="https://api.bamboohr.com/${company.subdomain}"`;
      return refuse(response, 401, "API key not provided or invalid", { "www-authenticate": realm });
    }
    if (one.version === "v1" && path === "/reports/custom" && one.method === "POST") {
      return await answerReport(response, one, company, who.access);
    }
    if (one.version === "v1" && path === "/employees") {
      if (one.gateway && !company.switches.listOnGateway) return refuse(response, 404, "");
      if (company.switches.listEdition === "2026-04" && who.basic) return refuse(response, 401, "Unauthorized");
      return answerList(response, one, company, who.access);
    }
    if (one.version === "v2" && path === "/datasets/employee/data" && one.method === "POST") {
      return answerDatasetData(response, one, company, who.access);
    }
    if (one.version === "v1_2" && path === "/datasets/employee/fields") {
      return answerDatasetFields(response, one, company, who.access);
    }
    if (one.version !== "v1") return refuse(response, 404, "");
    if (path === "/employees/changed") return answerChanged(response, one, company, who.access);
    if (path === "/employees/directory") return answerDirectory(response, one, company, who.access);
    if (path === "/meta/fields") return answerMetaFields(response, one, company, who.access);
    if (path === "/meta/lists") return answerMetaLists(response, one, company, who.access);
    if (path === "/meta/users") return answerMetaUsers(response, one, company, who.access);
    if (path === "/company_information") return answerCompany(response, company);
    if (path.startsWith("/webhooks")) return webhooks.answer(response, one, company, who.access, who.name);
    const table = /^\/employees\/(\w+)\/tables\/(\w+)$/.exec(path);
    if (table !== null) return answerTable(response, one, company, who.access, table[1]!, table[2]!);
    const employee = /^\/employees\/(\d+)$/.exec(path);
    if (employee !== null) return answerEmployee(response, one, company, who.access, employee[1]!);
    refuse(response, 404, "");
  }

  function authenticate({ headers }: Asked): { access: Access; name: string; basic: boolean } | null {
    const [kind = "", value = ""] = (headers.authorization ?? "").split(" ");
    if (kind.toLowerCase() === "bearer") {
      const found = oauth.accessOf(value);
      return found === null ? null : { access: found, name: "oauth", basic: false };
    }
    // Any password will do.
    const name = Buffer.from(value, "base64").toString().split(":")[0]!;
    const found = kind.toLowerCase() === "basic" ? company.keys.get(name) : undefined;
    return found === undefined ? null : { access: found, name, basic: true };
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    company,
    oauth,
    faults,
    key,
    access,
    allowHosts: `${company.subdomain}.bamboohr.com=127.0.0.1:${port}`,
    port,
    requests,
    asked,
    refill: () => void (answered = 0),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (data) => body += data);
    request.on("end", () => resolve(body));
    request.on("error", reject);
  });
}

/** Of either base; null: none of this company's. */
function readRequest(request: IncomingMessage, body: string, subdomain: string): Asked | null {
  const url = new URL(request.url!, "http://fake");
  const common = { method: request.method!, query: url.searchParams, headers: request.headers, body };
  const door = /^\/(authorize|token)\.php$/.exec(url.pathname);
  if (door !== null) return { ...common, path: url.pathname, version: "", gateway: false };
  const [, company, version, path] =
    /^\/api(?:\/gateway\.php\/([^/]+))?\/(v1|v1_1|v1_2|v2)(\/.*?)\/?$/.exec(url.pathname) ?? [];
  if (version === undefined || (company !== undefined && company !== subdomain)) return null;
  return { ...common, path: path!, version, gateway: company !== undefined };
}

/** A gate that leads to a fake without TLS, for hubs in the same process. */
export function outboundTo(fake: BambooHR): Outbound {
  const gate = createOutbound(parseAllowHosts(fake.allowHosts).allow);
  return Object.assign(
    (url: string, request: Parameters<Outbound>[1]) => gate(url.replace(/^https:/, "http:"), request),
    {
      refusal: gate.refusal,
    },
  );
}

/** Answers a look that a test takes itself. */
export function lookAt(fake: BambooHR, path: string, init: RequestInit = {}): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${fake.key}:x`).toString("base64")}`;
  const headers = { authorization, accept: "application/json", ...init.headers };
  return fetch(`http://127.0.0.1:${fake.port}/api${path}`, { redirect: "manual", ...init, headers });
}
