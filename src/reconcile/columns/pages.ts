/**
 * Fills pages of changes while the input is read, and writes them. Changes that must be applied in one batch get a page
 * of their own. Writing is passed in.
 */
import { createJsonArray, type JsonArray, toJson } from "./json-array.ts";
import type { Entry } from "./entry.ts";

export type PageKind =
  | "departments"
  /** Changes of groups, which no plan has. */
  | "groups"
  | "creates"
  | "updates"
  | "links"
  | "unlinks"
  | "digests"
  | "missing"
  | "pending"
  | "recalls"
  | "sightings";

export interface PageDraft {
  readonly page: number;
  readonly kind: PageKind;
  readonly count: number;
  /** JSON array of entries, UTF-8; valid until the draft has been written. */
  readonly body: Uint8Array;
  /** Users parked before the page is applied, because their email or employee_id moves within it. */
  readonly parked: readonly number[] | null;
}

/** Stores a plan's pages until they are applied. */
export interface PageStore {
  /** Bytes of a page, at most; absent: MAX_PAGE_BYTES. */
  readonly maxBytes?: number;
  write(draft: PageDraft): Promise<void>;
  read(page: number): Promise<Entry[]>;
  /** Replaces a page's entries. Without entries, deletes the page. */
  replace(page: number, body: Uint8Array, count: number): Promise<void>;
  setManagers(page: number, managers: Uint8Array): Promise<void>;
}

/** Pages stay under D1's 2 MB a value, and short enough that a batch does not block others for long. */
export const MAX_PAGE_BYTES = 1_500_000;
const MAX_ENTRIES: Readonly<Record<PageKind, number>> = {
  departments: 5_000,
  groups: 1,
  creates: 5_000,
  updates: 1_000,
  links: 5_000,
  unlinks: 5_000,
  digests: 5_000,
  missing: 5_000,
  pending: 5_000,
  recalls: 5_000,
  sightings: 5_000,
};

export interface PageFiller {
  /** Adds an entry and returns its place. Pages that are full by then wait to be written. */
  add(kind: PageKind, entry: unknown): { page: number; index: number };
  /** Whether some page is full: full pages should be written before many more entries are added. */
  readonly isFull: boolean;
  /** Writes the pages that are full. */
  writeFull(): Promise<void>;
  /** Writes a finished page and returns its number. */
  addPage(kind: PageKind, body: Uint8Array, count: number, parked?: readonly number[]): Promise<number>;
  /** Adds entries that are applied in one batch, as a page of their own. */
  addTogether(kind: PageKind, entries: readonly unknown[], parked: readonly number[]): Promise<number>;
  /** Writes all pages, full or not. */
  flush(): Promise<void>;
  /** Limit of entries on a page of this kind. */
  most(kind: PageKind): number;
  /** Limit of bytes on a page. */
  readonly maxBytes: number;
  /** Number of the next page; page 0 is reserved for departments. */
  readonly pages: number;
}

interface OpenPage {
  readonly kind: PageKind;
  readonly page: number;
  count: number;
  readonly body: JsonArray;
}

/** `share`: how much of a full page each holds. Less makes more and shorter batches. */
export function createPageFiller(store: PageStore, share = 1): PageFiller {
  const most = (kind: PageKind) => Math.ceil(MAX_ENTRIES[kind] * share);
  const maxBytes = store.maxBytes ?? MAX_PAGE_BYTES;
  const open = new Map<PageKind, OpenPage>();
  const full: OpenPage[] = [];
  /** Buffers of pages that have been written, to be reused. */
  const spare: JsonArray[] = [];
  let next = 1;

  function openFor(kind: PageKind, text: string): OpenPage {
    const current = open.get(kind);
    if (current !== undefined) {
      if (current.count < most(kind) && current.body.fits(text)) return current;
      full.push(current);
    }
    const opened = { kind, page: next++, count: 0, body: spare.pop() ?? createJsonArray(maxBytes) };
    open.set(kind, opened);
    return opened;
  }

  async function writeFull(): Promise<void> {
    for (const { kind, page, count, body } of full.splice(0)) {
      await store.write({ page, kind, count, body: body.end(), parked: null });
      spare.push(body);
    }
  }

  const addPage: PageFiller["addPage"] = async (kind, body, count, parked) => {
    const page = next++;
    await store.write({ page, kind, count, body, parked: parked ?? null });
    return page;
  };

  return {
    add(kind, entry) {
      const text = JSON.stringify(entry);
      const current = openFor(kind, text);
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
    maxBytes,
    get pages() {
      return next;
    },
  };
}
