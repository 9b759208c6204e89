import { z } from 'zod';
import type { AboutSetting } from './setting.ts';
import { aboutOf, isSecret } from './setting.ts';

/** The schema inside defaults, optionals and transforms: what a person writes. */
export function written(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodPipe) return written(schema.in as z.ZodType);
  if (
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable ||
    schema instanceof z.ZodReadonly
  ) {
    return written(schema.unwrap() as z.ZodType);
  }
  return schema;
}

export function objectShape(schema: z.ZodType): { readonly shape: Readonly<Record<string, z.ZodType>>; readonly closed: boolean } | undefined {
  const inner = written(schema);
  if (!(inner instanceof z.ZodObject)) return undefined;
  return { shape: inner.shape, closed: inner.def.catchall instanceof z.ZodNever };
}

export function elementOf(schema: z.ZodType): z.ZodType | undefined {
  const inner = written(schema);
  if (inner instanceof z.ZodArray) return inner.element as z.ZodType;
  if (inner instanceof z.ZodRecord) return inner.valueType as z.ZodType;
  return undefined;
}

/** Schema of what stands at a path of the value; undefined where the schema has no such place. */
export function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let at: z.ZodType | undefined = schema;
  for (const key of path) {
    if (at === undefined) return undefined;
    at = childOf(at, key);
  }
  return at;
}

/** Of a choice every kind that has such a place: nobody knows which one was meant. */
function childOf(schema: z.ZodType, key: PropertyKey): z.ZodType | undefined {
  const inner = written(schema);
  if (!(inner instanceof z.ZodUnion)) return objectShape(schema)?.shape[String(key)] ?? elementOf(schema);
  const children = [...new Set((inner.options as z.ZodType[]).flatMap((option) => childOf(option, key) ?? []))];
  return children.length > 1 ? z.union(children) : children[0];
}

/** Names that a group may have, or one of its kinds. */
export function keysOf(schema: z.ZodType): readonly string[] {
  const inner = written(schema);
  if (inner instanceof z.ZodUnion) return [...new Set((inner.options as z.ZodType[]).flatMap(keysOf))];
  return Object.keys(objectShape(inner)?.shape ?? {});
}

export function holdsSecret(schema: z.ZodType): boolean {
  if (isSecret(schema)) return true;
  const shape = objectShape(schema)?.shape;
  if (shape !== undefined) return Object.values(shape).some(holdsSecret);
  const element = elementOf(schema);
  if (element !== undefined) return holdsSecret(element);
  if (schema instanceof z.ZodPipe) return holdsSecret(schema.in as z.ZodType);
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) {
    return holdsSecret(schema.unwrap() as z.ZodType);
  }
  return false;
}

export interface FoundSetting {
  readonly path: readonly string[];
  readonly schema: z.ZodType;
  readonly about: AboutSetting | undefined;
}

/**
 * Every setting of an object, in order. Plain groups are walked through; the fields of a list's entries come after
 * the list, with `[]` in their path.
 */
export function settingsIn(schema: z.ZodType, path: readonly string[] = []): FoundSetting[] {
  const found: FoundSetting[] = [];
  for (const [key, child] of Object.entries(objectShape(schema)?.shape ?? {})) {
    const here = [...path, key];
    const about = aboutOf(child);
    const group = objectShape(child) !== undefined;
    if (!group || about !== undefined) found.push({ path: here, schema: child, about });
    if (group) found.push(...settingsIn(child, here));
    const element = elementOf(child);
    if (element !== undefined && objectShape(element) !== undefined) found.push(...settingsIn(element, [...path, `${key}[]`]));
  }
  return found;
}

/** In words, for a rule that was broken and for the reference: `an integer from 0 to 65535`. */
export function inWords(schema: z.ZodType): string {
  const inner = written(schema);
  if (inner instanceof z.ZodNumber) return numberInWords(inner);
  if (inner instanceof z.ZodBoolean) return 'true or false';
  if (inner instanceof z.ZodEnum) return oneOf(inner.options);
  if (inner instanceof z.ZodLiteral) return oneOf([...inner.values]);
  if (inner instanceof z.ZodUnion) return (inner.options as z.ZodType[]).map(inWords).join(' or ');
  if (inner instanceof z.ZodArray) return `a list, each ${inWords(inner.element as z.ZodType)}`;
  if (inner instanceof z.ZodRecord) return `a map, each value ${inWords(inner.valueType as z.ZodType)}`;
  if (inner instanceof z.ZodObject) return `a group of ${Object.keys(inner.shape).map((key) => `\`${key}\``).join(', ')}`;
  if (inner instanceof z.ZodURL) return 'an address like https://host/path';
  if (inner instanceof z.ZodString) return textInWords(inner);
  return inner.description ?? inner.def.type;
}

function numberInWords(schema: z.ZodNumber): string {
  const whole = schema.isInt || schema.format === 'safeint' ? 'an integer' : 'a number';
  const { maxValue } = schema;
  // `.positive()` is told by zod as "above 0": of integers that is "at least 1".
  const minValue = whole === 'an integer' && isAbove(schema) ? (schema.minValue ?? 0) + 1 : schema.minValue;
  const low = minValue !== null && minValue > Number.MIN_SAFE_INTEGER;
  const high = maxValue !== null && maxValue < Number.MAX_SAFE_INTEGER;
  if (low && high) return `${whole} from ${minValue} to ${maxValue}`;
  if (low) return `${whole}, at least ${minValue}`;
  if (high) return `${whole}, at most ${maxValue}`;
  return whole;
}

function isAbove(schema: z.ZodNumber): boolean {
  return (schema.def.checks ?? []).some(({ _zod }) => {
    const { check, inclusive, value } = _zod.def as { readonly check: string; readonly inclusive?: boolean; readonly value?: unknown };
    return check === 'greater_than' && inclusive === false && value === schema.minValue;
  });
}

function textInWords(schema: z.ZodString): string {
  const { minLength, maxLength } = schema;
  const pattern = schema.def.checks
    ?.map((check) => (check._zod.def as { readonly pattern?: RegExp }).pattern)
    .find((found) => found !== undefined);
  if (pattern !== undefined) return `a text like ${pattern.source}`;
  if (minLength !== null && maxLength !== null) return `a text of ${minLength} to ${maxLength} characters`;
  return minLength === null || minLength === 0 ? 'a text' : 'a text that is not empty';
}

function oneOf(values: readonly unknown[]): string {
  const words = values.map((value) => `\`${String(value)}\``);
  return words.length === 1 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}
