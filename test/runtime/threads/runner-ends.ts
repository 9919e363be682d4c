/** A thread that ends at once, each time it is started. */
import { setTimeout } from "node:timers";

setTimeout(() => {}, 100);
