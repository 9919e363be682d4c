/** Whether a process can serve: a list of checks, each with a sentence for the operator. */

/** Null: all is well. A sentence names what is wrong and what to do; it is public, so it has no paths and nobody's data. */
export type Check = () => string | null | Promise<string | null>;

/** The sentences of the checks that fail; none: the process is ready. */
export type Readiness = () => Promise<readonly string[]>;

/** For how long an answer is used again: probes of many load balancers should cost as much as those of one. */
const KEPT_MS = 2_000;
/** A check that has not answered by then has failed, without another sentence. */
const MAX_CHECK_MS = 10_000;

/** Asks all checks at the same time, and at most once in KEPT_MS. A check that throws has failed. */
export function createReadiness(
  checks: Readonly<Record<string, Check>>,
  elapsed: () => number = () => performance.now(),
): Readiness {
  let latest: Promise<readonly string[]> | null = null, at = -Infinity;
  return () => {
    if (latest === null || elapsed() - at > KEPT_MS) {
      at = elapsed();
      latest = Promise.all(Object.entries(checks).map(([name, check]) => sentenceOf(name, check)))
        .then((sentences) => [...new Set(sentences.filter((sentence) => sentence !== null))]);
    }
    return latest;
  };
}

async function sentenceOf(name: string, check: Check): Promise<string | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(
      () => resolve(`The check "${name}" has not ended within ${MAX_CHECK_MS / 1000} s`),
      MAX_CHECK_MS,
    );
  });
  try {
    return await Promise.race([Promise.resolve().then(check), late]);
  } catch {
    return `The check "${name}" failed; the hub's log has more`;
  } finally {
    clearTimeout(timer);
  }
}
