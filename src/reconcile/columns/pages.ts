/**
 * Fills pages of changes while the input is read, and writes them. Changes that must be applied in one batch get a page of their
 * own. Writing is passed in.
 */
import { createJsonArray, type JsonArray, toJson } from "./json-array.ts";
import type { Entry } from "./entry.ts";

export type PageKind =
  | "departments"
  | "creates"
  | "updates"
  | "links"
  | "unlinks"
  | "digests"
  | "missing"
  | "pending"
  | "recalls";

export interface PageDraft {
  readonly page: number;
  readonly kind: PageKind;
  readonly count: number;
  /** JSON array of entries, UTF-8; good until the draft has been written. */
  readonly body: Uint8Array;
  /** Users parked before the page is applied, as their email or employee_id moves within it. */
  readonly parked: readonly number[] | null;
}

/** Where a plan's pages are kept until they are applied. */
export interface PageStore {
  write(draft: PageDraft): Promise<void>;
  read(page: number): Promise<Entry[]>;
  /** Puts other entries in a page's place; none: the page goes. */
  replace(page: number, body: Uint8Array, count: number): Promise<void>;
  setManagers(page: number, managers: Uint8Array): Promise<void>;
}

/** Pages stay under D1's 2 MB a value, and short enough that a batch does not keep others waiting. */
export const MAX_PAGE_BYTES = 1_500_000;
const MAX_ENTRIES: Readonly<Record<PageKind, number>> = {
  departments: 5_000,
  creates: 5_000,
  updates: 1_000,
  links: 5_000,
  unlinks: 5_000,
  digests: 5_000,
  missing: 5_000,
  pending: 5_000,
  recalls: 5_000,
};

export interface PageFiller {
  /** Adds an entry; says where it is. Pages that are full by that wait to be written. */
  add(kind: PageKind, entry: unknown): { page: number; index: number };
  /** Some page is full: they should be written before many more entries are added. */
  readonly isFull: boolean;
  /** Writes the pages that are full. */
  writeFull(): Promise<void>;
  /** Writes a page that is made already; gives its number. */
  addPage(kind: PageKind, body: Uint8Array, count: number, parked?: readonly number[]): Promise<number>;
  /** Adds entries that are applied in one batch, as a page of their own. */
  addTogether(kind: PageKind, entries: readonly unknown[], parked: readonly number[]): Promise<number>;
  /** Writes all pages, full or not. */
  flush(): Promise<void>;
  /** How many entries a page of this kind holds at most. */
  most(kind: PageKind): number;
  /** Pages begun so far; page 0 is left for departments. */
  readonly pages: number;
}

/** `share`: how much of a full page each holds; less makes shorter batches, and more of them. */
export function createPageFiller(store: PageStore, share = 1): PageFiller {
  const most = (kind: PageKind) => Math.ceil(MAX_ENTRIES[kind] * share);
  interface Open {
    readonly kind: PageKind;
    readonly page: number;
    count: number;
    readonly body: JsonArray;
  }
  const open = new Map<PageKind, Open>();
  const full: Open[] = [];
  /** Of pages that have been written, to be filled again. */
  const spare: JsonArray[] = [];
  let next = 1;

  async function writeFull(): Promise<void> {
    for (const { kind, page, count, body } of full.splice(0)) {
      await store.write({ page, kind, count, body: body.end(), parked: null });
      spare.push(body);
    }
  }

  async function addPage(
    kind: PageKind,
    body: Uint8Array,
    count: number,
    parked: readonly number[] | null = null,
  ): Promise<number> {
    const page = next++;
    await store.write({ page, kind, count, body, parked });
    return page;
  }

  return {
    add(kind, entry) {
      const text = JSON.stringify(entry);
      let current = open.get(kind);
      if (current !== undefined && (current.count >= most(kind) || !current.body.fits(text))) {
        full.push(current);
        current = undefined;
      }
      if (current === undefined) {
        const body = spare.pop() ?? createJsonArray(MAX_PAGE_BYTES);
        open.set(kind, current = { kind, page: next++, count: 0, body });
      }
      current.body.add(text);
      return { page: current.page, index: current.count++ };
    },
    get isFull() {
      return full.length > 0;
    },
    writeFull,
    addPage,
    addTogether: (kind, entries, parked) => addPage(kind, toJson(entries), entries.length, parked),
    async flush() {
      full.push(...open.values());
      open.clear();
      await writeFull();
    },
    most,
    get pages() {
      return next;
    },
  };
}
