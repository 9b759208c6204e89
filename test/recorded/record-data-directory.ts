import { chainfold, ChainfoldProcess, eventually, temporaryDirectory } from '../e2e/stage/chainfold-process.ts';
import { ReplayNode } from '../load/replay-node.ts';
import { OLD_HEAD, OLD_START, oldChain, packDataDirectory } from './old-data-directory.ts';

/** Made the old data directory with the built program of its day. It is not made again: files that are there are not replaced. */
const directory = temporaryDirectory('old');
const { chain, branch } = await oldChain();
const node = await ReplayNode.start(chain);
const env = { DATA_DIR: directory, RPC_URL: node.url, START_BLOCK: String(OLD_START) };
const product = await ChainfoldProcess.start(env);
const reached = (number: number) =>
  eventually(async () => {
    const [known] = (await product.api('/chains')).items;
    if (known?.head?.number !== number) throw new Error(`at ${JSON.stringify(known)}`);
  });
await reached(8);
node.switchTo(branch);
await reached(OLD_HEAD);
console.log(await chainfold(['backfill', '--from', '1', '--to', '2'], env));
console.log(await chainfold(['verify'], env), await product.interrupt());
packDataDirectory(directory);
await node.close();
