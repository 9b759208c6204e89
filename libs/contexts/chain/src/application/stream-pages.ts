import type { EventReader } from '#platform/event-store';
import type { RecordedEvent, StreamName } from '#platform/kernel';
import { Breath } from './breath.ts';

const PAGE = 500;

/** All streams of a category, in the order of their names. */
export async function* streamsOf(reader: EventReader, category: string): AsyncGenerator<StreamName> {
  for (let after: string | undefined; ; ) {
    const page = await reader.listStreams({ category, limit: PAGE, ...(after === undefined ? {} : { after }) });
    for (const { stream } of page) yield stream;
    after = page.at(-1)?.stream;
    if (page.length < PAGE) return;
  }
}

/** A stream from a revision on. Others have a turn between the pages: the order of a chain may be a million events. */
export async function* eventsOf(reader: EventReader, stream: StreamName, from = 0): AsyncGenerator<RecordedEvent> {
  const breath = new Breath();
  for (let next = from; ; ) {
    const page = await reader.readStream(stream, next, PAGE);
    yield* page;
    if (page.length < PAGE) return;
    next = (page.at(-1) as RecordedEvent).revision + 1;
    await breath.take();
  }
}
