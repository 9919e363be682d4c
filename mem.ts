import { createBucketPlace } from "/work/wt/s3/src/runtime/backups/bucket.ts";
const settings = JSON.parse(process.argv[2]!);
const place = createBucketPlace(settings);
let peak = 0;
const t = setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), 20);
const before = process.memoryUsage().rss;
await place.put(process.argv[3]!, "x/muster-20260301T020000Z.backup", new AbortController().signal);
clearInterval(t);
console.log("rss before", before / 1e6, "peak", peak / 1e6);
