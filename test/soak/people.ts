/** The files of one organization: what each says, and who everybody is in the end. */
import { createRandom } from "../fuzz/random.ts";

export interface PeopleFile {
  readonly name: string;
  readonly text: string;
  /** Changes that it makes, and rows that nobody can read. */
  readonly changes: number;
  readonly broken: number;
}

export interface Series {
  next(): PeopleFile;
  /** Title by employee_id, as after the last file. */
  readonly everybody: ReadonlyMap<string, string>;
}

const HEADER = "employee_id,email,first_name,last_name,title";
/** Of the people who are there. */
const CHANGED = 0.1, NEW = 3;

/** `people`: in the first file. Those that follow say what has changed. */
export function createSeries(organization: number, people: number): Series {
  const random = createRandom(organization + 1), everybody = new Map<string, string>();
  let files = 0;

  function rowOf(id: string): string {
    files === 1 ? everybody.set(id, "Clerk") : everybody.set(id, `Clerk ${files}.${random.below(1_000_000)}`);
    return `${id},p${id}.o${organization}@example.com,First${id},Last${id},${everybody.get(id)}`;
  }

  return {
    everybody,
    next() {
      files++;
      const ids = [...everybody.keys()], added = files === 1 ? people : NEW;
      const chosen = files === 1 ? [] : ids.filter(() => random.below(1000) < CHANGED * 1000);
      const fresh = Array.from({ length: added }, (_, i) => String(1000 + ids.length + i));
      const rows = [...chosen, ...fresh].map(rowOf);
      // The technical contact hears of each of them.
      const broken = files % 3 === 0 ? [`,nobody${files}@example.com,No,Body,Clerk`] : [];
      const name = `people-${String(files).padStart(4, "0")}.csv`;
      return { name, text: [HEADER, ...rows, ...broken, ""].join("\n"), changes: rows.length, broken: broken.length };
    },
  };
}
