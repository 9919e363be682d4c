import { expectOk, type SourceFetch, SourceFault } from "@muster-hub/connector";
import type { Settings } from "./settings.ts";

export interface Page {
  readonly startIndex: number;
  readonly totalResults: number;
  readonly resources: readonly Record<string, unknown>[];
}

/** Lists resources of a service provider by index, as RFC 7644 has it in section 3.4.2.4. */
export class ScimClient {
  readonly #fetch: SourceFetch;
  readonly #settings: Settings;

  constructor(fetch: SourceFetch, settings: Settings) {
    this.#fetch = fetch;
    this.#settings = settings;
  }

  async *pages(type: string, begin: number): AsyncGenerator<Page> {
    for (let startIndex = begin;;) {
      const page = await this.page(type, startIndex, this.#settings.page_size);
      if (page.resources.length > 0) yield page;
      startIndex += page.resources.length;
      if (startIndex > page.totalResults) return;
      // Fewer than there should be, and none on this page: the end is missing.
      if (page.resources.length === 0) {
        throw new SourceFault("answer", `It lists ${page.totalResults} users, and gives none from ${startIndex} on`);
      }
    }
  }

  async page(type: string, startIndex: number, count: number): Promise<Page> {
    const url = new URL(`${this.#settings.base_url.replace(/\/$/, "")}/${type}`);
    url.searchParams.set("startIndex", String(startIndex));
    url.searchParams.set("count", String(count));
    if (this.#settings.filter !== undefined) url.searchParams.set("filter", this.#settings.filter);
    const response = expectOk(await this.#fetch(url, { headers: { accept: "application/scim+json" } }), "users");
    return readPage(startIndex, await response.json());
  }
}

function readPage(startIndex: number, body: unknown): Page {
  const { totalResults, Resources: resources = [], startIndex: given } = (body ?? {}) as Record<string, unknown>;
  // Some give numbers as texts.
  const total = typeof totalResults === "string" ? Number(totalResults) : totalResults;
  if (typeof total !== "number" || !Number.isInteger(total) || !Array.isArray(resources)) {
    throw new SourceFault("answer", "The answer is no ListResponse of SCIM 2.0");
  }
  if (total > 0 && given !== undefined && Number(given) !== startIndex) {
    throw new SourceFault("answer", `It gives the page from ${given} where the one from ${startIndex} was asked for`);
  }
  return { startIndex, totalResults: total, resources };
}
