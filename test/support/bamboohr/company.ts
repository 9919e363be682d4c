/**
 * What a fake BambooHR account holds: employees with their histories, lists, what each key may see, and the switches for
 * what nobody outside knows of the real thing. Tests change it as they like, while it is being read too.
 */

export interface Job {
  /** From this day on, YYYY-MM-DD. */
  readonly date: string;
  readonly jobTitle: string | null;
  readonly department: string | null;
  readonly division: string | null;
  readonly location: string | null;
  /** Internal id of whom they report to. */
  readonly reportsTo: number | null;
}

export interface Employment {
  readonly date: string;
  /** One of the company's own list: Full-Time, Contractor, … */
  readonly status: string;
}

export interface Employee {
  /** Never changes; what everything else refers to. */
  readonly id: number;
  /** What HR calls the Employee #: may change, may be absent, may be anybody's. */
  employeeNumber: string | null;
  firstName: string;
  lastName: string;
  preferredName: string | null;
  workEmail: string | null;
  homeEmail: string | null;
  workPhone: string | null;
  mobilePhone: string | null;
  city: string | null;
  state: string | null;
  country: string | null;
  hireDate: string | null;
  originalHireDate: string | null;
  terminationDate: string | null;
  jobs: Job[];
  employment: Employment[];
  /** `auto`: follows from the dates, as the real thing does it over night. */
  status: "auto" | "Active" | "Inactive" | "" | null;
  custom: Record<string, string | null>;
  inDirectory: boolean;
  lastChanged: string;
}

/** What the user whom a key belongs to may see. Fields by their names in reports. */
export interface Access {
  /** Their own employee; 0: the user is none. */
  employeeId: number;
  sees: (employee: Employee) => boolean;
  /** Fields that are hidden of this employee. */
  hides: (field: string, employee: Employee) => boolean;
  /** Fields that are hidden of everybody, whose very names are left out of reports. */
  hidden: Set<string>;
  datasets: boolean;
}

/** Facts 11: each unknown of the real thing, to be tried both ways. */
export interface Switches {
  /** Whom the list of employees shows when no filter says. */
  listScope: "all" | "active";
  listEmptyDate: null | "" | "0000-00-00";
  listEmptyText: null | "";
  listOnGateway: boolean;
  /** The list as it was described in April 2026: fewer fields, and no API keys. */
  listEdition: "2026-06" | "2026-04";
  /** Whether the list shows people before their first day. */
  listPreHires: boolean;
  datasetEmptyDate: null | "" | "0000-00-00";
  /** What a dataset does about a field that the key may not read. */
  datasetRestricted: "error" | "empty";
  changedEmpty: "array" | "object";
  /** Whether a change that takes effect by its date counts as one that day. */
  effectiveBumps: boolean;
  /** Requests that are answered between two `refill`s; null: any number. */
  quota: number | null;
  quotaStatus: 429 | 503;
  /** What such an answer says; null: nothing. */
  quotaRetryAfter: string | null;
  directory: "on" | "off" | "empty";
}

export interface ListOption {
  id: number;
  name: string;
  archived: boolean;
  manageable: boolean;
}

export interface Company {
  readonly subdomain: string;
  /** The day in the company's time zone, YYYY-MM-DD. */
  today: string;
  readonly employees: Map<number, Employee>;
  /** Internal ids of employees who are no more, and when they went. */
  readonly deleted: Map<number, string>;
  /** The Employment Status list. */
  readonly statuses: ListOption[];
  /** Custom fields by alias, with their numeric ids and labels. */
  readonly customFields: Map<string, { id: string; name: string }>;
  readonly keys: Map<string, Access>;
  readonly switches: Switches;
}

export const TODAY = "2026-03-02";

