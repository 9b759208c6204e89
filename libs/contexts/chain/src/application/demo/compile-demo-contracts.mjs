import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

// `node compile-demo-contracts.mjs` writes demo-contracts.artifact.ts anew; a spec compares the two.
const SOURCE = new URL('./DemoContracts.sol', import.meta.url);
const ARTIFACT = new URL('./demo-contracts.artifact.ts', import.meta.url);

/** Text of the artifact as it must be for the source beside this file. The metadata hash is left out: it would change with the compiler's build. */
export function compileDemoContracts() {
  const input = {
    language: 'Solidity',
    sources: { 'DemoContracts.sol': { content: readFileSync(SOURCE, 'utf8') } },
    settings: {
      evmVersion: 'prague',
      optimizer: { enabled: true, runs: 200 },
      metadata: { bytecodeHash: 'none', appendCBOR: false },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const errors = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (errors.length > 0) throw new Error(errors.map((error) => error.formattedMessage).join('\n'));
  const contracts = Object.entries(output.contracts['DemoContracts.sol']).map(([name, contract]) => [
    name,
    { abi: contract.abi, bytecode: `0x${contract.evm.bytecode.object}`, deployedBytecode: `0x${contract.evm.deployedBytecode.object}` },
  ]);
  return [
    '// Compiled from DemoContracts.sol by compile-demo-contracts.mjs. Do not edit.',
    ...contracts.map(([name, artifact]) => `export const ${name} = ${JSON.stringify(artifact, null, 1)} as const;`),
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(ARTIFACT, compileDemoContracts());
