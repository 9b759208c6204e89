import { ChainfoldError } from '#platform/kernel';
import { z } from 'zod';
import { aboutOf } from './setting.ts';
import { objectShape, settingsIn } from './schema-shape.ts';

/** Settings of one context, adapter or platform library: the object under `name` in the YAML files. */
export interface SettingsSection<Name extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly kind: 'section';
  readonly name: Name;
  readonly schema: S;
}

/**
 * A list that is data: one entry per file `config/{name}/*.yaml`. An entry may also be given, or changed, under
 * `{name}: {entry: …}` in CONFIG_FILE.
 */
export interface SettingsFolder<Name extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly kind: 'folder';
  readonly name: Name;
  readonly schema: S;
  /** Its entries stand together in files `config/{name}.yaml`, `config/{name}-*.yaml`, each a map of named entries. */
  readonly inFiles?: true;
}

export type SettingsPart = SettingsSection | SettingsFolder;

/** One entry of a folder; `name` is the file's, without its extension. */
export interface FolderEntry<T> {
  readonly name: string;
  readonly value: T;
}

/** The value that `loadSettings` gives for these parts. */
export type SettingsOf<Parts extends readonly SettingsPart[]> = {
  readonly [Part in Parts[number] as Part['name']]: Part['kind'] extends 'section'
    ? z.output<Part['schema']>
    : readonly FolderEntry<z.output<Part['schema']>>[];
};

export function defineSettings<const Name extends string, S extends z.ZodObject>(name: Name, schema: S): SettingsSection<Name, S> {
  return { kind: 'section', name, schema: strict(name, schema) };
}

export function defineFolder<const Name extends string, S extends z.ZodObject>(name: Name, schema: S): SettingsFolder<Name, S> {
  return { kind: 'folder', name, schema: strict(name, schema) };
}

/** Entries that are many and short: several of them in one file. */
export function defineEntries<const Name extends string, S extends z.ZodObject>(name: Name, schema: S): SettingsFolder<Name, S> {
  return { ...defineFolder(name, schema), inFiles: true };
}

export function isSettingsPart(value: unknown): value is SettingsPart {
  const part = value as Partial<SettingsPart> | null;
  return typeof part === 'object' && (part?.kind === 'section' || part?.kind === 'folder') && part.schema instanceof z.ZodObject;
}

/** Two parts that claim one name, or two settings one environment variable, are a mistake of ours: found at boot. */
export function checkParts(parts: readonly SettingsPart[]): void {
  const claimed = new Map<string, string>([['CONFIG_FILE', 'the settings themselves'], ['CONFIG_DIR', 'the settings themselves']]);
  const names = new Set<string>();
  for (const part of parts) {
    if (names.has(part.name)) throw new SettingsUndescribed(part.name, 'another part has this name');
    names.add(part.name);
    for (const { path, about } of settingsIn(part.schema)) {
      const where = [part.name, ...path].join('.');
      if (about?.env === undefined) continue;
      if (part.kind === 'folder') throw new SettingsUndescribed(where, 'an entry of a folder can not have its own environment variable');
      const owner = claimed.get(about.env);
      if (owner !== undefined) throw new SettingsUndescribed(where, `${about.env} belongs to ${owner} already`);
      claimed.set(about.env, where);
    }
  }
}

function strict<S extends z.ZodObject>(name: string, schema: S): S {
  if (objectShape(schema)?.closed !== true) throw new SettingsUndescribed(name, 'it must be a z.strictObject, so that unknown keys are found');
  for (const { path, schema: leaf } of settingsIn(schema)) {
    const description = aboutOf(leaf)?.description ?? leaf.description ?? '';
    if (description === '') throw new SettingsUndescribed([name, ...path].join('.'), 'it has no description');
  }
  return schema;
}

class SettingsUndescribed extends ChainfoldError {
  constructor(path: string, rule: string) {
    super('A setting is declared wrongly', {
      code: 'settings-undescribed',
      kind: 'bug',
      facts: { path, rule },
      hint: 'Correct its *.settings.ts: z.strictObject of setting(schema, { description, … }).',
    });
  }
}
