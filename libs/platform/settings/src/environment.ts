import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { written } from './schema-shape.ts';

/** Where settings come from; a test gives its own. */
export interface SettingsSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Holds default.yaml and the folders. */
  readonly configDir: string;
}

/** The one place that reads the process's environment. */
export function processSources(): SettingsSources {
  const env = process.env;
  return { env, configDir: resolve(env['CONFIG_DIR'] ?? join(packageRoot(import.meta.dirname), 'config')) };
}

function packageRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const above = dirname(from);
  return above === from ? process.cwd() : packageRoot(above);
}

/** An environment variable set to nothing counts as not set: that is how container tools pass a missing one. */
export function variable(sources: SettingsSources, name: string): string | undefined {
  const text = sources.env[name];
  return text === undefined || text.trim() === '' ? undefined : text.trim();
}

/**
 * Text of the environment as the value that YAML would hold: numbers, booleans, lists by commas, groups as JSON or
 * YAML. What does not fit stays text, so that the schema refuses it by its own rule.
 */
export function fromText(schema: z.ZodType, text: string): unknown {
  const inner = written(schema);
  if (inner instanceof z.ZodNumber) return /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (inner instanceof z.ZodBigInt) return /^[+-]?\d+$/.test(text) ? BigInt(text) : text;
  if (inner instanceof z.ZodBoolean) return BOOLEANS.get(text.toLowerCase()) ?? text;
  if (inner instanceof z.ZodLiteral) return [...inner.values].find((value) => String(value) === text) ?? text;
  if (inner instanceof z.ZodUnion) return firstFitting(inner.options as z.ZodType[], text);
  if (inner instanceof z.ZodArray && !text.startsWith('[')) {
    return text.split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => fromText(inner.element as z.ZodType, part));
  }
  if (inner instanceof z.ZodArray || inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return yamlOr(text);
  return text;
}

const BOOLEANS = new Map([['true', true], ['1', true], ['false', false], ['0', false]]);

function firstFitting(options: readonly z.ZodType[], text: string): unknown {
  for (const option of options) {
    const value = fromText(option, text);
    if (option.safeParse(value).success) return value;
  }
  return text;
}

function yamlOr(text: string): unknown {
  try {
    return parse(text) as unknown;
  } catch {
    return text;
  }
}
