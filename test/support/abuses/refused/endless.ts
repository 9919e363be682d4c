/** Its import never ends. */
import { abuser } from "../abuser.ts";

await new Promise((resolve) => setTimeout(resolve, 1e9));
export default abuser("endless", {});
