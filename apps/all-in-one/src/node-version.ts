/** Imports nothing: it must run where the rest can not even be loaded. */
export const NODE_MAJOR = 24;

/** What to tell whoever started this with a Node that is too old for it; undefined where all is well. */
export function nodeTooOld(version: string = process.versions.node): string | undefined {
  const major = Number(version.split('.', 1)[0]);
  if (major >= NODE_MAJOR) return undefined;
  return [
    `chainfold needs Node ${NODE_MAJOR} or newer; this is Node ${version}.`,
    `npm install has put the right one beside it: start with \`npm start\`, and use \`npx chainfold <command>\` in this folder.`,
    '',
  ].join('\n');
}
