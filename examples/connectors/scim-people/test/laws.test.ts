import { testConnector } from "@muster-hub/testing";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const USERS = [
  {
    id: "2819c223",
    userName: "ana@example.com",
    name: { givenName: "Ana", familyName: "Sol" },
    emails: [{ value: "ana.private@example.com", type: "home" }, { value: "ana@example.com", primary: true }],
    active: true,
    [ENTERPRISE]: { employeeNumber: "0701", department: "Sales" },
  },
  {
    id: "902c246b",
    userName: "bo@example.com",
    name: { givenName: "Bo", familyName: "Lund" },
    emails: [{ value: "bo@example.com", type: "work" }],
    title: "Engineer",
    active: "True",
    phoneNumbers: [{ value: "+46 8 123 456 78", type: "work" }],
    [ENTERPRISE]: { employeeNumber: "0702", department: "Product", manager: { value: "2819c223" } },
  },
  {
    id: "c75ad752",
    userName: "cy@example.com",
    name: { givenName: "Cy", familyName: "Wang" },
    emails: [{ value: "cy@example.com" }],
    active: false,
    [ENTERPRISE]: { employeeNumber: "0703", manager: "902c246b" },
  },
];

testConnector(new URL("../src/index.ts", import.meta.url), {
  settings: { base_url: "https://idp.example.com/scim/v2", page_size: 2 },
  refused: [{ settings: { base_url: "http://idp.example.com" }, at: "/base_url" }],
  secrets: { token: "a-token-of-nobody" },
  source: (request: Request) => {
    const { searchParams } = new URL(request.url);
    if (request.headers.get("authorization") !== "Bearer a-token-of-nobody") {
      return Response.json({ status: "401", detail: "Who are you?" }, { status: 401 });
    }
    const startIndex = Number(searchParams.get("startIndex")), count = Number(searchParams.get("count"));
    const Resources = USERS.slice(startIndex - 1, startIndex - 1 + count);
    return Response.json({ totalResults: String(USERS.length), startIndex, itemsPerPage: Resources.length, Resources });
  },
  records: [
    {
      source_id: "2819c223",
      first_name: "Ana",
      last_name: "Sol",
      email: "ana@example.com",
      is_active: true,
      employee_id: "0701",
      department_name: "Sales",
    },
    {
      source_id: "902c246b",
      first_name: "Bo",
      last_name: "Lund",
      email: "bo@example.com",
      title: "Engineer",
      is_active: "True",
      phone: "+46 8 123 456 78",
      employee_id: "0702",
      department_name: "Product",
      manager_key: "2819c223",
    },
    {
      source_id: "c75ad752",
      first_name: "Cy",
      last_name: "Wang",
      email: "cy@example.com",
      is_active: false,
      employee_id: "0703",
      manager_key: "902c246b",
    },
  ],
});
