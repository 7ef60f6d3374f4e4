// Chromium keeps the database in a LevelDB and goes on in the log that it finds. A power cut, or the death of the
// browser, may leave half a write at its end. The next start passes over it and writes behind it; to the start after
// that, all that came behind looks damaged, and Chromium deletes the whole database, with answers that were thanked
// for. (LevelDB's option `reuse_logs`; Chrome OS does without it for this reason, https://crbug.com/460568.)
// Whenever a database is deleted a new log begins: so one is, before anything is written to the other. Browsers that
// keep their databases in SQLite do not need it; it costs them a file that comes and goes.
import { result } from './requests.ts';

const SCRATCH = 'fresh log ';
const WORD = 'the log is whole';
/** A browser that died is not back as soon. */
const LONGEST_WAY_MS = 2_000;

/** Its name is its own: a tab that froze in the middle of this holds up no other. */
export async function beginFreshLog(factory: IDBFactory): Promise<void> {
  const name = SCRATCH + crypto.randomUUID();
  (await result(factory.open(name))).close();
  await result(factory.deleteDatabase(name));
  void sweep(factory);
}

/** What a browser that died in the middle has left. */
async function sweep(factory: IDBFactory): Promise<void> {
  for (const { name } of (await factory.databases?.()) ?? []) if (name?.startsWith(SCRATCH)) factory.deleteDatabase(name);
}

/**
 * Pages follow one another in one life of the browser. The one that goes leaves word when its log is whole, so that the
 * next one needs no new log: each costs an entry in LevelDB's list of files, which half a write can spoil as well.
 */
export function passOn(store: { logIsWhole: boolean }): void {
  try {
    store.logIsWhole = Math.abs(Date.now() - Number(sessionStorage.getItem(WORD) ?? 0)) < LONGEST_WAY_MS;
    sessionStorage.removeItem(WORD);
    window.addEventListener('pagehide', () => store.logIsWhole && sessionStorage.setItem(WORD, String(Date.now())));
  } catch {
    // Where no word can be left, each page begins a new log.
  }
}
