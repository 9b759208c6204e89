import { packedLength } from '#platform/event-store';
import { streamName } from '#platform/kernel';
import type { Hex } from '../domain/rpc-types.ts';
import type { ReadBlock, ReadRequest } from '../ports/block-reader.port.ts';
import { BODY_VERSIONS } from './chain-actors.ts';
import { WorkWrong } from './reading-jobs.errors.ts';

/**
 * Throws `work-wrong` unless it is the block that stands at this place of the request, on top of the one before it, with a body
 * that fits its own stream from the beginning. That it recomputes was the worker's to say.
 */
export function checkHanded({ chainId, numbers }: ReadRequest, place: number, { observed, body }: ReadBlock, parent: Hex | undefined): void {
  const { number, hash, parentHash, header } = observed;
  if (observed.chainId !== chainId) throw new WorkWrong('it is of another chain');
  if (number !== numbers[place]) throw new WorkWrong('it has another number');
  if (header.hash !== hash || header.parentHash !== parentHash || Number(header.number) !== number) throw new WorkWrong('its header is of another block');
  if (parent !== undefined && numbers[place - 1] === number - 1 && parentHash !== parent) throw new WorkWrong('it does not stand on the one before it');
  checkBody(`${chainId}.${hash}`, observed.transactionCount, body);
}

function checkBody(id: string, transactions: number, body: ReadBlock['body']): void {
  const stream = streamName('block', id);
  let revision = -1;
  for (const append of body) {
    if (append.stream !== stream) throw new WorkWrong('its body is for another stream');
    if (append.expected !== revision) throw new WorkWrong('its body has a gap');
    if (!(JSON.parse(append.types) as readonly string[]).every((type) => Object.hasOwn(BODY_VERSIONS, type))) throw new WorkWrong('its body holds other events');
    if (typeof append.text !== 'string' && packedLength(append.text.payload) !== append.text.raw) throw new WorkWrong('its body is packed in another way');
    revision += append.count;
  }
  // One event a transaction at least, and the one that completes it.
  if (transactions === 0 ? body.length > 0 : revision < transactions) throw new WorkWrong('its body is not whole');
}
