import type { z } from 'zod';
import { aboutOf } from './setting.ts';
import { holdsSecret, inWords, keysOf, schemaAt, settingsIn } from './schema-shape.ts';
import type { SettingsProblem } from './settings.errors.ts';

/** What a part's problems are told with. */
export interface Context {
  readonly schema: z.ZodType;
  /** `http`, `chains/mainnet`. */
  readonly name: string;
  /** The file to set it in. */
  readonly place: string;
  /** Who gave what stands at this path of the part. */
  readonly origin: (path: readonly PropertyKey[]) => string | undefined;
}

/** The message of an issue for which the schema has no words of its own; those that come here were parsed with it as `error`. */
export const WORDLESS = '';

/** One problem per zod issue, one per unknown key. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], context: Context): SettingsProblem[] {
  return issues.flatMap((issue) => {
    if (issue.code !== 'unrecognized_keys') return [problemOf(issue, context)];
    const known = keysOf(schemaAt(context.schema, issue.path) ?? context.schema);
    return issue.keys.map((key) => ({
      path: pathText(context.name, [...issue.path, key]),
      rule: 'is not a setting',
      hint: unknownKeyHint(key, known, context.origin([...issue.path, key])),
    }));
  });
}

export function unknownKeyHint(key: string, known: readonly string[], origin: string | undefined): string {
  const meant = nearest(key, known);
  const given = origin === undefined ? '' : `It stands in ${origin}. `;
  return given + (meant === undefined ? `Known here: ${known.join(', ')}.` : `Did you mean ${meant}?`);
}

export function pathText(name: string, path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}.${String(key)}`), name);
}

function problemOf(issue: z.core.$ZodIssue, { schema, name, place, origin }: Context): SettingsProblem {
  const leaf = schemaAt(schema, issue.path);
  const given = origin(issue.path);
  const env = envOf(schema, issue.path);
  return {
    path: pathText(name, issue.path),
    rule: ruleOf(issue, leaf),
    hint: given === undefined ? `It is not set. ${howToSet(place, leaf, env)}` : `It was given by ${given}.`,
  };
}

/** Only our own schema's words are told: zod's are less clear, and may say what arrived. */
function ruleOf(issue: z.core.$ZodIssue, leaf: z.ZodType | undefined): string {
  if (issue.message !== WORDLESS) return issue.message;
  if (issue.code === 'invalid_key') return issue.issues.find(({ message }) => message !== WORDLESS)?.message ?? 'must have another name';
  return leaf === undefined ? 'must be as the reference says' : `must be ${inWords(leaf)}`;
}

function howToSet(file: string, leaf: z.ZodType | undefined, env: string | undefined): string {
  if (env === undefined) return `Set it in ${file}.`;
  return leaf !== undefined && holdsSecret(leaf) ? `Set ${env}, or ${env}_FILE to a file that holds it.` : `Set ${env}, or put it into ${file}.`;
}

/** The variable of the setting that this path is in: an item of a list is set with its list. */
function envOf(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  const keys = path.filter((key) => typeof key === 'string');
  const found = settingsIn(schema).findLast((setting) => setting.about?.env !== undefined && setting.path.every((key, index) => keys[index] === key));
  const leaf = schemaAt(schema, path);
  return found?.about?.env ?? (leaf === undefined ? undefined : aboutOf(leaf)?.env);
}

function nearest(key: string, known: readonly string[]): string | undefined {
  const flat = (text: string): string => text.toLowerCase().replaceAll(/[-_]/g, '');
  const ranked = known.map((name) => ({ name, distance: distanceOf(flat(key), flat(name)) })).sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.ceil(key.length / 3) ? best.name : undefined;
}

/** Levenshtein's: the fewest letters put in, left out or changed. */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
