/** The code of a connector in which its tries to reach more than its context are noted. */

/** Modules of Node that reach files, networks, processes or the machine. */
const REACHING =
  /\b(?:from|import)\s*\(?\s*["'](node:(?:fs|fs\/promises|http|https|http2|net|tls|dgram|dns|dns\/promises|child_process|cluster|worker_threads|os|process|sqlite|inspector))["']/g;

const MARK = "muster kit notes: ";

/** Names of Deno's own functions that do so; those of `env` are others. */
const OF_DENO = [
  "readFile readFileSync readTextFile readTextFileSync readDir readDirSync open openSync stat statSync lstat lstatSync",
  "writeFile writeFileSync writeTextFile writeTextFileSync mkdir mkdirSync makeTempFile makeTempFileSync remove removeSync",
  "connect connectTls listen listenTls serve resolveDns hostname Command kill openKv",
].join(" ").split(" ");

/** In one line without an end, so that the lines of the connector's code stay what they are. */
const SPY = [
  `{const say=console.log,note=(w)=>say(${JSON.stringify(MARK)}+w);`,
  `const spy=(o,n,w)=>{const f=o?.[n];if(typeof f==="function")try{`,
  `o[n]=new Proxy(f,{apply:(f,t,a)=>(note(w),Reflect.apply(f,t,a)),construct:(f,a)=>(note(w),Reflect.construct(f,a))})`,
  `}catch{}};`,
  `for(const n of ["fetch","WebSocket","EventSource","Worker"])spy(globalThis,n,"the global "+n);`,
  `for(const n of ${JSON.stringify(OF_DENO)})spy(globalThis.Deno,n,"Deno."+n);`,
  `for(const n of ["get","has","toObject"])spy(globalThis.Deno?.env,n,"Deno.env");}`,
].join("");

export function spiedCode(code: string): string {
  return `${SPY}${code}`;
}

/** What a line of the log notes; null: the connector wrote it. */
export function notedIn(line: string): string | null {
  return line.startsWith(MARK) ? line.slice(MARK.length) : null;
}

/** Modules that the code imports and that reach more than a connector may. */
export function reachingModules(code: string): readonly string[] {
  return [...new Set([...code.matchAll(REACHING)].map((match) => match[1]!))];
}
