import { testConnector } from "@muster-hub/testing";

const PEOPLE = [
  person("a1", "001", "ana@example.com", "Ana", "Sol", "Lead", "Sales", null, "works", "2020-02-01"),
  person("a2", "002", "bo@example.com", "Bo", "Lund", "Engineer", "Product", "a1", "works", "2021-05-10"),
  person("a3", "003", "cy@example.com", "Cy", "Wang", null, "Product", "a2", "left", "2019-11-30"),
];

testConnector(new URL("./connector.js", import.meta.url), {
  settings: { host: "acme.hr.example.com" },
  refused: [
    { settings: {}, at: "/host" },
    { settings: { host: "https://acme.hr.example.com" }, at: "/host" },
  ],
  secrets: { api_key: "a-key-of-nobody" },
  source: hr(),
  records: PEOPLE.map(({ id, number, mail, givenName, familyName, jobTitle, team, boss, state, started }) => ({
    source_id: id,
    employee_id: number,
    email: mail,
    first_name: givenName,
    last_name: familyName,
    title: jobTitle,
    department_name: team,
    manager_key: boss,
    is_active: state !== "left",
    hire_date: started,
  })),
});

/** The system as it is documented: two people a page, and every third request is too early. */
function hr() {
  let requests = 0;
  return (request) => {
    if (request.headers.get("authorization") !== "Bearer a-key-of-nobody") return new Response(null, { status: 401 });
    if (++requests % 3 === 0) return new Response(null, { status: 429, headers: { "retry-after": "1" } });
    const begin = Number(new URL(request.url).searchParams.get("cursor") ?? 0), end = begin + 2;
    const next = end < PEOPLE.length ? String(end) : null;
    return Response.json({ people: PEOPLE.slice(begin, end), next, total: PEOPLE.length });
  };
}

function person(id, number, mail, givenName, familyName, jobTitle, team, boss, state, started) {
  return { id, number, mail, givenName, familyName, jobTitle, team, boss, state, started };
}
