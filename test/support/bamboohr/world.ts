/** An organization that is connected to a fake BambooHR: the hub's API as the only way in, nights that go by as a test says. */
import { DAY_MS, type Importing, importing, type Outcome } from "../imports.ts";
import { type BambooHR, outboundTo, startBambooHR } from "./server.ts";

export interface Connected extends Omit<Importing, "sync"> {
  readonly fake: BambooHR;
  /** Reads BambooHR now, and carries the run. */
  sync(mode?: "auto" | "plan"): Promise<Outcome>;
  /** Reads whatever is queued or due by now, and carries what comes of it. */
  work(): Promise<void>;
  /** Another day, here and there. */
  nextDay(): void;
}

/** The connection is `bamboohr`, and what it is to be beside that. */
export async function connected(work: (world: Connected) => Promise<void>, input: object = {}): Promise<void> {
  const fake = await startBambooHR();
  try {
    await importing(async (world) => {
      await world.connect("bamboohr", {
        connector: "bamboohr",
        settings: { subdomain: "acme" },
        secrets: { api_key: fake.key },
        ...input,
      });
      const all: Connected = {
        ...world,
        fake,
        sync: (mode) => world.sync("bamboohr", mode),
        async work() {
          await world.fetch();
          await world.carry();
        },
        nextDay() {
          world.later(DAY_MS);
          fake.company.today = new Date(world.hub.clock.ms).toISOString().slice(0, 10);
        },
      };
      await work(all);
    }, { outbound: outboundTo(fake) });
  } finally {
    await fake.close();
  }
}
