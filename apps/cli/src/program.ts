import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT, EXIT_MEANINGS, exitCodeOf, explain, serve, type ExitCode } from '#platform/runtime';
import { redactUrlsIn } from '#platform/observability';
import { backfill, startAbove } from './commands/backfill.ts';
import { backup, restore } from './commands/backup.ts';
import { doctor } from './commands/doctor.ts';
import { keys, probeKeys } from './commands/keys.ts';
import { events, projections, streams } from './commands/log.ts';
import { activate, rebuild } from './commands/rebuild.ts';
import { verify } from './commands/verify.ts';
import { Output } from './output.ts';
import { reach, type LoadProgram, type Target, type TargetOptions } from './target.ts';

const EXIT_CODES = `\nExit codes:\n${EXIT_MEANINGS.map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`).join('\n')}\n`;
const WHERE = '\nSettings (DATA_DIR, RPC_URL, PORT …) come from the environment and config/, see config/reference.md.\nBeside a running process on the same DATA_DIR commands ask it; otherwise they open the directory themselves.\n';

const ABOUT_BACKUP = `
A backup is log.sqlite and manifest.json: identity of the log, position, counts and a hash over its contents. Read models
are not in it: they are built from the log.

With a node of your own (RPC_URL) capture goes on at the restored head. The state of the embedded node is not in a backup,
for it belongs to the chain: a log of the demo that is restored alone meets another chain and stops (reorg-below-finalized)
until POST /api/v1/chains/31337/resume lets it follow that one. Copy DATA_DIR/embedded-node as well, while nothing runs, and
capture goes on where that state is as new as the log or newer; with an older one it stops as above.
`;

/** Runs one command line to its end. Answers the exit code, or undefined when the command goes on by itself (`start`). */
export async function run(argv: readonly string[], load: LoadProgram): Promise<ExitCode | undefined> {
  let code: ExitCode | undefined = EXIT.ok;
  const program = new Command('chainfold').description('Captures EVM chains, block by block and verified, into an event log.').exitOverride();
  const add = (name: string, description: string): Command =>
    program.command(name).description(description).option('--json', 'one JSON value per line, for machines').addHelpText('after', EXIT_CODES).exitOverride();
  const beside = async (options: TargetOptions, work: (target: Target) => Promise<void | number>): Promise<void> => {
    const found = await withTarget(load, options, work);
    if (typeof found === 'number' && found > 0) code = EXIT.failed;
  };

  const unwatch = explainCrashes();
  add('start', 'Captures and serves until Ctrl-C').action(async (options: { json?: boolean }) => {
    code = undefined;
    // It has its own last words.
    unwatch();
    const { processSources } = await import('#platform/settings');
    const sources = processSources();
    await serve(await load(), options.json === true ? { sources: { ...sources, env: { ...sources.env, LOG_FORMAT: 'json' } } } : {});
  });
  add('backfill', 'Captures a range of blocks and waits until it is there')
    .addOption(new Option('--rpc <url>', 'the node to ask; while a process runs on DATA_DIR, it names the chain by its node'))
    .requiredOption('--from <block>', 'first block', blockNumber)
    .requiredOption('--to <block>', 'last block, included', blockNumber)
    .option('--chain <id>', 'which chain, when several are captured')
    .action(async (options: { json?: boolean; rpc?: string; from: number; to: number; chain?: string }) => {
      mustRise(options);
      const env = options.rpc === undefined ? {} : { RPC_URL: options.rpc, START_BLOCK: await startAbove(options.rpc, options.to) };
      await beside({ capture: 'on-demand', env }, (target) => backfill(target, outputOf(options), options));
    });
  add('verify', 'Recomputes links, roots, gaps and counts of everything stored; exits 1 with a list when anything is wrong')
    .option('--chain <id>', 'only this chain')
    .option('--from <block>', 'first block', blockNumber)
    .option('--to <block>', 'last block, included', blockNumber)
    .action((options: { json?: boolean; chain?: string; from?: number; to?: number }) => {
      mustRise(options);
      return beside({ capture: 'offline' }, (target) => verify(target, outputOf(options), options));
    });
  add('events', 'Prints events of the log, oldest first')
    .option('--after <position>', 'only those after this position')
    .option('--types <types>', 'only these types, separated by commas')
    .option('--categories <categories>', 'only streams of these categories, separated by commas')
    .option('--stream <stream>', 'only this stream')
    .option('--limit <count>', 'at most so many', blockNumber, 100)
    .action((options: { json?: boolean; after?: string; types?: string; categories?: string; stream?: string; limit: number }) =>
      beside({ capture: 'offline' }, (target) => events(target, outputOf(options), options)),
    );
  add('streams', 'Lists the streams of the log')
    .option('--category <category>', 'only streams of this category')
    .action((options: { json?: boolean; category?: string }) => beside({ capture: 'offline' }, (target) => streams(target, outputOf(options), options)));
  add('projections', 'Shows the read models: generation, position, lag').action((options: { json?: boolean }) =>
    beside({ capture: 'offline' }, (target) => projections(target, outputOf(options))),
  );
  const keyBoard = add('keys', 'Shows the keys of providers: state, what is used and left of each limit, requests').action((options: { json?: boolean }) =>
    beside({ capture: 'offline' }, (target) => keys(target, outputOf(options))),
  );
  keyBoard
    .command('probe')
    .description('Asks keys for their chain and head, within their budgets; exits 1 when one is unwell')
    .argument('[alias...]', 'only these, as `chainfold keys` shows them')
    .option('--json', 'one JSON value per line, for machines')
    .addHelpText('after', EXIT_CODES)
    .exitOverride()
    .action((aliases: string[], _options: object, command: Command) =>
      // The option stands at both commands, and the outer one takes it.
      beside({ capture: 'on-demand' }, (target) => probeKeys(target, outputOf(command.optsWithGlobals()), aliases)),
    );
  add('rebuild', 'Builds a read model anew beside the live one, and swaps')
    .argument('<name>', 'as `chainfold projections` shows it')
    .action((name: string, options: { json?: boolean }) => beside({ capture: 'offline' }, (target) => rebuild(target, outputOf(options), name)));
  add('activate', 'Swaps a read model back to the generation that is kept')
    .argument('<name>', 'as `chainfold projections` shows it')
    .argument('<generation>', 'its number, as `chainfold projections` shows it under kept', blockNumber)
    .action((name: string, generation: number, options: { json?: boolean }) =>
      beside({ capture: 'offline' }, (target) => activate(target, outputOf(options), name, generation)),
    );
  add('backup', 'Copies the log as it stands at this moment into a new directory, also while a process runs, and reads it back')
    .argument('<directory>', 'where to; it must not exist yet, and not lie in DATA_DIR')
    .addHelpText('after', ABOUT_BACKUP)
    .action((directory: string, options: { json?: boolean }) => backup(load, outputOf(options), directory));
  add('restore', 'Puts a backup into an empty data directory, once its counts and hash are verified')
    .argument('<backup>', 'a directory that `chainfold backup` wrote')
    .option('--data-dir <directory>', 'where to, instead of DATA_DIR')
    .option('--check', 'only read the backup and compare it with its manifest')
    .addHelpText('after', ABOUT_BACKUP)
    .action((from: string, options: { json?: boolean; dataDir?: string; check?: boolean }) => restore(load, outputOf(options), from, options));
  add('doctor', 'Looks at settings, disk, port, data directory, providers and clock; exits 1 when something is wrong').action(async (options: { json?: boolean }) => {
    if ((await doctor(load, outputOf(options))) > 0) code = EXIT.failed;
  });
  program.addHelpText('after', WHERE + EXIT_CODES);

  try {
    await program.parseAsync([...argv], { from: 'user' });
    return code;
  } catch (error) {
    return failed(error);
  } finally {
    unwatch();
  }
}

/** Left alone, Node prints what nobody caught with all its fields: of an address that can not be read that is its text, with the key. */
function explainCrashes(): () => void {
  const crashed = (error: unknown): void => process.exit(failed(error));
  process.on('uncaughtException', crashed).on('unhandledRejection', crashed);
  return () => void process.off('uncaughtException', crashed).off('unhandledRejection', crashed);
}

async function withTarget(load: LoadProgram, options: TargetOptions, work: (target: Target) => Promise<void | number>): Promise<void | number> {
  const target = await reach(load, options);
  const interrupted = (): void => void target.close().then(() => process.exit(EXIT.interrupted));
  process.once('SIGINT', interrupted);
  try {
    return await work(target);
  } finally {
    process.off('SIGINT', interrupted);
    await target.close();
  }
}

function failed(error: unknown): ExitCode {
  if (error instanceof CommanderError) {
    // Help and version are no errors; commander has printed its own message for the others.
    if (error.exitCode === 0) return EXIT.ok;
    if (error.code === 'chainfold.range') process.stderr.write(`${error.message}\n`);
    return EXIT.usage;
  }
  process.stderr.write(`${redactUrlsIn(explain(error))}\n`);
  const code = (error as { code?: unknown }).code;
  return code === 'process-not-answering' || code === 'node-unreachable' ? EXIT.unavailable : exitCodeOf(error);
}

function outputOf(options: { readonly json?: boolean }): Output {
  return new Output(options.json === true);
}

function mustRise({ from = 0, to = Number.MAX_SAFE_INTEGER }: { readonly from?: number; readonly to?: number }): void {
  if (from > to) throw new CommanderError(EXIT.usage, 'chainfold.range', 'error: --from is above --to');
}

function blockNumber(text: string): number {
  if (!/^(0|[1-9]\d{0,15})$/.test(text)) throw new InvalidArgumentError('Takes a whole number from 0.');
  return Number(text);
}
