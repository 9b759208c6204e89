/** What an append means for a stream as it stands. */
export type AppendVerdict = 'append' | 'repeated' | 'unchanged' | 'conflict';

/**
 * The rule of every adapter. `actual` is the last revision of the stream, -1 when it does not exist; `idsAt` answers the
 * ids that stand from a revision on, as many as asked for.
 */
export function judgeAppend(
  expected: number,
  actual: number,
  ids: { readonly count: number; read(): readonly string[] },
  idsAt: (revision: number, count: number) => readonly string[],
): AppendVerdict {
  if (ids.count === 0) return expected === actual ? 'unchanged' : 'conflict';
  if (expected === actual) return 'append';
  const wouldEndAt = expected + ids.count;
  if (expected > actual || expected < -1 || wouldEndAt > actual) return 'conflict';
  const standing = idsAt(expected + 1, ids.count);
  return ids.read().every((id, i) => id === standing[i]) ? 'repeated' : 'conflict';
}
