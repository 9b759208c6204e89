import { recordReceipts } from '../recorded/execution-apis-receipts.ts';
import { GethNode } from './geth-node.ts';

/** Makes test/recorded/execution-apis-receipts.jsonl.zst anew: node test/engines/record-execution-apis.ts FIXTURES. The engine suite compares it with geth. */
const node = await GethNode.ofExecutionApis(process.argv[2] ?? '../shared/fixtures');
try {
  const answers: string[] = [];
  for (let number = 0; number <= (await node.head()); number += 1) answers.push(await node.blockReceiptsText(number));
  recordReceipts(answers);
} finally {
  await node.stop();
}
