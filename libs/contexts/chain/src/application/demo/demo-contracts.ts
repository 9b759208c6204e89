import { Interface } from 'ethers';
import { DemoCounter, DemoToken } from './demo-contracts.artifact.ts';

export const tokenInterface = new Interface(DemoToken.abi);
export const counterInterface = new Interface(DemoCounter.abi);

/** What stands in a deployed contract's account tells which one it is. */
export type DemoContract = 'token' | 'counter';
const RUNTIME: readonly (readonly [DemoContract, string])[] = [
  ['token', DemoToken.deployedBytecode],
  ['counter', DemoCounter.deployedBytecode],
];

export function contractOfCode(code: string): DemoContract | undefined {
  return RUNTIME.find(([, runtime]) => runtime === code)?.[0];
}

/** Names come from strangers on a real chain, so a few of these try to be more than a name. */
const TOKENS: readonly (readonly [name: string, symbol: string])[] = [
  ['Tidewater Dollar', 'TIDE'],
  ['Foldcoin', 'FOLD'],
  ['Larch Points', 'LARCH'],
  ['<img src=x onerror=alert(1)>', '<b>XSS</b>'],
  ['Мост 橋 🌉', 'BRIDGE'],
  ["Robert'); DROP TABLE tokens;--", 'BOBBY'],
];

export function tokenCreation(index: number, supply: bigint): string {
  const [name, symbol] = TOKENS[index % TOKENS.length] as readonly [string, string];
  return DemoToken.bytecode + tokenInterface.encodeDeploy([name, symbol, supply]).slice(2);
}

export const counterCreation: string = DemoCounter.bytecode;
