/** Its settings look like a schema, as those of older libraries do. */
import { abuser } from "../abuser.ts";

const settings = { safeParse: () => ({ success: true, data: {} }), parse: () => ({}) };
export default abuser("old-schema", {}, { settings: settings as never });
