/** The human beings of a scenario, and what happens to them between two files. */
import type { Random } from "../../fuzz/random.ts";

export interface Human {
  readonly truth: number;
  number: string;
  email: string;
  /** With its country; several may share one. */
  phone: string;
  first: string;
  last: string;
  title: string;
  department: string;
  /** Who leads them, by truth; null: nobody does. */
  boss: number | null;
  /** Regular, or another kind of employment. */
  kind: string;
  company: string;
  hired: string;
  /** The day they left or will leave. */
  left: string | null;
}

export interface Town {
  humans: Human[];
  next: number;
}

/** No two words of one are in the other, so that only the same person has the same name. */
const FIRST = [
  "Ana",
  "Bo",
  "Cleo",
  "Dan",
  "Eva",
  "Finn",
  "Gia",
  "Hugo",
  "Ida",
  "Jon",
  "Kim",
  "Lea",
  "Max",
  "Nia",
  "Otto",
];
const LAST = ["Arden", "Birch", "Cole", "Dunn", "Ellis", "Frost", "Grant"];
const DEPARTMENTS = ["", "Sales", "Care", "Works"];
const KINDS = ["Regular", "Regular", "Regular", "Temporary", ""];
const COMPANIES = ["Acme", "Acme", "Acme North", "Other", ""];
const TITLES = ["", "Lead", "Dev", "Sales"];

const phoneOf = (number: number) => `+371 2012 34${String(number % 100).padStart(2, "0")}`;

/** A new one, under a number of their own unless one is given. */
export function newHuman(town: Town, random: Random, given: Partial<Human> = {}): Human {
  const truth = town.next++;
  const first = FIRST[truth % FIRST.length]! +
    (truth < FIRST.length ? "" : "bcdefgh"[Math.floor(truth / FIRST.length) - 1]);
  const human: Human = {
    truth,
    number: random.pick(["00", "0", "1"]) + String(truth).padStart(2, "0"),
    email: `${first.toLowerCase()}@example.com`,
    phone: phoneOf(truth),
    first,
    last: random.pick(LAST),
    title: random.pick(TITLES),
    department: random.pick(DEPARTMENTS),
    boss: truth === 1 || random.once(5) ? null : 1 + random.below(truth - 1),
    kind: random.pick(KINDS),
    company: random.pick(COMPANIES),
    hired: `20${10 + random.below(15)}-0${1 + random.below(9)}-${10 + truth % 18}`,
    left: null,
    ...given,
  };
  town.humans.push(human);
  return human;
}

type Event = (town: Town, random: Random, today: string) => void;

const someone = (town: Town, random: Random) => random.pick(town.humans);
const staying = (town: Town) => town.humans.filter(({ left }) => left === null);
const gone = (town: Town, today: string) => town.humans.filter(({ left }) => left !== null && left <= today);

const EVENTS: Readonly<Record<string, Event>> = {
  joins: (town, random) => void newHuman(town, random),
  leaves: (town, random, today) => {
    const all = staying(town);
    if (all.length > 1) random.pick(all).left = today;
  },
  willLeave: (town, random) => {
    const all = staying(town);
    if (all.length > 1) random.pick(all).left = random.pick(["2026-03-04", "2026-03-06", "2027-01-31"]);
  },
  returns: (town, random, today) => {
    const all = gone(town, today);
    if (all.length > 0) random.pick(all).left = null;
  },
  isPromoted: (town, random) => void (someone(town, random).title = random.pick(TITLES)),
  changesDepartment: (town, random) => void (someone(town, random).department = random.pick(DEPARTMENTS)),
  getsBoss: (town, random) => {
    const human = someone(town, random), boss = someone(town, random).truth;
    human.boss = random.once(4) ? null : boss;
  },
  swapsWithBoss: (town, random) => {
    const human = someone(town, random), boss = town.humans.find(({ truth }) => truth === human.boss);
    if (boss !== undefined) [human.boss, boss.boss] = [boss.boss, random.once(3) ? boss.boss : human.truth];
  },
  changesKind: (town, random) => void (someone(town, random).kind = random.pick(KINDS)),
  changesCompany: (town, random) => void (someone(town, random).company = random.pick(COMPANIES)),
  marries: (town, random) => void (someone(town, random).last = random.pick(LAST)),
  moves: (town, random) => {
    const human = someone(town, random);
    human.email = `${human.first.toLowerCase()}${random.below(9)}@example.com`;
  },
  getsPhone: (town, random) => void (someone(town, random).phone = phoneOf(50 + random.below(50))),
  /** Somebody's phone goes to somebody else, who may be new, or is shared. */
  phonePasses: (town, random) => {
    const giver = someone(town, random), { phone } = giver;
    if (random.once(2)) giver.phone = phoneOf(50 + random.below(50));
    if (random.once(2)) newHuman(town, random, { phone });
    else someone(town, random).phone = phone;
  },
  marriesAndMoves: (town, random) => {
    const human = someone(town, random);
    human.last = random.pick(LAST);
    human.email = `${human.first}.${human.last}@example.com`.toLowerCase();
  },
  isRekeyed: (town, random) => {
    const all = staying(town);
    if (all.length > 0) random.pick(all).number = `9${random.below(900) + 100}`;
  },
  /** A leaver's number goes to somebody new. */
  numberIsRecycled: (town, random, today) => {
    const all = gone(town, today);
    if (all.length === 0) return;
    const old = random.pick(all);
    town.humans = town.humans.filter((human) => human !== old);
    newHuman(town, random, { number: old.number });
  },
  /** Somebody gets a new address, and somebody new, or who is there, the old one. */
  addressPasses: (town, random) => {
    const all = staying(town);
    if (all.length < 2) return;
    const giver = random.pick(all), { email } = giver, taker = random.pick(all.filter((human) => human !== giver));
    giver.email = `${giver.first}.${random.below(90) + 10}@example.com`.toLowerCase();
    if (random.once(2)) newHuman(town, random, { email });
    else taker.email = email;
  },
  addressIsRecycled: (town, random, today) => {
    const all = gone(town, today);
    if (all.length > 0) newHuman(town, random, { email: random.pick(all).email });
  },
};
const NAMES = Object.keys(EVENTS);

/** What happens until the next file. */
export function live(town: Town, random: Random, today: string): void {
  for (let i = 0, count = random.below(4); i < count; i++) EVENTS[random.pick(NAMES)]!(town, random, today);
  if (random.once(5)) { for (let i = 0; i < 4; i++) EVENTS[random.pick(NAMES)]!(town, random, today); }
}
