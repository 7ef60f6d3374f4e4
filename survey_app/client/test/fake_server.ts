// A server with its own memory: every record once, receipts with the right code, an epoch, backups, a restore.
import type { Receipt } from '../src/credential.ts';
import { bytesOfHex, hex, sha256Hex, utf8 } from '../src/envelope.ts';

export const SECRET = '5f'.repeat(32);
export type Reply = (path: string, init: RequestInit) => Promise<Response> | Response;

export interface Row {
  readonly id: string;
  readonly revision: number;
  readonly device: string;
  readonly seq: number;
  readonly prev: string | null;
  readonly hash: string;
  readonly envelope: string;
  readonly keyId: string;
  readonly body: { readonly answers: Readonly<Record<string, unknown>>; readonly complete: boolean; readonly withdrawn?: boolean };
  readonly storedAt: string;
}

interface Backup {
  readonly rows: ReadonlyMap<string, Row>;
  readonly watermark: string;
}

export class FakeServer {
  rows = new Map<string, Row>();
  epoch = 'epoch 1';
  revoked = false;
  readonly revokedDevices = new Set<string>();
  backup: Backup | null = null;
  readonly requests: { path: string; headers: Headers; body: string }[] = [];
  /** Other answers, one per request, then the server's own. A heartbeat is signed also then: it is what the server says. */
  readonly instead: Reply[] = [];
  /** What stands before the server and answers some of the calls, whenever they come; it has no secret. */
  before: (path: string) => Reply | null = () => null;
  /** Identities that the server has forgotten, as after a restored backup. */
  readonly forgotten = new Set<string>();
  /** Told of each row when it is stored first. */
  onrow: (row: Row) => void = () => undefined;
  private clock = Date.parse('2026-06-15T08:00:00Z') * 1_000;

  readonly fetch = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const path = String(input);
    this.requests.push({ path, headers: new Headers(init.headers), body: String(init.body) });
    const stranger = this.before(path);
    if (stranger) return stranger(path, init);
    const reply = this.instead.shift();
    if (!reply) return this.answer(path, init);
    const answer = await reply(path, init);
    return answer.ok && path === '/api/v1/devices/heartbeat' ? signed(String(init.body), answer) : answer;
  };

  async answer(path: string, init: RequestInit): Promise<Response> {
    const body = String(init.body);
    if (this.forgotten.has(new Headers(init.headers).get('X-Device') ?? '')) return json(401, { error: 401 });
    if (path === '/api/v1/devices/heartbeat') return signed(body, json(200, this.word(new Headers(init.headers).get('X-Device') ?? '', body)));
    const row = await this.read(body);
    const first = this.rows.get(`${row.id} ${row.revision}`);
    if (!first) this.store(row);
    const conflict = first !== undefined && first.envelope !== body;
    const kept = first && !conflict ? first : row;
    return json(conflict ? 409 : 200, await receiptFor(row.id, row.revision, row.hash, { epoch: this.epoch, stored_at: kept.storedAt, conflict }));
  }

  /** The ids that are here, in the order of their arrival. */
  ids(): string[] {
    return [...new Set([...this.rows.values()].map((row) => row.id))];
  }

  takeBackup(): void {
    this.backup = { rows: new Map(this.rows), watermark: this.tick() };
  }

  /** Back to the last backup: another history begins. */
  restore(): void {
    if (!this.backup) return;
    this.rows = new Map(this.backup.rows);
    this.epoch = `epoch ${Number(this.epoch.split(' ')[1]) + 1}`;
  }

  /** The newest of this tablet that no backup holds: of the others the tablet may have let go, they come back with the backup. */
  loseARow(device: string): void {
    const lost = [...this.rows].filter(([key, row]) => row.device === device && !this.backup?.rows.has(key)).at(-1);
    if (lost) this.rows.delete(lost[0]);
  }

  private store(row: Row): void {
    this.rows.set(`${row.id} ${row.revision}`, row);
    this.onrow(row);
  }

  private async read(envelope: string): Promise<Row> {
    const { id, revision, device, seq, prev, key_id: keyId, body } = JSON.parse(envelope) as Row & { body: string; key_id: string };
    const opened = JSON.parse(Buffer.from(body, 'base64url').toString()) as Row['body'];
    return { id, revision, device, seq, prev, hash: await sha256Hex(envelope), envelope, keyId, body: opened, storedAt: this.tick() };
  }

  private word(device: string, body: string): object {
    const { high_seq: high } = JSON.parse(body) as { high_seq: number };
    const here = new Set([...this.rows.values()].filter((row) => row.device === device).map((row) => row.seq));
    const missing = Array.from({ length: high }, (_, index) => index + 1).filter((seq) => !here.has(seq));
    return { now: '2026-06-15T08:00:00Z', epoch: this.epoch, revoked: this.revoked || this.revokedDevices.has(device), watermark: this.backup?.watermark ?? null, missing, pin: null, idle_seconds: 120 };
  }

  /** Each moment of the server is one microsecond later, as finely as it writes them. */
  private tick(): string {
    this.clock += 1;
    const second = new Date(Math.floor(this.clock / 1_000)).toISOString().slice(0, 19);
    return `${second}.${String(this.clock % 1_000_000).padStart(6, '0')}+00:00`;
  }
}

export const json = (status: number, content: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(content), { status, headers: { 'Content-Type': 'application/json', ...headers } });

/** The same with the server's code for this call. */
export async function signed(asked: string, answer: Response): Promise<Response> {
  const text = await answer.text();
  const code = await codeOf(['answer', await sha256Hex(asked), await sha256Hex(text)]);
  return new Response(text, { status: answer.status, headers: { 'Content-Type': 'application/json', 'X-Signature': code } });
}

async function codeOf(parts: readonly (string | number)[]): Promise<string> {
  const key = await crypto.subtle.importKey('raw', bytesOfHex(SECRET), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return hex(new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(parts.join('\n')))));
}

/** A receipt with its code over these values. */
export async function receiptFor(id: string, revision: number, hash: string, values: Partial<Receipt> = {}): Promise<Receipt> {
  const receipt = { id, revision, sha256: hash, epoch: 'epoch 1', stored_at: '2026-06-15T08:00:00.000000+00:00', conflict: false, ...values };
  return { ...receipt, mac: await codeOf(['receipt', id, revision, hash, receipt.epoch, receipt.stored_at]) };
}