export function createCompany(subdomain = "acme"): Company {
  return {
    subdomain,
    today: TODAY,
    employees: new Map(),
    deleted: new Map(),
    statuses: ["Contractor", "Full-Time", "Furloughed", "Intern", "Part-Time", "Terminated"].map((name, i) => ({
      id: 18 + i,
      name,
      archived: false,
      manageable: name !== "Terminated",
    })),
    customFields: new Map(),
    keys: new Map(),
    switches: {
      listScope: "all",
      listEmptyDate: null,
      listEmptyText: null,
      listOnGateway: true,
      listEdition: "2026-06",
      listPreHires: true,
      datasetEmptyDate: null,
      datasetRestricted: "error",
      changedEmpty: "array",
      effectiveBumps: false,
      quota: null,
      quotaStatus: 429,
      quotaRetryAfter: "0",
      directory: "on",
    },
  };
}

export function fullAccess(): Access {
  return { employeeId: 8, sees: () => true, hides: () => false, hidden: new Set(), datasets: true };
}

/** Adds somebody who has worked here for long, unless `more` says otherwise; a title, department or manager of the day. */
export function hire(
  company: Company,
  id: number,
  more: Partial<Employee> & Partial<Omit<Job, "date">> & { employmentStatus?: string | null } = {},
): Employee {
  const { jobTitle, department, division, location, reportsTo, employmentStatus, ...said } = more;
  const hireDate = said.hireDate === undefined ? "2020-01-06" : said.hireDate;
  const employee: Employee = {
    employeeNumber: String(100 + id),
    firstName: `First${id}`,
    lastName: `Last${id}`,
    preferredName: null,
    workEmail: `p${id}@acme.test`,
    homeEmail: `home${id}@example.com`,
    workPhone: null,
    mobilePhone: null,
    city: "Lindon",
    state: null,
    country: "United States",
    originalHireDate: null,
    terminationDate: null,
    jobs: [{
      date: hireDate ?? "2020-01-06",
      jobTitle: jobTitle === undefined ? "Clerk" : jobTitle,
      department: department === undefined ? "Operations" : department,
      division: division ?? null,
      location: location ?? "Salt Lake City, Utah",
      reportsTo: reportsTo ?? null,
    }],
    employment: employmentStatus === null
      ? []
      : [{ date: hireDate ?? "2020-01-06", status: employmentStatus ?? "Full-Time" }],
    status: "auto",
    custom: {},
    inDirectory: true,
    lastChanged: "2026-01-15T09:00:00+00:00",
    ...said,
    id,
    hireDate,
  };
  company.employees.set(id, employee);
  return employee;
}

/** `n` people from `from` on, every ninth a manager of those behind them. */
export function hireCrowd(company: Company, n: number, from = 1): void {
  for (let id = from; id < from + n; id++) {
    const chief = id - ((id - from) % 9);
    hire(company, id, {
      jobTitle: id % 3 === 0 ? "Engineer" : "Clerk",
      department: `Department ${id % 12}`,
      reportsTo: chief === id ? (id === from ? null : from) : chief,
      mobilePhone: `+1 801 555 ${String(id % 10_000).padStart(4, "0")}`,
    });
  }
}

/** How they stand on a day: their last job and employment up to it, or, with `future`, up to the last that is entered. */
export function standing(employee: Employee, today: string, future: boolean) {
  const upTo = <T extends { date: string }>(history: readonly T[]): T | null =>
    [...history].sort((a, b) => (a.date < b.date ? -1 : 1)).filter(({ date }) => future || date <= today).at(-1) ??
      null;
  const { terminationDate } = employee;
  const leaves = terminationDate !== null && (future || terminationDate <= today);
  const status = employee.status !== "auto" ? employee.status : leaves ? "Inactive" : "Active";
  const employment = upTo(employee.employment);
  return {
    job: upTo(employee.jobs),
    status,
    employmentStatus: employee.status === "auto" && leaves ? "Terminated" : employment?.status ?? null,
    employmentDate: employment?.date ?? null,
  };
}

export function isPreHire(employee: Employee, today: string): boolean {
  return employee.hireDate !== null && employee.hireDate > today;
}
