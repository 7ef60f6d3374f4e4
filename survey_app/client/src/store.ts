// The tablet's database: one IndexedDB with the outbox, its chain, and a few facts. Every write is `strict` and
// counts only when its transaction is complete: a request that succeeded may still be rolled back.

const NAME = 'tablet';
const VERSION = 1;

export type StoreName = 'records' | 'facts';

/** Opening, and what the operating system does to an open connection, in one place. */
export class Store {
  private connection: Promise<IDBDatabase> | null = null;
  private readonly factory: IDBFactory;
  private readonly durability: IDBTransactionDurability;

  /** `durability` is a parameter only for the test that shows what `relaxed` would lose. */
  constructor(factory: IDBFactory = indexedDB, durability: IDBTransactionDurability = 'strict') {
    this.factory = factory;
    this.durability = durability;
  }

  /** Run `work` in one transaction; resolves when it is complete, rejects when it was rolled back. */
  async write<T>(names: StoreName[], work: (transaction: IDBTransaction) => T): Promise<T> {
    return this.retryOnce((database) => complete(database.transaction(names, 'readwrite', { durability: this.durability }), work));
  }

  async read<T>(name: StoreName, request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    return this.retryOnce((database) => result(request(database.transaction(name, 'readonly').objectStore(name))));
  }

  async fact<T>(key: string): Promise<T | undefined> {
    return this.read('facts', (store) => store.get(key) as IDBRequest<T | undefined>);
  }

  async setFact(key: string, value: unknown): Promise<void> {
    await this.write(['facts'], (transaction) => void transaction.objectStore('facts').put(value, key));
  }

  /** A connection that the system closed under memory pressure is opened anew, once. */
  private async retryOnce<T>(work: (database: IDBDatabase) => Promise<T>): Promise<T> {
    try {
      return await work(await this.database());
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'InvalidStateError')) throw error;
      this.connection = null;
      return work(await this.database());
    }
  }

  private database(): Promise<IDBDatabase> {
    this.connection ??= this.open().catch((error: unknown) => {
      this.connection = null;
      throw error;
    });
    return this.connection;
  }

  private async open(): Promise<IDBDatabase> {
    const request = this.factory.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('records', { keyPath: ['id', 'revision'] });
      request.result.createObjectStore('facts');
    };
    const database = await result(request);
    const forget = (): void => {
      database.close();
      this.connection = null;
    };
    database.onversionchange = forget;
    database.onclose = forget;
    return database;
  }
}

function complete<T>(transaction: IDBTransaction, work: (transaction: IDBTransaction) => T): Promise<T> {
  return new Promise((resolve, reject) => {
    let value: T;
    transaction.oncomplete = () => resolve(value);
    transaction.onabort = () => reject(transaction.error ?? new DOMException('rolled back', 'AbortError'));
    try {
      value = work(transaction);
    } catch (error) {
      transaction.abort();
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}

function result<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new DOMException('failed', 'UnknownError'));
  });
}
