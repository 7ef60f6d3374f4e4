// Chromium keeps the database in a LevelDB and writes on in the log that it finds. A power cut, or the death of the
// browser, may leave half a write at its end. The next start passes over it and writes behind it; to the start after
// that, all that came behind looks damaged, and Chromium deletes the whole database, with answers that were thanked
// for. (LevelDB's option `reuse_logs`; Chrome OS does without it for this reason, https://crbug.com/460568.)
// Whenever a database is deleted a new log begins, so one is, before a page writes anything. Elsewhere it is harmless.

const SCRATCH = 'log-turn';
/** Somebody's frozen tab may hold the scratch database open: writing goes on without a new log. */
const PATIENCE_MS = 2_000;

/** Never rejects: a log that could not be turned may still be whole, and the next write tells whether the disk is. */
export async function turnLog(factory: IDBFactory, patienceMs = PATIENCE_MS): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, patienceMs)));
  await Promise.race([makeAndDelete(factory).catch(() => undefined), patience]);
  clearTimeout(timer);
}

async function makeAndDelete(factory: IDBFactory): Promise<void> {
  const made = await done(factory.open(SCRATCH));
  made.close();
  await done(factory.deleteDatabase(SCRATCH));
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('failed'));
  });
}
