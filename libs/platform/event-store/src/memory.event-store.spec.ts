import { describeEventStore } from './event-store.contract.ts';
import { openMemoryEventStore } from './memory.event-store.ts';

describeEventStore('the log in memory', async () => ({ store: openMemoryEventStore() }), { atomicAppendAll: true });
