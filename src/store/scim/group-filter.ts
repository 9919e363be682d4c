/** A filter of groups as a condition in SQL, over the name g of the group. Groups have few attributes: each is named here. */
import { type SQL, sql } from "drizzle-orm";
import { decodeId } from "../../model/id.ts";
import { ScimError } from "../../scim/error.ts";
import type { Comparison, Filter } from "../../scim/filter.ts";
import { foldText } from "../../scim/fold.ts";
import { GROUP } from "../../scim/group-schema.ts";
import type { Place } from "../../scim/names.ts";
import { groupMembers } from "./schema.ts";
import { compareStored, compareText, ordered } from "./texts.ts";

export function groupConditionOf(filter: Filter): SQL {
  switch (filter.kind) {
    case "and":
    case "or":
      return sql`(${sql.join(filter.filters.map(groupConditionOf), sql.raw(` ${filter.kind} `))})`;
    case "not":
      return sql`not coalesce(${groupConditionOf(filter.filter)}, 0)`;
    case "some":
      return someMember(memberCondition(filter.filter));
    case "present":
      return presence(filter.place);
    case "compare":
      return comparison(filter);
  }
}

/** What groups are sorted by; null: nothing that is stored. */
export function groupOrderOf({ attribute, sub }: Place): SQL | null {
  switch (sub?.name ?? attribute.name) {
    case "id":
      return sql`g.id`;
    case "displayName":
      return sql`g.folded`;
    case "externalId":
      return sql`g.external_id`;
    case "created":
      return sql`g.created_at`;
    case "lastModified":
      return sql`g.updated_at`;
    default:
      return null;
  }
}

function presence({ attribute: { name } }: Place): SQL {
  if (name === "members") return someMember(sql`1`);
  return name === "externalId" ? sql`(g.external_id is not null)` : sql`(1)`;
}

function comparison(filter: Comparison): SQL {
  const { place, operator, value } = filter;
  switch (place.sub?.name ?? place.attribute.name) {
    case "id":
      return byId("g.id", "grp", filter);
    case "displayName":
      return compareStored(sql`g.folded`, operator, foldText(String(value)));
    case "externalId":
      return compareText(sql`g.external_id`, operator, String(value), true);
    case "value":
      return someMember(byId("m.user_id", "usr", filter));
    case "created":
      return ordered(sql`g.created_at`, operator, Number(value));
    case "lastModified":
      return ordered(sql`g.updated_at`, operator, Number(value));
    case "resourceType":
      return compareText(sql`'Group'`, operator, String(value), true);
    case "schemas":
      return compareText(sql`${GROUP}`, operator, String(value), false);
    default:
      throw new ScimError("invalidFilter", `"${place.attribute.name}" cannot be searched`);
  }
}

/** Within brackets: of one member. */
function memberCondition(filter: Filter): SQL {
  switch (filter.kind) {
    case "and":
    case "or":
      return sql`(${sql.join(filter.filters.map(memberCondition), sql.raw(` ${filter.kind} `))})`;
    case "not":
      return sql`not ${memberCondition(filter.filter)}`;
    case "compare":
      if (filter.place.sub?.name === "value") return byId("m.user_id", "usr", filter);
  }
  throw new ScimError("invalidFilter", "Members are searched by their value");
}

function someMember(condition: SQL): SQL {
  return sql`exists (select 1 from ${groupMembers} m where m.group_id = g.id and ${condition})`;
}

function byId(column: string, prefix: "grp" | "usr", { operator, value }: Comparison): SQL {
  if (operator !== "eq" && operator !== "ne") throw new ScimError("invalidFilter", "Ids are compared by eq and ne");
  // No id is 0, so a text that is none finds nothing.
  return ordered(sql.raw(column), operator, decodeId(prefix, String(value)) ?? 0);
}
