/**
 * The people of the bench: any number of them, the same on every machine and in every run.
 *
 * Each value is drawn from the person's number alone, so a file can be written in any order without holding
 * anybody in memory. Invented names, reserved domains and telephone numbers. No I/O. No clock.
 */

/** The twelve columns, in the order of the plain file. */
export const COLUMNS = [
  "employee_id",
  "email",
  "first_name",
  "last_name",
  "preferred_name",
  "title",
  "department_name",
  "manager_id",
  "location",
  "phone",
  "hire_date",
  "employment_status",
] as const;

/** How many people a manager has; everybody's manager has a lower number, so there is no cycle. */
const FAN_OUT = 8;
const DEPARTMENTS = 2000;

const FIRST = words(
  "Ada Aiko Alba Amir Anouk Arlo Asha Bela Bram Caio Cleo Dara Dion Edda Elio Emre Esme Farah Finn Gaia Hana Ilse " +
    "Inês Iris Ivo Jana Jules Kaito Kira Lara Lena Leo Liv Luca Maël Maia Mira Nico Nils Noor Odin Olga Orla Pia " +
    "Quinn Rafa Rhea Rune Sami Sefa Siri Suri Tala Theo Uma Vera Wren Yara Zoé Zuri",
);
const LAST = words(
  "Abara Albus Amado Arden Baker Bellamy Birch Brandão Calder Castel Corvo Dahl Darrow Doyle Eklund Ermine Fabre " +
    "Falk Farrow Fenn Gallo Garrick Gilde Hale Haruna Hollis Ibarra Ister Jarrow Joss Kaya Keller Kestrel Lark " +
    "Lindqvist Lorca Maddox Marsh Mistral Moran Nakano Norling Núñez Oakes Okoro Olsen Paxton Perrin Quill Rask " +
    "Rowan Sable Santoro Sørby Tamsin Teague Thorne Ude Vance Verne Wilder Winslow Yarrow Zeller",
);
const LEVEL = words("Junior Senior Lead Staff Chief Deputy");
const CRAFT = ["Accountant", "Analyst", "Buyer", "Designer", "Engineer", "Nurse", "Planner", "Recruiter", "Technician"];
const AREA = ["Audit", "Claims", "Data", "Freight", "Labs", "Legal", "People", "Plant", "Retail", "Sales"];
const PLACE = ["Ashford", "Brookline", "Calder Bay", "Dunmore", "Eastvale", "Fairhaven", "Glenrock", "Harbour, East"];
const STATUS = ["Full-time", "Full-time", "Full-time", "Part-time", "Contract"];

/** The person's values in the order of COLUMNS. `moved` is the person on a later day, when 1 % have changed. */
export function person(number: number, moved: boolean): string[] {
  const first = FIRST[draw(number, 1) % FIRST.length]!;
  const last = LAST[draw(number, 2) % LAST.length]!;
  const mailbox = `${plain(first)}.${plain(last)}${number}`;
  const change = moved && changes(number) ? 1 + draw(number, 3) % 3 : 0;
  return [
    employeeId(number),
    // Some systems write addresses as people do; the hub keeps them in lower case.
    draw(number, 4) % 50 === 0 ? `${mailbox}@Staff.Acme.test` : `${mailbox.toLowerCase()}@staff.acme.test`,
    first,
    last,
    draw(number, 5) % 6 === 0 ? FIRST[draw(number, 6) % FIRST.length]! : "",
    title(draw(number, change === 1 ? 17 : 7), change === 1),
    department(draw(number, change === 2 ? 18 : 8)),
    number === 0 ? "" : employeeId(change === 3 ? draw(number, 9) % number : Math.floor((number - 1) / FAN_OUT)),
    PLACE[draw(number, 10) % PLACE.length]!,
    `555-01${two(draw(number, 11) % 100)} x${draw(number, 12) % 10_000}`,
    `${1985 + draw(number, 13) % 40}-${two(1 + draw(number, 14) % 12)}-${two(1 + draw(number, 15) % 28)}`,
    STATUS[draw(number, 16) % STATUS.length]!,
  ];
}

/** The numbers 0 … count - 1 in an order that `seed` decides. */
export function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = draw(last, seed) % (last + 1);
    const number = order[last]!;
    order[last] = order[other]!;
    order[other] = number;
  }
  return order;
}

function changes(number: number): boolean {
  return draw(number, 20) % 100 === 0;
}

function employeeId(number: number): string {
  return `E${String(number + 1).padStart(7, "0")}`;
}

function title(drawn: number, promoted: boolean): string {
  const craft = CRAFT[drawn % CRAFT.length]!;
  const level = LEVEL[(drawn >>> 8) % LEVEL.length]!;
  const name = (drawn >>> 16) % 10 === 0 ? `${craft}, ${level}` : `${level} ${craft}`;
  return promoted ? `${name} II` : name;
}

function department(drawn: number): string {
  const number = drawn % DEPARTMENTS;
  const area = AREA[number % AREA.length]!;
  return number % 7 === 0 ? `${area}, Unit ${number}` : `${area} ${number}`;
}

/** A number of 32 bits that `number` and `column` decide and nothing else. */
function draw(number: number, column: number): number {
  let bits = Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(column, 0x85ebca77);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) >>> 0;
}

function plain(name: string): string {
  return name.normalize("NFD").replace(/[^A-Za-z]/g, "");
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function words(text: string): string[] {
  return text.split(" ");
}
