/** What the hub says of itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643, sections 5–7). No I/O. */
import type { Attribute, ResourceType, Schema } from "./schema.ts";

const CORE = "urn:ietf:params:scim:schemas:core:2.0";
/** How many resources a page has, if the client names no number, and at most. */
export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 1_000;
/** No operation in bulk is offered; a provider that reads the limits gets those of a PATCH. */
const NO_BULK = { supported: false, maxOperations: 1_000, maxPayloadSize: 8 * 1024 * 1024 };

export function serviceProviderConfig(base: string) {
  return {
    schemas: [`${CORE}:ServiceProviderConfig`],
    patch: { supported: true },
    bulk: NO_BULK,
    filter: { supported: true, maxResults: MAX_PAGE },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    pagination: {
      cursor: true,
      index: true,
      defaultPaginationMethod: "index",
      defaultPageSize: DEFAULT_PAGE,
      maxPageSize: MAX_PAGE,
    },
    authenticationSchemes: [{
      type: "oauthbearertoken",
      name: "Bearer token",
      description: "A token of the connection, in the header Authorization",
      specUri: "https://www.rfc-editor.org/info/rfc6750",
      primary: true,
    }],
    meta: {
      resourceType: "ServiceProviderConfig",
      location: `${base}/ServiceProviderConfig`,
    },
  };
}

export function viewResourceType(
  { name, endpoint, description, core, extensions }: ResourceType,
  base: string,
) {
  return {
    schemas: [`${CORE}:ResourceType`],
    id: name,
    name,
    endpoint,
    description,
    schema: core.id,
    schemaExtensions: extensions.map(({ id }) => ({
      schema: id,
      required: false,
    })),
    meta: {
      resourceType: "ResourceType",
      location: `${base}/ResourceTypes/${name}`,
    },
  };
}

export function schemasOf(types: readonly ResourceType[]): Schema[] {
  return types.flatMap(({ core, extensions }) => [core, ...extensions]);
}

export function viewSchema(
  { id, name, description, attributes }: Schema,
  base: string,
) {
  return {
    schemas: [`${CORE}:Schema`],
    id,
    name,
    description,
    attributes: attributes.map(viewAttribute),
    meta: { resourceType: "Schema", location: `${base}/Schemas/${id}` },
  };
}

function viewAttribute(
  { ignored: _, subAttributes, ...attribute }: Attribute,
): Record<string, unknown> {
  return {
    ...attribute,
    ...(subAttributes === undefined ? {} : { subAttributes: subAttributes.map(viewAttribute) }),
  };
}
