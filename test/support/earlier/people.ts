/** The people of the databases that earlier versions have made, as they were sent to those versions. */

export const ADMIN = "mus_kOShS93QnlpQgUXrUHvT7qRN0J4vlH0na8cH";
/** The master key of those databases; it protects nothing else. */
export const EARLIER_KEY = "ZWFybGllci12ZXJzaW9ucy1tYWRlLXRoaXMta2V5LTE";
export const SEAMED = "seamed";
export const PEOPLE = 1000;

const COLUMNS = "employee_id,email,first_name,last_name,title,department_name,manager_id,is_active";

function person(n: number, domain: string, title = `Title ${n % 17}`, active = "yes"): string {
  const id = String(n).padStart(6, "0");
  const manager = n < 10 ? "" : String(Math.floor(n / 10)).padStart(6, "0");
  return `${id},person${n}@${domain},First${n % 97},Last${n},${title},Department ${n % 12},${manager},${active}`;
}

const fileOf = (rows: string[]) => `${[COLUMNS, ...rows].join("\n")}\n`;
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

export function firstPeople(domain = "example.com", count = PEOPLE): string {
  return fileOf(numbers(count).map((n) => person(n, domain)));
}

/** What the first of them was called by hand, in the database with webhooks. */
export const BY_HAND = "Changed by hand";

/**
 * The same people, some of them changed and some of them inactive: the latest whole file that was applied. `first`: the
 * title of the first, if it was changed by hand since.
 */
export function secondPeople(first = "Title 1"): string {
  const titleOf = (n: number) => n === 1 ? first : n % 50 === 0 ? "Promoted" : `Title ${n % 17}`;
  return fileOf(numbers(PEOPLE).map((n) => person(n, "example.com", titleOf(n), n % 100 === 99 ? "no" : "yes")));
}

/** Only rows that cannot be used, so that nobody is changed. */
export function mistakes(): string {
  return fileOf(["000001,person1@,First1,Last1,Title 1,Department 1,,yes", ",,,,,,,"]);
}
