/**
 * Receivers in a process of their own, so that what is measured beside them is the sending alone: `well` of them answer
 * 204 and `hanging` never do. Says its addresses in a line, and what it has received in another once everybody who is
 * well has `wanted` different messages.
 */
import process from "node:process";
import { type Receiver, startReceiver } from "../support/receiver.ts";

const [well, hanging, wanted] = process.argv.slice(2).map(Number) as [number, number, number];

async function main(): Promise<void> {
  const good = await startAll(well);
  const bad = await startAll(hanging, () => {});
  console.log(JSON.stringify({ well: good.map(({ url }) => url), hanging: bad.map(({ url }) => url) }));
  const different = ({ received }: Receiver) => new Set(received.map(({ headers }) => headers["webhook-id"])).size;
  while (good.some((receiver) => receiver.received.length < wanted || different(receiver) < wanted)) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  console.log(JSON.stringify({ well: good.map(different), hanging: bad.map(({ received }) => received.length) }));
}

function startAll(count: number, answer?: Receiver["answer"]): Promise<Receiver[]> {
  return Promise.all(Array.from({ length: count }, () => startReceiver(answer)));
}

void main();
