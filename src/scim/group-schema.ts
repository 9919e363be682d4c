/** The schema of groups. No I/O. */
import { attribute, complex, type ResourceType } from "./schema.ts";

export const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";

export const GROUP_TYPE: ResourceType = {
  name: "Group",
  endpoint: "/Groups",
  description: "A group of people",
  core: {
    id: GROUP,
    name: "Group",
    description: "A group of people",
    attributes: [
      attribute("displayName", "The name, unique in the connection", {
        required: true,
        uniqueness: "server",
      }),
      complex("members", "The people in the group", [
        attribute("value", "The id of the member's resource", {
          caseExact: true,
          mutability: "immutable",
        }),
        attribute("$ref", "The address of the member's resource", {
          type: "reference",
          referenceTypes: ["User"],
          mutability: "immutable",
        }),
        attribute("display", "The member's name", { mutability: "readOnly" }),
      ], { multiValued: true, ignored: ["type"] }),
    ],
    ignored: [],
  },
  extensions: [],
};
