import type { z } from 'zod';
import { aboutOf } from './setting.ts';
import type { FoundSetting } from './schema-shape.ts';
import { elementOf, holdsSecret, inWords, objectShape, settingsIn, written } from './schema-shape.ts';
import type { SettingsPart } from './settings-part.ts';

/** The text of config/reference.md: every setting of these parts, parts in the order of their names. */
export function settingsReference(parts: readonly SettingsPart[]): string {
  const sorted = [...parts].sort((a, b) => (a.name < b.name ? -1 : 1));
  return [HEAD, ...sorted.map(section)].join('\n');
}

const HEAD = `# Settings

Generated from the schemas next to the code; a spec fails when this file is not up to date.

Sources, each laid over the one before: the defaults below, \`config/default.yaml\`, the folders \`config/<name>/*.yaml\`,
the YAML file that \`CONFIG_FILE\` names, environment variables, and for secrets the files that \`NAME_FILE\` variables
name. \`CONFIG_DIR\` is the folder to use instead of \`config\`. In YAML, \`\${NAME}\` inside a text stands for an environment
variable (or the content of the file that \`NAME_FILE\` names), and \`null\` takes a setting back to its default.
In environment variables lists are separated by commas, and groups are JSON.
All problems are told at once, and the process ends with code 78.
`;

function section(part: SettingsPart): string {
  const place = part.kind === 'folder' ? `${whereEntriesStand(part.name, part.inFiles === true)}\n\n` : '';
  const rows = settingsIn(part.schema).map(row);
  return `## ${part.name}\n\n${place}| setting | what | value | default | environment |\n|---|---|---|---|---|\n${rows.join('\n')}\n`;
}

function whereEntriesStand(name: string, inFiles: boolean): string {
  if (!inFiles) return `One file per entry: \`config/${name}/<entry>.yaml\`.`;
  return `Entries by name in \`config/${name}.yaml\` and \`config/${name}-<more>.yaml\`; of each:`;
}

function row({ path, schema, about }: FoundSetting): string {
  const env = about?.env === undefined ? '' : `\`${about.env}\`${holdsSecret(schema) ? `, \`${about.env}_FILE\`` : ''}`;
  const value = `${listOfGroups(schema) ? 'a list of groups' : inWords(schema)}${holdsSecret(schema) ? ', secret' : ''}`;
  const cells = [`\`${path.join('.')}\``, about?.description ?? schema.description ?? '', value, defaultOf(schema), env];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

function listOfGroups(schema: z.ZodType): boolean {
  const element = elementOf(schema);
  return element !== undefined && objectShape(element) !== undefined;
}

function defaultOf(schema: z.ZodType): string {
  const text = aboutOf(schema)?.defaultText;
  if (text !== undefined) return text;
  if (schema.def.type === 'optional') return 'none';
  const { defaultValue } = schema.def as { readonly defaultValue?: unknown };
  if (defaultValue !== undefined && schema.def.type !== 'pipe') return holdsSecret(schema) && !isEmptyList(defaultValue) ? 'set' : `\`${JSON.stringify(defaultValue)}\``;
  return objectShape(schema) !== undefined && written(schema) === schema ? '' : '**required**';
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
