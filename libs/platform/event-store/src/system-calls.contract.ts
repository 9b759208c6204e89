import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** What a process did to files, or told on its standard error, in the order of the kernel. */
export type SystemCall =
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: string; readonly size: number }
  | { readonly kind: 'synced'; readonly file: string }
  | { readonly kind: 'unlink'; readonly file: string }
  | { readonly kind: 'told'; readonly words: string };

const CALLS = 'pwrite64,fdatasync,fsync,ftruncate,unlink,write';

/** Runs a program of all its threads under strace, writing the trace to `file`. */
export function traced(file: string, command: readonly string[]): readonly SystemCall[] {
  spawnSync('strace', ['-f', '-y', '-xx', '-s', '8192', '-e', `trace=${CALLS}`, '-o', file, ...command], { stdio: 'ignore' });
  return readCalls(readFileSync(file, 'latin1'));
}

/** A write is taken when it begins, since it may have happened from then on; a sync when it has ended, since it has happened only then. */
function readCalls(trace: string): readonly SystemCall[] {
  const calls: SystemCall[] = [];
  const syncing = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, thread = '', text = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const [, name, args = ''] = /^(\w+)\((.*)$/.exec(text) ?? [];
    const file = unescaped(/^\d+<([^>]*)>/.exec(args)?.[1] ?? '').toString();
    const resumed = /^<\.\.\. (?:fsync|fdatasync) resumed>.*= 0$/.test(text);
    if (resumed) calls.push({ kind: 'synced', file: syncing.get(thread)! });
    else if ((name === 'fsync' || name === 'fdatasync') && / <unfinished/.test(args)) syncing.set(thread, file);
    else if ((name === 'fsync' || name === 'fdatasync') && /= 0$/.test(args)) calls.push({ kind: 'synced', file });
    else if (name === 'pwrite64') calls.push({ kind: 'write', file, bytes: quoted(args), at: Number(/, (\d+)(?:\)| <unf)/.exec(args.slice(args.lastIndexOf('"')))![1]) });
    else if (name === 'ftruncate') calls.push({ kind: 'truncate', file, size: Number(/, (\d+)/.exec(args)![1]) });
    else if (name === 'unlink') calls.push({ kind: 'unlink', file: quoted(args).toString() });
    else if (name === 'write' && args.startsWith('2<')) calls.push({ kind: 'told', words: quoted(args).toString().trim() });
  }
  return calls;
}

function quoted(args: string): Buffer {
  return unescaped(/"([^"]*)"/.exec(args)?.[1] ?? '');
}

function unescaped(hex: string): Buffer {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}
